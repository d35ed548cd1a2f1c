"""The replica of what the city publishes: catalogue, deeds, calendar, roster. Every node holds it; only the city writes it."""
