"""Where the rows of the tables - "global avg pool", "pool size" - stand among the items."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .items import Item
from .phrases import ADJECTIVES, ASKED, NOUNS, PHRASES, SETTINGS


def _by_first(table: Collection[str]) -> dict[str, list[tuple[str, ...]]]:
    """Rows of words by their first word, the longest row first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for row in sorted((tuple(text.split()) for text in table), key=len, reverse=True):
        found.setdefault(row[0], []).append(row)
    return found


PHRASE_ROWS = _by_first(PHRASES)
NOUN_ROWS = _by_first(NOUNS)
SETTING_ROWS = _by_first(SETTINGS)
ASKED_ROWS = _by_first(ASKED)


def _between(item: Item, sought: str) -> bool:
    """Whether an item may stand between two words of a row: not the word that is sought."""
    small = item.kind in ("size", "axes") or item.value in ("a", "the", "layer")
    return item.value != sought and (small or item.value in ADJECTIVES)


def _matched(items: list[Item], at: int, row: tuple[str, ...], loose: bool) -> list[int]:
    """Where the words of a row stand from here on, or nothing.

    ``loose`` lets sizes, axes and articles stand between, as in "depthwise 3x3 convolution".
    """
    places = [at]
    for word in row[1:]:
        here = places[-1] + 1
        while loose and here < len(items) and here - places[-1] < 4 and _between(items[here], word):
            here += 1
        if here >= len(items) or items[here].kind != "word" or items[here].value != word:
            return []
        places.append(here)
    return places


def find(
    items: list[Item], at: int, rows: Mapping[str, list[tuple[str, ...]]], loose: bool = False
) -> tuple[str, list[int]] | None:
    """The longest row of a table that stands here, and its places."""
    if items[at].kind != "word" or items[at].value not in rows:
        return None
    following = [item.value for item in items[at + 1 : at + 5]]
    for row in rows[items[at].value]:
        if len(row) > 1 and row[1] not in following:
            continue
        places = _matched(items, at, row, loose)
        if places:
            return " ".join(row), places
    return None
