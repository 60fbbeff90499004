"""Numbers: worked out line by line where there is no letter, joined and tidied beside one."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from ..algebra import value
from ..terms import Neg, Num, Path, Prod, Quot, Sum, Term, at, children, letters, rebuild
from .chains import ONES, Phase, Place, joined_line, line_of
from .numbers import is_plain, joined_numbers, tidied, worked
from .rewrite import Rewrite
from .rules import CHOICE, ROUND, RULES


@functools.lru_cache(maxsize=4096)
def tidy(term: Term) -> Term:
    """Ones and zeros dropped and loose numbers joined; nothing else is touched.

    >>> from symparams.terms import Floor, Num, Sym
    >>> k, h = Sym("k"), Sym("H")
    >>> tidy(Num(1) * (k - 1) + 1) == k, tidy(2 * (k - 1)) == 2 * (k - 1)
    (True, True)
    >>> tidy(Floor((h + 2 * Num(1) - 3) / 1) + 1) == h
    True
    """
    while (new := _folded(tidied(term))) != term:
        term = new
    return term


_INSIDE = (("multiply", "numbers"), ("collect", "floor"))  # also folded where a floor is


def _folded(node: Term, inside: bool = False) -> Term:
    """Numbers joined beside letters; what is all numbers is left for somebody to work out."""
    if not letters(node) and not inside:
        return node
    within = inside or isinstance(node, ROUND)
    parts = children(node)
    fresh = tuple(_folded(part, within) for part in parts)
    if fresh != parts:
        node = rebuild(node, fresh)
    if isinstance(node, Sum):
        numbers = [t for t in node.terms if (is_plain(t) if within else _is_loose(t))]
        found = joined_numbers(node, numbers) if len(numbers) < len(node.terms) else worked(node)
    else:
        tried = (RULES[name].local(node) for name in _INSIDE if within)
        found = next((found for found in tried if found is not None), None)
    return found.term if found else node


def _is_loose(node: Term) -> bool:
    inner = node.term if isinstance(node, Neg) else node
    return isinstance(inner, Num) or (isinstance(inner, Quot) and is_plain(inner))


_WORKED = (Phase.of("cancel", "numbers"), Phase.of("multiply", "numbers", "floor"))
_SUMMED = Phase.of("add", "numbers")


def numeric(term: Term) -> tuple[Rewrite, ...]:
    """A Term without letters worked out line by line, innermost brackets first.

    >>> from symparams.terms import Floor, Num
    >>> [line.rule for line in numeric(Num(256) * (3 * Num(3) * 128))]
    ['multiply', 'multiply']
    >>> numeric(Floor((100 + 2 * Num(1) - 3) / 1) + 1)[-1].after
    Num(value=100)

    Raises:
        Error: there is a letter in it, or a division by zero.
        TooLarge: a number is beyond what anybody writes.
    """
    value(term)  # refuses what has no value before anything is shown
    lines: list[Rewrite] = []
    while True:
        # A factor 1 or a quotient by 1 is worked out here like any other, not dropped.
        line = joined_line(term, _next_numbers(term), clean=False) or line_of(ONES, term)
        if line is None:
            return tuple(lines)
        lines.append(line)
        term = line.after


def _next_numbers(term: Term) -> list[Place]:
    """Every innermost bracket; without brackets the products, and then the sum."""
    brackets = list(_innermost(term))
    if brackets:
        met = [done for path in brackets for done in _at_once(term, path)]
        return sorted(met, key=lambda done: done[1].id != "add")  # a sum names the line
    products = [done for path in _summands(term) for done in _at_once(term, path)]
    return products or _at_once(term, ())


def _at_once(term: Term, path: Path) -> list[Place]:
    node = at(term, path)
    for phase in (_SUMMED,) if isinstance(node, Sum) else _WORKED:
        if (here := phase.here(node)) is not None:
            return [(path, *here)]
    return []


def _summands(term: Term) -> Iterator[Path]:
    parts: list[tuple[Path, Term]] = [((), term)]
    if isinstance(term, Sum):
        parts = [((position,), part) for position, part in enumerate(term.terms)]
    for path, part in parts:
        while isinstance(part, Neg):
            path, part = (*path, 0), part.term
        if not isinstance(part, Sum):
            yield path


def _innermost(node: Term, parent: Term | None = None, path: Path = ()) -> Iterator[Path]:
    """The brackets that hold no bracket."""
    over = parent if isinstance(node, Neg) and isinstance(parent, Sum | None) else node
    below = [
        found
        for position, part in enumerate(children(node))
        for found in _innermost(part, over, (*path, position))
    ]
    if below:
        yield from below
    elif _is_bracket(node, parent, path):
        yield path


def _is_bracket(node: Term, parent: Term | None, path: Path) -> bool:
    if isinstance(node, CHOICE):
        return True
    if isinstance(node, Prod):
        return not isinstance(parent, Sum | None)
    return isinstance(node, Sum) and path != ()
