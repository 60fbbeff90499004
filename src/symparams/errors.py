"""One base for every refusal: what was wrong, where, and what was expected.

A refusal is an id and facts, like everything that is said; its sentence stands in
``templates/words/<language>/errors.toml``.
"""

from __future__ import annotations

from typing import Any

from . import words


class Error(Exception):
    """The base of all errors of symparams.

    ``id`` names the sentence, ``facts`` are what it mentions; ``text`` and ``column`` say
    where (the column counts from 0 and is drawn as a caret), for what somebody typed.
    """

    def __init__(
        self, identity: str, /, *, text: str | None = None, column: int | None = None, **facts: Any
    ) -> None:
        self.id = identity
        self.facts = facts
        self.text = text
        self.column = column
        super().__init__(identity)

    @property
    def sentence(self) -> str:
        """The refusal in one sentence."""
        return _printable(words.plain(f"errors.{self.id}", self.facts))

    def __str__(self) -> str:
        if self.column is None or self.text is None or not self.text.strip():
            return self.sentence
        shown, column = _window(self.text, self.column)
        return f"{self.sentence}\n    {shown}\n    {' ' * column}^"

    def at(self, text: str, column: int) -> Error:
        """The same refusal with the place in what somebody typed."""
        return type(self)(self.id, text=text, column=column, **self.facts)


class DeclarationError(Error):
    """A layer was declared wrongly: a fault of the declaration, not of its user."""


class UnreadableError(Error):
    """A text cannot be read."""


class ValueRefused(Error):
    """A value cannot be used for a symbol: it is no size, or it fits nothing else given."""


class UnknownName(Error):
    """A name that no layer, key or symbol has."""


class VerificationError(Error):
    """A step did not verify; nothing is printed from it."""


def _printable(sentence: str, width: int = 600) -> str:
    """A sentence that quotes what somebody typed, on one line and without control characters."""
    cut = sentence if len(sentence) <= width else f"{sentence[:width]} ..."
    return "".join(c if c.isprintable() else "?" for c in cut)


def _window(text: str, column: int, width: int = 64) -> tuple[str, int]:
    """A line of printable text around a column, and where the column is in it."""
    flat = "".join(c if c.isprintable() else " " for c in text)
    start = max(0, min(column - width // 2, len(flat) - width))
    return flat[start : start + width], column - start
