"""Algebra as people type it, read into ink: every factor, bracket and order is kept.

One regular expression cuts the text into tokens, a Pratt parser puts them together.  Nothing
is evaluated; every limit is checked before anything is built from what it limits.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...terms import Path, Term, children
from ..refusals import refuse
from .parser import MAX_DEPTH, Parser, Span
from .scanner import Scanner


def read(
    text: str, names: frozenset[str] | None = None, aliases: Mapping[str, str] | None = None
) -> Term:
    """The expression somebody typed.

    ``aliases`` maps what may be typed to a letter's plain name.  With ``names``, letters
    written together are told apart (``12Ld`` is 12 L d) and other names are refused.

    >>> read("2C_in + 1")
    Sum(terms=(Prod(factors=(Num(value=2), Sym(name='C_in'))), Num(value=1)))
    >>> read("Ld", frozenset({"L", "d"}))
    Prod(factors=(Sym(name='L'), Sym(name='d')))
    """
    return _parsed(text, names, aliases)[0]


def read_with_spans(
    text: str, names: frozenset[str] | None = None, aliases: Mapping[str, str] | None = None
) -> tuple[Term, dict[Path, Span]]:
    """The expression, and where in the text each sub-term stands, its brackets included.

    >>> read_with_spans("2*(k + 1)")[1][(1,)]
    (2, 9)
    """
    whole, spans = _parsed(text, names, aliases)
    places: dict[Path, Span] = {}
    waiting: list[tuple[Path, Term]] = [((), whole)]
    while waiting:
        path, node = waiting.pop()
        places[path] = spans[id(node)]
        waiting.extend(((*path, i), part) for i, part in enumerate(children(node)))
    return whole, places


def _parsed(
    text: str, names: frozenset[str] | None, aliases: Mapping[str, str] | None
) -> tuple[Term, dict[int, Span]]:
    scanner = Scanner(text, names, aliases or {})
    scanner.scan()
    parser = Parser(scanner)
    try:
        return parser.whole(), parser.spans
    except RecursionError:  # only when the caller's own stack was nearly full
        refuse("too_deep", text, parser.starts[parser.at], limit=MAX_DEPTH)
