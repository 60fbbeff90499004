"""How a text is refused: at a place, with a short piece of it shown."""

from __future__ import annotations

from typing import NoReturn

from ..errors import UnreadableError


def refuse(identity: str, text: str, column: int, **facts: object) -> NoReturn:
    """Refuse a text at a place."""
    raise UnreadableError(identity, text=text, column=column, **facts)


def short(word: str, width: int = 40) -> str:
    """A piece of a text as a refusal shows it."""
    return word if len(word) <= width else word[: width - 1] + "…"
