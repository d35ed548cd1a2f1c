"""Laws are judged by their truth, not by the clock: no example has a time limit."""

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
