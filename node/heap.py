"""Memory that a rare large piece of work took and left free, handed back to the system."""

import ctypes
import gc
import sys


def collect() -> None:
    """Free the cycles of what has been made since the last time; nothing if that is little, as in a node at rest."""
    if gc.get_count()[2]:
        gc.collect()


def give_back() -> None:
    """Return free pages of the C heap to the system; nothing where the C library cannot (it is not glibc).

    A new edition takes some megabytes while it is read, and the first page as much while its template is compiled:
    without this a process would keep them for good.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
