"""The icons: our own drawings on a 24-pixel grid, one stroke width, no licence but the project's.

One rule: an icon never speaks alone; a word stands beside it or a label names it.
"""
# ruff: noqa: S704 - the drawings below are constants.

from markupsafe import Markup

STROKES: dict[str, str] = {
    "home": "M4 11 12 4l8 7M6 9.5V20h12V9.5M10 20v-6h4v6",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
    "new": "M6 3h8l4 4v14H6zM14 3v4h4M12 11v6M9 14h6",
    "list": "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
    "inbox": "M4 13 6.5 5h11L20 13v6H4zM4 13h5l1 2.500h4l1-2.500h5",
    "book": "M12 6C10 4.500 7 4 4 4v14c3 0 6 .5 8 2 2-1.500 5-2 8-2V4c-3 0-6 .5-8 2zM12 6v14",
    "board": "M4 20V4M4 20h16M8.500 16v-5M13 16V7M17.500 16v-3",
    "sum": "M17.500 5H7l6 7-6 7h10.500",
    "node": "M12 4v4M12 16v4M6 12H3M21 12h-3M8 8h8v8H8z",
    "users": "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM3 20c0-3.500 2.500-6 6-6s6 2.500 6 6M16 4.500"
    "a3.500 3.500 0 0 1 0 6M18 14.500c2 .8 3 2.800 3 5.500",
    "user": "M12 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM5 20c0-3.500 3-6 7-6s7 2.500 7 6",
    "audit": "M5 4h14v16H5zM9 4v16M12 8.500h4M12 12h4M12 15.500h4",
    "search": "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500",
    "check": "m5 12.500 4.500 4.500L19 7",
    "cross": "M6 6l12 12M18 6 6 18",
    "alert": "M12 4 2.500 20h19zM12 10v4.500M12 17.200v.1",
    "info": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.700v.1",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.500l3.500 2",
    "print": "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
    "down": "M12 4v11M7 10.500l5 5 5-5M4 20h16",
    "up": "M12 16V5M7 9.500l5-5 5 5M4 20h16",
    "send": "M4 12 20 4l-6 16-3-7zM11 13l9-9",
    "cut": "M3 12h5M16 12h5M9 7.500l1.500 2M15 7.500l-1.500 2M9 16.500l1.500-2M15 16.500l-1.500-2",
    "line": "M3 12h18M7 8.500 3.500 12 7 15.500M17 8.500l3.500 3.500-3.500 3.500",
    "proof": "M12 3l7.500 3v5c0 5-3 8.300-7.500 10-4.500-1.700-7.500-5-7.500-10V6zM8.500 12l2.500 2.500 4.500-5",
    "broken": "M12 3l7.500 3v5c0 5-3 8.300-7.500 10-4.500-1.700-7.500-5-7.500-10V6zM9.500 9.500l5 5M14.500 9.500l-5 5",
    "lock": "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3M12 14.500v2",
    "eye": "M2.500 12C5 7.500 8.300 5.500 12 5.500s7 2 9.500 6.500c-2.500 4.500-5.800 6.500-9.500 6.500s-7-2-9.500-6.500z"
    "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
    "camera": "M4 8h3.500L9 5.500h6L16.500 8H20v11H4zM12 16.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z",
    "turn": "M19 12a7 7 0 1 1-2.500-5.300M17 3v4h-4",
    "left": "M14.500 5 8 12l6.500 7",
    "right": "M9.500 5 16 12l-6.500 7",
    "more": "M5 12h.01M12 12h.01M19 12h.01",
    "plus": "M12 5v14M5 12h14",
    "back": "M9 7 4 12l5 5M4 12h11a5 5 0 0 1 5 5v2",
    "hand": "M4 7h12M12.500 3.500 16 7l-3.500 3.500M20 17H8M11.500 13.500 8 17l3.500 3.500",
    "keys": "M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8",
    "exit": "M14 4H5v16h9M10 12h10.500M17 8.500l3.500 3.500-3.500 3.500",
    "text": "M4 19 9.500 5 15 19M6 14.500h7M17 19l2.500-6 2.500 6",
    "usb": "M9 10V4h6v6M7 10h10v6a3 3 0 0 1-3 3h-4a3 3 0 0 1-3-3zM12 19v3",
    "filter": "M4 5h16l-6 7.500V19l-4-2v-4.500z",
    "people": "M12 9.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM5 20v-2c0-3 3-5.500 7-5.500s7 2.500 7 5.500v2z",
    "visit": "M12 21c-4-5-6-8-6-11a6 6 0 0 1 12 0c0 3-2 6-6 11zM12 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
    "phone": "M6 3.500h3.500L11 8 8.500 9.500c1 2.500 3 4.500 6 6L16 13l4.500 1.500V18c0 1.500-1 2.500-2.500 2.500C10.500 20 "
    "4 13.500 3.500 6 3.500 4.500 4.500 3.500 6 3.500z",
}

LAMPS: dict[str, str] = {
    "ok": '<circle cx="6" cy="6" r="5"/>',
    "due": '<path d="M6 .8 11.800 11H.2z"/>',
    "over": '<path d="M6 0l6 6-6 6-6-6z"/>',
    "stop": '<path d="M2 1h3v10H2zM7 1h3v10H7z"/>',
    "done": '<path d="M1 6.200 4.600 10 11 2.500" fill="none" stroke="currentColor" stroke-width="2"/>',
    "none": '<circle cx="6" cy="6" r="4.200" fill="none" stroke="currentColor" stroke-width="1.500"/>',
}


def icon(name: str, size: int = 18) -> Markup:
    """The drawing `name` as inline SVG, hidden from readers; KeyError for an unknown name."""
    return Markup(
        f'<svg class="ic" width="{size}" height="{size}" viewBox="0 0 24 24" aria-hidden="true">'
        f'<path d="{STROKES[name]}"/></svg>',
    )


def lamp(light: str) -> Markup:
    """The shape of a limit light as inline SVG, coloured by its class."""
    return Markup(f'<svg viewBox="0 0 12 12" aria-hidden="true">{LAMPS[light]}</svg>')
