"""Finding items as people type them: by words, by abbreviation (低保), by the initials of their pinyin (dbsh).

One rule: every reading of a character counts, because people spell as they speak: 调解 is found by tj and dj.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from xpinyin import Pinyin

from protocol.catalogue import Catalogue, Item

FAR = 1000
"""Ranks what is found with gaps behind what stands together."""


def find(catalogue: Catalogue, text: str) -> tuple[Item, ...]:
    """The items that `text` may mean, best first; every item when there is nothing to look for.

    First those that hold every word in name, codes, theme or department; then those whose name has the letters
    or characters of each word in their order, a letter standing for any character whose pinyin begins with it.
    """
    words = text.casefold().split()
    if not words:
        return tuple(catalogue)
    exact = catalogue.search(text)
    known = {item.id for item in exact}
    spelled = []
    for item in catalogue:
        if item.id in known:
            continue
        places = [spelled_in(item.name, word) for word in words]
        if None not in places:
            spelled.append((sum(at for at in places if at is not None), len(item.name), item.id))
    return exact + tuple(catalogue[item_id] for *_, item_id in sorted(spelled))


def spelled_in(name: str, word: str) -> int | None:
    """How well `word` spells a part of `name`: where it begins, plus `FAR` if there are gaps; None if it does not.

    With gaps four letters at least, or Chinese, and no wider than thrice the word: two letters are found in
    nearly every long name.
    """
    letters = [one for one in name.casefold() if one.isalnum()]
    for start in range(len(letters) - len(word) + 1):
        if all(_stands_for(a, b) for a, b in zip(word, letters[start:], strict=False)):
            return start
    if word.isascii() and len(word) < 4:
        return None
    spans = [
        end - start
        for start in range(len(letters))
        if _stands_for(word[0], letters[start]) and (end := _end(letters, start, word))
    ]
    return FAR + min(spans) if spans and min(spans) <= 3 * len(word) else None


def _end(letters: list[str], start: int, word: str) -> int:
    """Where `word`, begun at `start`, is complete with gaps; 0 if it never is."""
    at = start
    for one in word:
        while at < len(letters) and not _stands_for(one, letters[at]):
            at += 1
        if at == len(letters):
            return 0
        at += 1
    return at


def _stands_for(typed: str, character: str) -> bool:
    return typed == character or typed in _initials().get(character, "")


@lru_cache(maxsize=1)
def _initials() -> Mapping[str, str]:
    """For each Chinese character the letters its readings begin with, most usual first."""
    found = {
        chr(int(code, 16)): "".join(dict.fromkeys(reading[0].lower() for reading in readings.split()))
        for code, readings in Pinyin().pinyins.items()
        if len(code) == 4
    }
    return MappingProxyType(found)
