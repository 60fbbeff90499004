"""Sound rules on Terms, and the short chains of them that a teacher would write.

A rule is a value that knows where it applies; what it did is data, a Rewrite, which replays
and verifies by itself as an explanation does in egg (Willsey et al., POPL 2021).  Which rule
comes next is control and kept apart from the mathematics, as in sympy.strategies.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace as changed
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from .algebra import MAX_BITS, TooLarge, canonical, polynomial, same, term_of, value
from .errors import Error, VerificationError
from .terms import (
    ONE,
    ZERO,
    BigSum,
    Ceil,
    Entry,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Path,
    Pow,
    Prod,
    Quot,
    Rel,
    Size,
    Sum,
    Sym,
    Term,
    at,
    children,
    letters,
    product,
    rebuild,
    replace,
    total,
    walk,
)

Form = Literal["factored", "expanded"]
Values = Mapping[str, Term]
Pairs = tuple[tuple[Path, ...], ...]

MAX_SUMMANDS = 64  # nobody writes a longer sum out
MAX_NODES = 2000
MAX_STEPS = 64


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What one line did: the rule, the whole Term before and after, and where.

    ``cancelled`` are paths in ``before`` that strike each other out, a group each: mostly a
    pair; a power of which only some is struck is met at its exponent.  ``detail`` says which
    variant it was, ``values`` what was put in, ``parts`` what was done at several places.
    """

    rule: str
    before: Term
    after: Term
    path: Path = ()
    cancelled: Pairs = ()
    detail: str = ""
    values: tuple[tuple[str, Term], ...] = ()
    parts: tuple[Rewrite, ...] = ()


class Found(NamedTuple):
    """What a rule makes of one node; the cancelled paths count from that node."""

    term: Term
    cancelled: Pairs = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and its variant; ``local`` gives what it makes of a node, or None.

    Not ``deep`` means that it leaves what is inside a floor as it was written.
    """

    id: str
    detail: str
    local: Callable[[Term], Found | None]
    deep: bool = True

    def places(self, term: Term) -> Iterator[Path]:
        """Every path at which the rule applies, outermost first.

        >>> k = Sym("k")
        >>> list(RULES["collect", "power"].places(k * k + 1))
        [(0,)]
        """
        return (path for path, node in walk(term) if self.local(node) is not None)

    def at(self, term: Term, path: Path = ()) -> Rewrite:
        """The rewrite at a path.

        >>> RULES["multiply", "numbers"].at(3 * Num(3) * Sym("C_in")).after == 9 * Sym("C_in")
        True

        Raises:
            Error: the rule does not apply there.
        """
        found = self.local(at(term, path))
        if found is None:
            raise Error("rule_not_here", rule=self.id)
        pairs = _moved(found.cancelled, path)
        return Rewrite(self.id, term, replace(term, path, found.term), path, pairs, self.detail)


def _moved(pairs: Pairs, path: Path) -> Pairs:
    return tuple(tuple((*path, *place) for place in group) for group in pairs)


# --- monomials: numbers and powers of letters, in the order of first writing ---------------


class _Monomial:
    """``top/bottom`` times powers; a power is found by a key that equal brackets share."""

    __slots__ = ("bottom", "powers", "top")

    def __init__(self) -> None:
        self.top = 1
        self.bottom = 1
        self.powers: dict[Any, tuple[Term, int]] = {}

    def number(self, size: int, exponent: int) -> None:
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
        old = self.powers.get(key)
        self.powers[key] = (base, exponent) if old is None else (old[0], old[1] + exponent)

    @property
    def coefficient(self) -> Fraction:
        return Fraction(self.top, self.bottom)

    @property
    def key(self) -> frozenset[tuple[Any, int]]:
        return frozenset((key, e) for key, (_, e) in self.powers.items() if e)


def _monomial(*nodes: Term) -> _Monomial:
    out = _Monomial()
    for node in nodes:
        _gather(node, 1, out)
    return out


def _gather(node: Term, exponent: int, out: _Monomial) -> None:
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
    elif isinstance(node, Pow) and (size := _integer(node.exp)) is not None:
        _gather(node.base, exponent * size, out)
    else:
        out.times(_key(node), node, exponent)


def _integer(node: Term) -> int | None:
    if isinstance(node, Num):
        return node.value
    if isinstance(node, Neg) and isinstance(node.term, Num):
        return -node.term.value
    return None


def _key(node: Term) -> Any:
    """``a + b`` and ``b + a`` are one bracket."""
    if isinstance(node, Sum | Floor | Ceil | Min | Max):
        try:
            return canonical(node)
        except Error:
            return node
    return node


def _written(monomial: _Monomial) -> Term:
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


class _Factor(NamedTuple):
    path: Path
    key: Any
    exponent: int


def _factors(node: Term, path: Path = (), exponent: int = 1) -> Iterator[_Factor]:
    """The written factors of a product or quotient, with their places."""
    if isinstance(node, Prod):
        for position, factor in enumerate(node.factors):
            yield from _factors(factor, (*path, position), exponent)
    elif isinstance(node, Quot):
        yield from _factors(node.num, (*path, 0), exponent)
        yield from _factors(node.den, (*path, 1), -exponent)
    elif isinstance(node, Neg):
        yield from _factors(node.term, (*path, 0), exponent)
    elif isinstance(node, Pow) and (size := _integer(node.exp)) is not None:
        if isinstance(node.base, Prod | Quot | Neg | Pow):
            yield from _factors(node.base, (*path, 0), exponent * size)
        else:
            yield _Factor(path, _key(node.base), exponent * size)
    else:
        yield _Factor(path, _key(node), exponent)


# --- ones and zeros -------------------------------------------------------------------------


def _tidied(node: Term) -> Term:
    """Ones, zeros, double signs and brackets inside a sum dropped, from the leaves up."""
    parts = children(node)
    if parts:
        fresh = tuple(map(_tidied, parts))
        if any(new is not old for new, old in zip(fresh, parts, strict=True)):
            node = rebuild(node, fresh)
    return _plainer(node)


def _plainer(node: Term) -> Term:
    match node:
        case Sum(ts):
            return _plain_sum(node, ts)
        case Prod(fs):
            return _plain_product(node, fs)
        case Quot(a, b):
            return _plain_quotient(node, a, b)
        case Pow(a, Num(1)):
            return a
        case (Pow(a, Num(0)) if a != ZERO) | (Pow(Num(1) as a, _)):
            return ONE
        case Neg(Neg(t)) | (Floor(t) | Ceil(t)) if _integer(t) is not None or node != Neg(t):
            return t if isinstance(node, Neg) or _integer(t) is not None else node
        case Neg(Num(0)):
            return ZERO
        case Num(v) if v < 0:
            return Neg(Num(-v))
    return node
