"""The rules that strike out what stands above and below a bar, or twice with opposite signs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ..terms import Neg, Num, Path, Pow, Prod, Quot, Sum, Term, at, total
from .monomials import Factor, Monomial, alike, factors_of, gathered, written
from .rewrite import Found, Pairs


def cancel(node: Prod | Quot) -> Found | None:
    """Letters above and below struck, and numbers reduced in the same line."""
    struck = _struck_letters(node) if _is_fraction(node) else ()
    return Found(_reduced(node), struck + _struck_numbers(node)) if struck else None


def cancel_numbers(node: Prod | Quot) -> Found | None:
    """18/24 = 3/4."""
    struck = _struck_numbers(node) if _is_fraction(node) else ()
    return Found(_reduced(node), struck) if struck else None


def _is_fraction(node: Term) -> bool:
    """Whether anything at all is below a bar."""
    if isinstance(node, Prod):
        return any(map(_is_fraction, node.factors))
    if isinstance(node, Pow):
        return isinstance(node.exp, Neg) or _is_fraction(node.base)
    return isinstance(node, Quot) or (isinstance(node, Neg) and _is_fraction(node.term))


def _reduced(node: Term) -> Term:
    monomial = gathered(node)
    monomial.coefficient = Fraction(monomial.top, monomial.bottom)
    return written(monomial)


def _struck_letters(node: Term) -> Pairs:
    above: dict[Any, list[Factor]] = {}
    below: dict[Any, list[Factor]] = {}
    for factor in factors_of(node):
        if not isinstance(factor.key, Num):
            side = above if factor.exponent > 0 else below
            side.setdefault(factor.key, []).append(factor)
    pairs: list[tuple[Path, ...]] = []
    for key, tops in above.items():
        if key in below:
            pairs += _struck(node, tops, below[key])
    return tuple(pairs)


def _struck(node: Term, tops: list[Factor], bottoms: list[Factor]) -> list[tuple[Path, ...]]:
    """Equal powers in pairs; what is left on one side against what is left on the other."""
    pairs: list[tuple[Path, ...]] = []
    left = list(bottoms)
    over: list[Factor] = []
    for top in tops:
        equal = next((b for b in left if b.exponent == -top.exponent), None)
        if equal is None:
            over.append(top)
        else:
            left.remove(equal)
            pairs.append((top.path, equal.path))
    if over and left:
        depth = min(sum(t.exponent for t in over), -sum(b.exponent for b in left))
        pairs.append((*_taken(node, over, depth), *_taken(node, left, depth)))
    return pairs


def _taken(node: Term, factors: list[Factor], depth: int) -> Iterator[Path]:
    for path, _, exponent in factors:
        if depth <= 0:
            return
        whole = abs(exponent) <= depth
        depth -= abs(exponent)
        yield path if whole or not isinstance(at(node, path), Pow) else (*path, 1)


def _struck_numbers(node: Term) -> Pairs:
    above: list[tuple[Path, int]] = []
    below: list[tuple[Path, int]] = []
    for path, key, exponent in factors_of(node):
        if isinstance(key, Num):
            size = Monomial()
            size.number(abs(key.value), abs(exponent))
            (above if exponent > 0 else below).append((path, size.top))
    pairs: list[tuple[Path, ...]] = []
    for top in list(above):
        equal = next((b for b in below if b[1] == top[1] > 1), None)
        if equal is not None:
            above.remove(top)
            below.remove(equal)
            pairs.append((top[0], equal[0]))
    sides = math.prod(n for _, n in above), math.prod(n for _, n in below)
    if (divisor := math.gcd(*sides)) > 1 and above and below:
        pairs.append(tuple(p for p, n in (*above, *below) if math.gcd(n, divisor) > 1))
    return tuple(pairs)


def cancel_summands(node: Sum) -> Found | None:
    """A - a = 0."""
    pairs: list[tuple[Path, ...]] = []
    for group in alike(node).values():
        waiting: dict[Fraction, list[int]] = {}
        for position, monomial in group:
            size = monomial.coefficient
            if waiting.get(-size):
                pairs.append(((waiting[-size].pop(0),), (position,)))
            else:
                waiting.setdefault(size, []).append(position)
    pairs.sort()
    gone = {path[0] for pair in pairs for path in pair}
    kept = (t for position, t in enumerate(node.terms) if position not in gone)
    return Found(total(*kept), tuple(pairs)) if pairs else None
