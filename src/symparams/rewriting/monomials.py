"""Monomials: numbers and powers of letters gathered from a Term, and written in reading order."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from ..algebra import MAX_BITS, TooLarge, canonical
from ..errors import Error
from ..terms import (
    ZERO,
    Ceil,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Path,
    Pow,
    Prod,
    Quot,
    Sum,
    Sym,
    Term,
    product,
    walk,
)

MAX_WRITTEN = 256  # summands; nobody reads more


@dataclass(slots=True)
class Monomial:
    """``top/bottom`` times powers; a power is found by a key that equal brackets share."""

    top: int = 1
    bottom: int = 1
    powers: dict[Any, tuple[Term, int]] = field(default_factory=dict)

    def number(self, size: int, exponent: int) -> None:
        """Multiply by a power of a number."""
        if exponent < 0 and size == 0:
            raise Error("division_by_zero")
        if abs(exponent) * max(abs(size).bit_length() - 1, 0) > MAX_BITS:
            raise TooLarge("too_large")
        raised = size ** abs(exponent)
        if exponent > 0:
            self.top *= raised
        elif raised < 0:
            self.top, self.bottom = -self.top, self.bottom * -raised
        else:
            self.bottom *= raised

    def times(self, key: Any, base: Term, exponent: int) -> None:
        """Multiply by a power of a letter or of a bracket."""
        old = self.powers.get(key)
        self.powers[key] = (base, exponent) if old is None else (old[0], old[1] + exponent)

    @property
    def coefficient(self) -> Fraction:
        """The number in front, reduced."""
        return Fraction(self.top, self.bottom)

    @coefficient.setter
    def coefficient(self, number: Fraction) -> None:
        self.top, self.bottom = number.numerator, number.denominator

    @property
    def key(self) -> frozenset[tuple[Any, int]]:
        """What like terms share: everything but the number in front."""
        return frozenset((key, e) for key, (_, e) in self.powers.items() if e)


def gathered(*nodes: Term) -> Monomial:
    """The product of the nodes, in the order of first writing; numbers are not yet reduced."""
    out = Monomial()
    for node in nodes:
        _gather(node, 1, out)
    return out


def _gather(node: Term, exponent: int, out: Monomial) -> None:
    if isinstance(node, Sym):
        out.times(node, node, exponent)
    elif isinstance(node, Num):
        out.number(node.value, exponent)
    elif isinstance(node, Prod):
        for factor in node.factors:
            _gather(factor, exponent, out)
    elif isinstance(node, Quot):
        _gather(node.num, exponent, out)
        _gather(node.den, -exponent, out)
    elif isinstance(node, Neg):
        out.top *= -1 if exponent % 2 else 1
        _gather(node.term, exponent, out)
    elif isinstance(node, Pow) and (size := integer(node.exp)) is not None:
        _gather(node.base, exponent * size, out)
    else:
        out.times(key_of(node), node, exponent)


def integer(node: Term) -> int | None:
    """The number that is written, or None."""
    if isinstance(node, Num):
        return node.value
    if isinstance(node, Neg) and isinstance(node.term, Num):
        return -node.term.value
    return None


_OPAQUE = (Sum, Floor, Ceil, Min, Max)


def key_of(node: Term) -> Any:
    """``a + b`` and ``b + a`` are one bracket."""
    return _bracket_key(node) if isinstance(node, _OPAQUE) else node


@functools.lru_cache(maxsize=4096)
def _bracket_key(node: Term) -> Any:
    if is_long(node):
        return node
    try:
        return canonical(node)
    except Error:
        return node


def is_long(node: Term) -> bool:
    """Whether the judge would have to write out more than anybody reads."""
    return any(written_out(part) > MAX_WRITTEN for _, part in walk(node))


def written_out(node: Term) -> int:
    """How many summands there are when every bracket is multiplied out."""
    if isinstance(node, Sum):
        return sum(map(written_out, node.terms))
    if isinstance(node, Prod):
        return math.prod(map(written_out, node.factors))
    if isinstance(node, Quot):
        return written_out(node.num) * written_out(node.den)
    if isinstance(node, Neg):
        return written_out(node.term)
    if not isinstance(node, Pow) or (count := written_out(node.base)) == 1:
        return 1
    size = min(abs(integer(node.exp) or 1), MAX_WRITTEN)
    return math.comb(size + min(count, MAX_WRITTEN) - 1, size)


def written(monomial: Monomial) -> Term:
    """Numbers first, then letters of the kernel, powers, letters, and brackets last."""
    tops: list[Term] = []
    bottoms: list[Term] = []
    for base, exponent in sorted(monomial.powers.values(), key=_rank):
        if exponent > 0:
            tops.append(base if exponent == 1 else Pow(base, Num(exponent)))
        elif exponent < 0:
            bottoms.append(base if exponent == -1 else Pow(base, Num(-exponent)))
    size = abs(monomial.top)
    if size == 0:
        return ZERO
    if size != 1 or not tops:
        tops.insert(0, Num(size))
    if monomial.bottom != 1:
        bottoms.insert(0, Num(monomial.bottom))
    body = product(*tops)
    if bottoms:
        body = Quot(body, product(*bottoms))
    return Neg(body) if monomial.top < 0 else body


def _rank(power: tuple[Term, int]) -> int:
    base, exponent = power
    if isinstance(base, Sum):
        return 3
    if isinstance(base, Sym) and base.name.rpartition(".")[2].startswith("k"):
        return 0
    return 2 if exponent in (1, -1) else 1


COMPOUND = (Prod, Quot, Neg, Pow)


class Factor(NamedTuple):
    """A written factor: where it is, what it is, and how often; below a bar, negatively."""

    path: Path
    key: Any
    exponent: int


def factors_of(node: Term, path: Path = (), exponent: int = 1) -> Iterator[Factor]:
    """The written factors of a product or quotient, with their places."""
    if isinstance(node, Prod):
        for position, factor in enumerate(node.factors):
            yield from factors_of(factor, (*path, position), exponent)
    elif isinstance(node, Quot):
        yield from factors_of(node.num, (*path, 0), exponent)
        yield from factors_of(node.den, (*path, 1), -exponent)
    elif isinstance(node, Neg):
        yield from factors_of(node.term, (*path, 0), exponent)
    elif isinstance(node, Pow) and (size := integer(node.exp)) is not None:
        if isinstance(node.base, COMPOUND):
            yield from factors_of(node.base, (*path, 0), exponent * size)
        else:
            yield Factor(path, key_of(node.base), exponent * size)
    else:
        yield Factor(path, key_of(node), exponent)


def unbracketed(node: Term) -> Iterator[Term]:
    """The factors of a product and of every product directly inside it."""
    if isinstance(node, Prod):
        for factor in node.factors:
            yield from unbracketed(factor)
    else:
        yield node


def alike(node: Sum) -> dict[Any, list[tuple[int, Monomial]]]:
    """The summands by their letters, those without letters under an empty key."""
    groups: dict[Any, list[tuple[int, Monomial]]] = {}
    for position, part in enumerate(node.terms):
        monomial = gathered(part)
        groups.setdefault(monomial.key, []).append((position, monomial))
    return groups
