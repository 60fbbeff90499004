"""What a page is made of: data that renderers show and never compute with.

A sentence is an id with facts; a fact is a Term or one of the small kinds below.  The
words are in ``templates/``, the mathematics in Terms, the look in ``render``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..terms import Term


@dataclass(frozen=True)
class Say:
    """A sentence by its id, with the facts it mentions."""

    id: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dims:
    """Sizes side by side: a shape, ``100 x 100 x 128``."""

    sizes: tuple[Term, ...]


@dataclass(frozen=True)
class Indices:
    """Index letters in brackets: ``(o, p, q)``."""

    letters: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """Sizes with commas between them."""

    sizes: tuple[Term, ...]


@dataclass(frozen=True)
class Change:
    """What an assumption does to a factor, ``100*100 -> 3*3``; never an equality."""

    before: Term
    after: Term
    rule: str


@dataclass(frozen=True)
class Changed:
    """A product with the changed factor in its place: ``256*(100*100 -> 1)*1152``."""

    before: tuple[Term, ...]
    change: Change
    after: tuple[Term, ...]


@dataclass(frozen=True)
class Formula:
    """A Term set as a formula: letters side by side, powers, no explicit product signs."""

    term: Term


@dataclass(frozen=True)
class Letter:
    """A tensor's letter or an index letter in running text."""

    name: str


@dataclass(frozen=True)
class Bytes:
    """A number of bytes, in decimal kB, MB, GB."""

    count: int


@dataclass(frozen=True)
class Para:
    """A sentence of a block; an aside is set back, a change is set at the right."""

    say: Say
    aside: bool = False
    change: Change | None = None


@dataclass(frozen=True)
class Equation:
    """A displayed equation."""

    term: Term


@dataclass(frozen=True)
class Row:
    """One aligned line, ``label   left = right   note``; strong where it is an answer.

    ``left`` is None where a line goes on from the one above it.
    """

    left: Term | Changed | Formula | None
    right: Term | None = None
    label: Say | None = None
    note: Say | None = None
    strong: bool = False
    cancelled: tuple[tuple[int, ...], ...] = ()
    sign: str = "="


@dataclass(frozen=True)
class Rows:
    """Aligned lines; a chain goes on line by line from the one expression it begins with."""

    rows: tuple[Row, ...]
    chain: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a head; cells are sentences, Terms or facts.  The last row may total."""

    head: tuple[Say, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: bool = False


Item = Para | Equation | Rows | Table


@dataclass(frozen=True)
class Block:
    """A subgoal with its lines; ``kind`` says whether it is an equality or an assumption."""

    label: Say
    items: tuple[Item, ...]
    kind: str = ""


@dataclass(frozen=True)
class Page:
    """Everything a derivation shows, in order."""

    title: Say
    subtitle: Say | None = None
    blocks: tuple[Block, ...] = ()
    answer: Para | None = None
    callout: Say | None = None
    callout_title: Say | None = None
    formula: tuple[Say, ...] = ()
    warnings: tuple[Say, ...] = ()
