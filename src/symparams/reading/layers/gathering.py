"""What the words of one layer say: settings at once, each size with its noun and its role."""

from __future__ import annotations

from .items import Item
from .matching import NOUN_ROWS, SETTING_ROWS, find
from .phrases import (
    ADJECTIVES,
    BARE,
    COUNTS,
    FILTERS,
    NOTHING_BARE,
    NOUNS,
    ON,
    SETTINGS,
    SILENT,
    SPELLING,
    STOP,
    TO,
)
from .sheet import Said, Sheet

_BEFORE_SIZE = frozenset(("of", "is", "size", "are", "at", ":"))  # between a noun and its size
_ARTICLES = frozenset(("a", "the", "any", "of"))


class Gathering:
    """The items of one layer, read from left to right.

    Each method that takes ``at`` reads what begins there and returns the item after it, or 0.
    """

    def __init__(self, sheet: Sheet, items: list[Item]) -> None:
        self.sheet = sheet
        self.items = items
        self.said: list[Said] = []
        self.open: set[str] = set()  # keys said both ways
        self.adjectives: list[str] = []
        self.role = ""  # of the next size
        self.last: Said | None = None
        self.source: Said | None = None  # what stands before "to"
        self.named = False

    def gather(self) -> None:
        """Read every item."""
        sheet = self.sheet
        at = 0
        while at < len(self.items):
            item = self.items[at]
            if item.kind == "word":
                at = self.word(at)
                continue
            if item.kind == "size":
                at = self.size(at)
                continue
            if item.kind == "cut":
                self.role, self.last, self.source = "", None, None
            elif item.kind == "arrow":
                self.towards()
            elif item.kind == "axes":
                sheet.put("axes", item.value, item.start)
            elif item.kind == "set":
                sheet.put(self.key(str(item.value)), item.more, item.start)
            elif item is sheet.head:
                self.named, self.last = True, None
            elif item.kind == "at":
                sheet.refuse("layer_stray", item, shown="@")
            at += 1

    def key(self, written: str) -> str:
        """An assignment's key; among words it is one with the noun it stands for."""
        if self.sheet.style != "words":
            return written
        noun = NOUNS.get(SPELLING.get(written, written), written)
        if noun in FILTERS:
            return "out_channels"
        return written if noun.isupper() else noun

    # --- words ---

    def word(self, at: int) -> int:
        """A word and those that belong to it."""
        after = self.setting(at) or self.noun(at)
        if after:
            return after
        item = self.items[at]
        word = str(item.value)
        if word in ON:
            self.role = "on"
        elif word in TO:
            if at and self.items[at - 1].value == "applied":
                self.role = "on"
            else:
                self.towards()
        elif word == "from":
            self.role = "from"
        elif word in ADJECTIVES:
            self.adjectives.append(word)
        elif word not in STOP:
            self.sheet.refuse("word_out_of_place", item, word=self.sheet.written(item))
        return at + 1

    def towards(self) -> None:
        """What was said last may be where it comes from, what follows is where it goes."""
        self.source = self.last
        self.role = "to"

    def setting(self, at: int) -> int:
        """A setting in words, its articles skipped."""
        if self.items[at].value not in SETTING_ROWS:
            return 0
        found = find(self.items, at, SETTING_ROWS, loose=True) or self.spoken(at)
        if found is None:
            return 0
        (key, value), last = SETTINGS[found[0]], found[1][-1]
        if any(item.kind == "size" for item in self.items[at:last]):
            return 0
        if value is None:
            self.open.add(key)
        else:
            self.sheet.put(key, value, self.items[at].start)
        return last + 1

    def spoken(self, at: int) -> tuple[str, list[int]] | None:
        """A setting with articles between its words, and its places: without any bias."""
        plain = [i for i in range(at, min(at + 5, len(self.items)))
                 if self.items[i].value not in _ARTICLES]  # fmt: skip
        found = find([self.items[i] for i in plain], 0, SETTING_ROWS)
        return (found[0], [plain[i] for i in found[1]]) if found else None

    # --- nouns and sizes ---

    def noun(self, at: int) -> int:
        """A noun and the size after it."""
        found = find(self.items, at, NOUN_ROWS)
        if found is None:
            return 0
        noun, here = NOUNS[found[0]], found[1][-1] + 1
        value = self.value_after(here)
        if value is not None:
            self.say(Said(self.items[value], noun, noun_first=True))
            return value + 1
        if noun not in SILENT or "_" in found[0]:
            item = self.items[at]
            self.sheet.refuse("noun_needs_value", item, noun=self.sheet.written(item))
        return here

    def value_after(self, at: int) -> int | None:
        """Where the size stands that a noun at the left takes, or None."""
        while at < len(self.items) and self.items[at].value in _BEFORE_SIZE:
            at += 1
        return at if at < len(self.items) and self.items[at].kind == "size" else None

    def size(self, at: int) -> int:
        """A size and the noun after it, if that noun takes no size of its own."""
        item = self.items[at]
        following = self.items[at + 1] if at + 1 < len(self.items) else None
        if following is not None and following.kind == "at":
            return self.count_at(at)
        if following is not None and item.more == 1 and following.value == "bias":
            return at + 1
        found = find(self.items, at + 1, NOUN_ROWS) if following is not None else None
        if found is None:
            self.say(Said(item))
            return at + 1
        noun, here = NOUNS[found[0]], found[1][-1] + 1
        if (noun not in COUNTS or noun == "FILTER") and self.takes_value(here):
            self.say(Said(item))
            return at + 1
        if self.last is not None and (noun in FILTERS or noun == "kernel_size"):
            self.count_before(self.last, item)
        self.say(Said(item, noun))
        return here

    def takes_value(self, at: int) -> bool:
        """Whether the noun before takes the size here: not in "5x5 kernel 64 filters"."""
        value = self.value_after(at)
        if value is None or value + 1 >= len(self.items):
            return value is not None
        found = find(self.items, value + 1, NOUN_ROWS)
        return found is None or NOUNS[found[0]] not in COUNTS or NOUNS[found[0]] == "INPUT"

    def count_before(self, last: Said, item: Item) -> None:
        """A number just before a size with its noun counts filters: 32 3x3 kernels."""
        bare = last.noun == last.role == "" and last.item.one
        if bare and item.many and last.item.end + 2 > item.start:
            last.noun = "FILTERS"

    def count_at(self, at: int) -> int:
        """The notation 16@5x5: filters, then their kernel."""
        if at + 2 >= len(self.items) or self.items[at + 2].kind != "size":
            self.sheet.refuse("layer_stray", self.items[at + 1], shown="@")
        self.say(Said(self.items[at], "FILTERS"))
        self.say(Said(self.items[at + 2], "kernel_size"))
        return at + 3

    def say(self, said: Said) -> None:
        """One more size; what stands between it and the one before gives both their roles."""
        said.role, self.role = self.role, ""
        said.named = self.named
        many, last, source = said.item.many, self.last, self.source
        if said.role == "to" and source is not None and source.role == "":
            if many == source.item.many or BARE.get(self.sheet.name, NOTHING_BARE)[0] is None:
                source.role = "from"
        elif said.noun == said.role == "" and many and last and last.noun in FILTERS:
            said.noun = "FILTER"  # 64 filters, each 5x5
        self.source = None
        self.said.append(said)
        self.last = said
