"""What a person sees: every page in a real browser, at a phone's width and a desk's."""
