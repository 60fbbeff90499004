"""Which items belong to which layer: phrases found, cuts between layers told from commas."""

from __future__ import annotations

from ..refusals import refuse
from .items import HEADS, Item, means_nothing
from .matching import ASKED_ROWS, NOUN_ROWS, PHRASE_ROWS, SETTING_ROWS, find
from .phrases import HAS_WINDOW, PHRASES, STOP

MAX_LAYERS = 1_000

_OF_WINDOWS = frozenset(
    ("kernel", "kernels", "filter", "filters", "stride", "dilation", "groups", "maps")
)


class Grouping:
    """The items of a text, and which layers they were grouped to so far."""

    def __init__(self, text: str, items: list[Item]) -> None:
        self.text = text
        self.items = items
        self.layers: list[list[Item]] = []
        self.prefix: list[Item] = []  # what is said before any layer is named
        self.padded: bool | None = None  # whether the last layer can be; None before any
        self.called = False  # whether the last layer was a call
        self.named = 0

    def all(self) -> list[list[Item]]:
        """The items of each layer."""
        self.mark()
        hard: Item | None = None
        for cut, chunk in self.chunks():
            if cut is not None and cut.tag == "hard":
                hard = cut
            if chunk:
                self.take(cut, hard, chunk)
                hard = None
        if not self.layers:
            self.implied()
        return self.layers

    def mark(self) -> None:
        """Phrases become one item each; settings such as "no padding" are no phrases."""
        fresh: list[Item] = []
        taken: set[int] = set()
        at = 0
        while at < len(self.items):
            if at in taken:
                at += 1
            elif asked := self.asked(at):
                at += asked
            elif found := self.phrase(at):
                phrase, places = found
                item, last = self.items[at], self.items[places[-1]]
                fresh.append(Item("phrase", phrase, item.start, last.end, item.more, last.tag))
                self.passed(fresh[-1])
                taken.update(places)
                at += 1
            else:
                step = self.untouched(at)
                fresh += self.items[at : at + step]
                self.passed(self.items[at])
                at += step
        self.items = fresh

    def asked(self, at: int) -> int:
        """How many items from here only say what is asked."""
        found = find(self.items, at, ASKED_ROWS)
        return len(found[1]) if found and self.ends(found[1][-1] + 1) else 0

    def ends(self, at: int) -> bool:
        """Whether nothing more is said up to the next cut."""
        while at < len(self.items) and self.items[at].value in STOP:
            at += 1
        return at >= len(self.items) or self.items[at].kind == "cut"

    def untouched(self, at: int) -> int:
        """How many items from here are a setting or a noun, to be left as they are."""
        found = find(self.items, at, SETTING_ROWS) or find(self.items, at, NOUN_ROWS)
        return len(found[1]) if found else 1

    def phrase(self, at: int) -> tuple[str, list[int]] | None:
        """The phrase that stands here and its places, if it names a layer."""
        found = find(self.items, at, PHRASE_ROWS, loose=True)
        if found is None:
            return None
        noun = find(self.items, at, NOUN_ROWS)
        if noun is not None and len(noun[1]) >= len(found[1]) and noun[0] not in PHRASES:
            return None  # "pool size"
        if PHRASES[found[0]] == "pad" and self.is_key(at, found[0]):
            return None
        return found

    def is_key(self, at: int, phrase: str) -> bool:
        """Whether "padding 1" says something about another layer, before or after it."""
        before = self.items[at - 1].value if at else None
        if before in ("same", "valid", "causal", "no", "without"):
            return True
        if self.padded is None:  # no layer yet: is one with a window spoken of?
            return any(item.value in _OF_WINDOWS for item in self.items[max(at - 60, 0) : at])
        return self.padded or (self.called and phrase == "pad")

    def passed(self, item: Item) -> None:
        """Remember whether the layer that was named last can be padded."""
        self.named += item.kind in HEADS
        if self.named > MAX_LAYERS:
            refuse("too_many_layers", self.text, item.start, limit=MAX_LAYERS)
        if item.kind == "phrase":
            self.padded = PHRASES[item.value] in HAS_WINDOW
            self.called = False
        elif item.kind in HEADS:
            self.padded, self.called = False, True
        elif item.tag == "hard" or item.value == "then":
            self.padded = False if self.padded is not None else None

    def chunks(self) -> list[tuple[Item | None, list[Item]]]:
        """The items between cuts, each with the cut before it."""
        found: list[tuple[Item | None, list[Item]]] = [(None, [])]
        phrased = False  # a layer stands in this chunk already
        for at, item in enumerate(self.items):
            if item.value == "then" or (item.kind == "arrow" and self.separates(at, phrased)):
                item = Item("cut", item.value, item.start, item.end, tag="hard")
            if item.kind == "cut":
                found.append((item, []))
                phrased = False
            else:
                phrased = phrased or item.kind in HEADS
                found[-1][1].append(item)
        return found

    def separates(self, at: int, phrased: bool) -> bool:
        """Whether this arrow leads to the next layer, and not from size to size."""
        sizes = 0
        for here in range(at + 1, len(self.items)):
            item = self.items[here]
            if item.kind in HEADS:
                return phrased or not sizes
            if item.kind == "size":
                sizes += 1
            elif item.kind != "axes" and not (item.kind == "word" and item.value in STOP):
                return False
            if sizes > 1:
                return False
        return False

    def take(self, cut: Item | None, hard: Item | None, chunk: list[Item]) -> None:
        """One chunk: a new layer, several, or more about the one before."""
        heads = [at for at, item in enumerate(chunk) if item.kind in HEADS]
        if not heads:
            if not self.layers:
                self.prefix += [*([cut] if cut else []), *chunk]
            elif hard is not None and any(item.kind == "size" for item in chunk):
                refuse("no_layer_here", self.text, chunk[0].start)
            else:
                self.layers[-1] += [*([cut] if cut else []), *chunk]
            return
        begin = 0
        for head in heads[1:]:
            split = self.split(chunk, begin, head)
            self.start(cut, chunk[begin:split])
            begin = split
        self.start(cut, chunk[begin:])

    def split(self, chunk: list[Item], begin: int, head: int) -> int:
        """Where a second layer of one chunk begins: after the last "and", else at its name."""
        for at in range(head - 1, begin, -1):
            if chunk[at].kind in HEADS:
                break
            if chunk[at].value == "and" and chunk[at - 1].value != "with":
                return at
        return head

    def start(self, cut: Item | None, chunk: list[Item]) -> None:
        """A new layer, with what was said before the first."""
        if self.prefix:
            for item in self.prefix:
                item.tag = item.tag or "prefix"
            chunk = [*self.prefix, *([cut] if cut else []), *chunk]
            self.prefix = []
        self.layers.append(chunk)

    def implied(self) -> None:
        """Filters and kernels without a layer's name are a convolution's."""
        said = {item.value for item in self.prefix}
        if not said & {"filter", "filters", "kernel", "kernels", "maps"}:
            column = next((i.start for i in self.prefix if not means_nothing(i)), 0)
            refuse("no_layer", self.text, column)
        end = self.prefix[-1].end
        self.layers.append([*self.prefix, Item("phrase", "conv", end, end)])
