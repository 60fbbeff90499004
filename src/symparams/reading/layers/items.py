"""Tokens put together to items: words in one spelling, sizes, settings, calls, cuts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NoReturn

from ...errors import UnknownName
from ..tokens import Tokens, is_letter
from .calls import call
from .phrases import KNOWN, NOUNS, ON, SPELLED, SPELLING, STOP, TO, fused

_SPATIAL = frozenset(("conv", "deconv", "pool", "pad", "crop", "upsample", "transposed"))
_BEFORE_AXES = _SPATIAL | frozenset(
    ("max", "avg", "global", "adaptive", "depthwise", "separable", "locally", "zero", "dilated",
     "strided", "grouped", "pointwise", "kernel", "kernels", "filter", "filters")
)  # fmt: skip
# Words that a bracket may follow without making a call of it.
_WORDS = frozenset(word for text in NOUNS for word in text.split()) | STOP | ON | TO
# What no bracket around values holds.
_NO_VALUE = frozenset(("arrow", "string", "axes", "=", ":", ";", "?", "@", "%", "dot"))


class Item:
    """A word, size, setting, call, axes, phrase or cut, and where it stands.

    ``more`` is a size as one value, the axes or calls' keys; ``tag`` marks a number written
    as a word, a plural, a hard cut.
    """

    __slots__ = ("end", "kind", "more", "start", "tag", "value")

    def __init__(
        self, kind: str, value: Any, start: int, end: int, more: Any = None, tag: str = ""
    ) -> None:
        self.kind = kind
        self.value = value
        self.start = start
        self.end = end
        self.more = more
        self.tag = tag

    @property
    def extents(self) -> tuple[object, ...]:
        """The extents of a size."""
        extents: tuple[object, ...] = self.value
        return extents

    @property
    def many(self) -> bool:
        """Whether a size has several extents."""
        return len(self.extents) > 1

    @property
    def one(self) -> bool:
        """Whether a size is a single number."""
        return len(self.extents) == 1

    @property
    def window(self) -> object:
        """A size as a window: 3*3 is meant as 3x3."""
        return self.extents if self.many else self.more


# The kinds that are a layer's name.
HEADS = frozenset(("phrase", "call", "name"))


def means_nothing(item: Item) -> bool:
    """Whether an item is a cut or a word without meaning here."""
    return item.kind == "cut" or (item.kind == "word" and item.value in STOP)


class Items:
    """Tokens put together to items."""

    def __init__(self, tokens: Tokens, ids: Collection[str]) -> None:
        self.tokens = tokens
        self.ids = ids
        self.items: list[Item] = []
        self.cuts: set[int] = set()  # brackets around words

    def all(self) -> list[Item]:
        """Every item of the text, in order."""
        at = 0
        kinds = self.tokens.kinds
        while kinds[at] != "end":
            at = _READ.get(kinds[at], Items.other)(self, at)
        return self.items

    def add(self, kind: str, value: object, at: int, end: int, more: object = None,
            tag: str = "") -> int:  # fmt: skip
        """One more item, of the tokens from ``at`` to before ``end``; gives the end back."""
        tokens = self.tokens
        self.items.append(Item(kind, value, tokens.starts[at], tokens.ends[end - 1], more, tag))
        return end

    # --- words ---

    def word(self, at: int) -> int:
        """A word, an assignment, a call, a number in letters."""
        tokens = self.tokens
        raw = tokens.texts[at]
        lower = raw.lower()
        following = tokens.kinds[at + 1]
        if following == "=":
            value, end = tokens.value(at + 2)
            return self.add("set", raw, at, end, value)
        if following == "(" and tokens.glued(at + 1) and lower not in _WORDS:
            return self.call(at)
        if lower in SPELLED:
            return self.add("size", (SPELLED[lower],), at, at + 1, SPELLED[lower], "spelled")
        if lower == "followed" and tokens.texts[at + 1].lower() == "by":
            return self.add("word", "then", at, at + 2)
        lower = SPELLING.get(lower, lower)
        if lower in KNOWN:
            plural = "plural" if raw[-1] in "sS" else ""
            return self.add("word", lower, at, at + 1, self.is_id(raw), plural)
        if is_letter(raw):
            return self.size(at)
        return self.name(at, raw, lower)

    def name(self, at: int, raw: str, lower: str) -> int:
        """A phrase in one word, or a name for the doors to know."""
        found = fused(lower)
        if found is not None:
            words, axes = found
            for word in words:
                self.add("word", word, at, at + 1, self.is_id(raw))
            if axes is not None:
                self.add("axes", axes, at, at + 1)
            return at + 1
        tokens = self.tokens
        named = tokens.kinds[at + 1] == "word" and tokens.kinds[at + 2] == "="
        if self.is_id(raw) or named:
            return self.add("name", raw, at, at + 1)
        self.unknown(at, raw)

    def is_id(self, raw: str) -> bool:
        """Whether the caller knows this name."""
        return raw in self.ids or raw.lower() in self.ids

    def unknown(self, at: int, raw: str) -> NoReturn:
        """Refuse a word; the known one nearest to it is suggested."""
        import difflib  # only a refusal needs it, and it is slow to import

        known = sorted(KNOWN | SPELLING.keys() | set(self.ids))
        close = difflib.get_close_matches(raw.lower(), known, 1, 0.7)
        near = close[0] if close else None
        column = self.tokens.starts[at]
        raise UnknownName("unknown_word", text=self.tokens.text, column=column, word=raw, near=near)

    # --- sizes and brackets ---

    def size(self, at: int) -> int:
        """A size, the 2D of a 2D convolution, or a percentage."""
        tokens = self.tokens
        if self.axes_mark(at):
            return self.add("axes", int(tokens.texts[at]), at, at + 2)
        if self.fold(at):
            return self.add("size", (tokens.number(at),), at, at + 1, tokens.number(at)) + 1
        extents, value, end = tokens.size(at)
        if tokens.kinds[end] == "%" and isinstance(value, int | float):
            return self.add("size", (value / 100,), at, end + 1, value / 100)
        return self.add("size", extents, at, end, value)

    def fold(self, at: int) -> bool:
        """Whether this is the 2x of a 2x upsampling, or of upsampling 2x."""
        tokens = self.tokens
        letter = tokens.texts[at + 1] in ("x", "X") and tokens.kinds[at + 1] == "word"
        if not letter or tokens.kinds[at] != "number":
            return False
        named = any(item.value == "upsample" for item in self.items[-4:])
        word = tokens.kinds[at + 2] == "word" and not is_letter(tokens.texts[at + 2])
        return tokens.glued(at + 1) and (word or named)

    def axes_mark(self, at: int) -> bool:
        """Whether this is the 2D of a 2D convolution, and not twice d."""
        tokens = self.tokens
        if tokens.texts[at + 1] not in ("d", "D") or not tokens.glued(at + 1):
            return False
        if tokens.texts[at] not in ("1", "2", "3"):
            return False
        after = SPELLING.get(tokens.texts[at + 2].lower(), tokens.texts[at + 2].lower())
        before = self.items[-1].value if self.items else None
        return after in _BEFORE_AXES or (isinstance(before, str) and before in _SPATIAL)

    def bracket(self, at: int) -> int:
        """A bracket around values is a size, around words it cuts."""
        tokens = self.tokens
        close = tokens.closes[at]
        if tokens.kinds[at] == "{":
            tokens.refuse("layer_stray", at, shown="{")
        if not self.holds_values(at, close):
            self.cuts.add(close)
            return self.add("cut", "(", at, at + 1)
        value, end = tokens.value(at)
        if end <= close:  # (C + 1)*2 and the like
            return self.size(at)
        extents = value if isinstance(value, tuple) else (value,)
        return self.add("size", extents, at, end, value)

    def holds_values(self, at: int, close: int) -> bool:
        """Whether a bracket holds sizes and settings only."""
        inside = slice(at + 1, close)
        return close > at + 1 and all(
            is_letter(word) or word == "None" if kind == "word" else kind not in _NO_VALUE
            for kind, word in zip(self.tokens.kinds[inside], self.tokens.texts[inside], strict=True)
        )

    # --- signs ---

    def cut(self, at: int) -> int:
        """A comma, semicolon or full stop."""
        sign = self.tokens.texts[at]
        return self.add("cut", sign, at, at + 1, tag="hard" if sign == ";" else "")

    def axes(self, at: int) -> int:
        """The 2-D in front of a layer's name."""
        return self.add("axes", int(self.tokens.texts[at][0]), at, at + 1)

    def arrow(self, at: int) -> int:
        """An arrow, from size to size or from layer to layer."""
        return self.add("arrow", "->", at, at + 1)

    def other(self, at: int) -> int:
        """Closing brackets, quotation, hyphens; the rest has no place among words."""
        tokens = self.tokens
        kind, word = tokens.kinds[at], tokens.texts[at]
        if at in self.cuts:
            return self.add("cut", ")", at, at + 1)
        if kind == "string" and word[1:-1].lower() in KNOWN:
            return self.add("word", word[1:-1].lower(), at, at + 1)
        if kind == "+" and self.items:
            return self.add("word", "and", at, at + 1)
        hyphen = kind == "-" and tokens.glued(at) and tokens.glued(at + 1)
        if hyphen and tokens.kinds[at + 1] == "word":
            return at + 1
        if kind == "@":
            return self.add("at", "@", at, at + 1)
        tokens.refuse("layer_stray", at, shown=tokens.shown(at))

    # --- calls ---

    def call(self, at: int) -> int:
        """A call: ``Conv2D(64, 3)``."""
        args, keys, end = call(self.tokens, at, 0)
        return self.add("call", self.tokens.texts[at], at, end, (args, keys))


_READ = {
    "word": Items.word,
    "number": Items.size,
    "greek": Items.size,
    "(": Items.bracket,
    "[": Items.bracket,
    "{": Items.bracket,
    "axes": Items.axes,
    "arrow": Items.arrow,
    **dict.fromkeys((",", ";", ":", "?", "dot"), Items.cut),
}
