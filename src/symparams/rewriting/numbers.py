"""The rules on numbers: ones and zeros dropped, numbers worked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..algebra import Value, term_of, value
from ..terms import (
    ONE,
    ZERO,
    Ceil,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Pow,
    Prod,
    Quot,
    Sum,
    Term,
    children,
    product,
    rebuild,
    total,
)
from .monomials import integer, unbracketed
from .rewrite import Found


def tidied(node: Term) -> Term:
    """Ones, zeros, double signs and brackets inside a sum dropped, from the leaves up."""
    plain = PLAIN.get(type(node))
    if plain is None:
        return node
    parts = children(node)
    fresh = tuple(map(tidied, parts))
    if any(new is not old for new, old in zip(fresh, parts, strict=True)):
        node = rebuild(node, fresh)
    return plain(node)


def _negated(node: Term) -> Term:
    if isinstance(node, Neg):
        return node.term
    return ZERO if node == ZERO else Neg(node)


def opened(node: Term) -> tuple[Term, ...]:
    """The summands of a sum or of minus a sum; anything else is its own summand."""
    if isinstance(node, Sum):
        return node.terms
    if isinstance(node, Neg) and isinstance(node.term, Sum):
        return tuple(map(_negated, node.term.terms))
    return (node,)


def plain_sum(node: Sum) -> Term:
    """A sum without zeros and without brackets inside it."""
    flat = tuple(t for part in node.terms for t in opened(part) if t != ZERO)
    if any(len(opened(t)) > 1 for t in flat):
        return plain_sum(Sum(flat))
    return node if flat == node.terms and len(flat) > 1 else total(*flat)


def plain_product(node: Prod) -> Term:
    """The sign before the product, and no factor 1."""
    minus = False
    kept: list[Term] = []
    for factor in node.factors:
        if factor == ZERO:
            return ZERO
        if isinstance(factor, Neg):
            minus, factor = not minus, factor.term
        if factor != ONE:
            kept.append(factor)
    if tuple(kept) == node.factors and len(kept) > 1 and not minus:
        return node
    body = product(*kept)
    return _negated(body) if minus else body


def plain_quotient(node: Quot) -> Term:
    """The sign before the fraction, and no bar over a 1."""
    over, under = node.num, node.den
    if isinstance(over, Neg) or isinstance(under, Neg):
        minus = isinstance(over, Neg) != isinstance(under, Neg)
        over = over.term if isinstance(over, Neg) else over
        under = under.term if isinstance(under, Neg) else under
        body = plain_quotient(Quot(over, under))
        return _negated(body) if minus else body
    if under == ONE:
        return over
    return ZERO if over == ZERO and under != ZERO else node


def _plain_power(node: Pow) -> Term:
    if node.exp == ONE:
        return node.base
    return ONE if node.base == ONE or (node.exp == ZERO and node.base != ZERO) else node


def _plain_minus(node: Neg) -> Term:
    return _negated(node.term) if isinstance(node.term, Neg) or node.term == ZERO else node


def _plain_round(node: Floor | Ceil) -> Term:
    return node.term if integer(node.term) is not None else node


def _unchanged(node: Term) -> Term:
    return node


PLAIN: dict[type[Term], Callable[[Any], Term]] = {
    Num:   lambda node: node if node.value >= 0 else Neg(Num(-node.value)),
    Sum:   plain_sum,
    Prod:  plain_product,
    Quot:  plain_quotient,
    Pow:   _plain_power,
    Neg:   _plain_minus,
    Floor: _plain_round,
    Ceil:  _plain_round,
    Min:   _unchanged,
    Max:   _unchanged,
}  # fmt: skip


def ones(node: Term) -> Found | None:
    """1*k + 0 = k, everywhere in the node."""
    new = tidied(node)
    return None if new is node or new == node else Found(new)


def is_plain(node: Term) -> bool:
    """Numbers joined without a bracket: products, quotients and powers of numbers."""
    match node:
        case Num():
            return True
        case Neg(t):
            return is_plain(t)
        case Prod(fs):
            return all(map(is_plain, fs))
        case Quot(a, b):
            return is_plain(a) and is_plain(b)
        case Pow(a, e):
            return is_plain(a) and integer(e) is not None
    return False


def worked(node: Term) -> Found | None:
    """What has no letters worked out."""
    new = _ink(value(node))
    return None if new == node else Found(new)


def _ink(number: Value) -> Term:
    return tidied(term_of(number))  # the sign before the fraction


def _is_number(node: Term) -> bool:
    if isinstance(node, Pow):
        return integer(node.base) is not None and integer(node.exp) is not None
    return integer(node) is not None


def multiply_numbers(node: Prod | Quot | Pow) -> Found | None:
    """3*3*C_in: the numbers are worked out and go first, the letters keep their order."""
    if is_plain(node):
        return worked(node)
    if not isinstance(node, Prod):
        return None
    flat = tuple(unbracketed(node))
    numbers = [factor for factor in flat if _is_number(factor)]
    if len(numbers) < 2:
        return None
    found = _ink(value(Prod(tuple(numbers))))
    rest = (factor for factor in flat if not _is_number(factor))
    return Found(plain_product(Prod((found, *rest))))


def add_numbers(node: Sum) -> Found | None:
    """k - 1 + 1: the numbers become one, where the first of them stood."""
    numbers = [t for t in node.terms if is_plain(t)]
    return worked(node) if len(numbers) == len(node.terms) else joined_numbers(node, numbers)


def joined_numbers(node: Sum, numbers: list[Term]) -> Found | None:
    """These summands as one number, where the first of them stood."""
    if len(numbers) < 2:
        return None
    one = _ink(value(Sum(tuple(numbers))))
    places = iter([one])
    joined = [t if t not in numbers else next(places, ZERO) for t in node.terms]
    return Found(plain_sum(Sum(tuple(joined))))


def floor_of_numbers(node: Term) -> Found | None:
    """A floor, ceiling, minimum or maximum of numbers."""
    return worked(node) if all(map(is_plain, children(node))) else None
