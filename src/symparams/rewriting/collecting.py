"""The rules that open brackets, collect what is alike and factor out what is common."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction
from typing import Any

from ..algebra import polynomial
from ..errors import Error
from ..terms import ZERO, Ceil, Floor, Num, Pow, Prod, Quot, Sum, Term, letters, total
from .monomials import (
    COMPOUND,
    Monomial,
    alike,
    factors_of,
    gathered,
    integer,
    is_long,
    key_of,
    unbracketed,
    written,
)
from .numbers import opened, plain_quotient, plain_sum, tidied
from .rewrite import Found

MAX_SUMMANDS = 64  # nobody writes a longer sum out


def distribute(node: Prod | Pow) -> Found | None:
    """(a + 1)*b: every summand times the rest; a power of a sum multiplied out."""
    if isinstance(node, Pow):
        if isinstance(node.base, Sum) and isinstance(node.exp, Num):
            return _power_of_sum(node.base.terms, node.exp.value)
        return None
    choices = [f.terms if isinstance(f, Sum) else (f,) for f in node.factors]
    if not 1 < math.prod(map(len, choices)) <= MAX_SUMMANDS:
        return None
    new = total(*(written(gathered(*choice)) for choice in itertools.product(*choices)))
    return Found(tidied(new))


def _power_of_sum(terms: tuple[Term, ...], exponent: int) -> Found | None:
    count = len(terms)
    if exponent < 2 or exponent > MAX_SUMMANDS:
        return None
    if math.comb(exponent + count - 1, count - 1) > MAX_SUMMANDS:
        return None
    chosen = itertools.combinations_with_replacement(enumerate(terms), exponent)
    return Found(tidied(total(*map(_multinomial, chosen))))


def _multinomial(choice: tuple[tuple[int, Term], ...]) -> Term:
    ways = math.factorial(len(choice))
    for count in Counter(position for position, _ in choice).values():
        ways //= math.factorial(count)
    return written(gathered(Num(ways), *(term for _, term in choice)))


def split_fraction(node: Quot) -> Found | None:
    """(a + b)/c = a/c + b/c."""
    summands = opened(node.num)
    if len(summands) < 2:
        return None
    return Found(total(*(plain_quotient(Quot(t, node.den)) for t in summands)))


# --- collected --------------------------------------------------------------------------------


def power(node: Prod | Quot | Pow) -> Found | None:
    """k*k = k^2; only where nothing cancels, for that is another line."""
    if isinstance(node, Pow):
        if not isinstance(node.base, COMPOUND) or integer(node.exp) is None:
            return None
    elif not _repeats(node):
        return None
    new = written(gathered(node))
    return None if new == node else Found(new)


def _repeats(node: Prod | Quot) -> bool:
    """Whether a letter stands twice on one side of a fraction, and none on both."""
    signs: dict[Any, int] = {}
    twice = False
    for _, key, exponent in factors_of(node):
        if not isinstance(key, Num):
            twice = twice or key in signs
            if signs.setdefault(key, exponent) * exponent < 0:
                return False
    return twice


def like_terms(node: Sum) -> Found | None:
    """2*a + 3*a = 5*a, where the first of them stood; other summands as they are."""
    new = dict(enumerate(node.terms))
    for key, group in alike(node).items():
        if key and len(group) > 1:
            whole = sum((monomial.coefficient for _, monomial in group), Fraction(0))
            position, first = group[0]
            first.coefficient = whole
            new |= {other: ZERO for other, _ in group} | {position: written(first)}
    terms = tuple(new.values())
    return None if terms == node.terms else Found(plain_sum(Sum(terms)))


def fraction(node: Quot) -> Found | None:
    """A fraction inside a fraction becomes one."""
    inner = (*unbracketed(node.num), *unbracketed(node.den))
    if not any(isinstance(factor, Quot) for factor in inner):
        return None
    return Found(written(gathered(node)))


def brackets(node: Prod) -> Found | None:
    """A product inside a product with letters needs no brackets."""
    if not any(isinstance(f, Prod) for f in node.factors):
        return None
    return Found(Prod(tuple(unbracketed(node)))) if letters(node) else None


def whole_floor(node: Floor | Ceil) -> Found | None:
    """The floor of a whole number is that number: letters are whole."""
    if is_long(node.term):
        return None
    try:
        inside = polynomial(node.term)
    except Error:
        return None
    whole = all(
        Fraction(c).denominator == 1 and all(_is_whole(atom) and e > 0 for atom, e in monomial)
        for monomial, c in inside.items()
    )
    return Found(node.term) if whole else None


def _is_whole(atom: Any) -> bool:
    return isinstance(atom, str) or atom[0] == "floor"


# --- factored out -----------------------------------------------------------------------------


def common_factor(node: Sum) -> Found | None:
    """k^2*C_in*C_out + C_out = C_out*(k^2*C_in + 1), numbers and denominators too."""
    parts = [gathered(t) for t in node.terms]
    if any(part.top == 0 for part in parts) or not any(part.powers for part in parts):
        return None
    common = Monomial()
    common.top = math.gcd(*(part.top for part in parts))
    common.bottom = math.gcd(*(part.bottom for part in parts))
    for key, (base, _) in parts[0].powers.items():
        exponent = _shared([part.powers.get(key, (base, 0))[1] for part in parts])
        if exponent:
            common.powers[key] = (base, exponent)
    if not common.powers and common.top == common.bottom == 1:
        return None
    if all(part.top < 0 for part in parts):
        common.top = -common.top
    rest = plain_sum(Sum(tuple(written(_divided(part, common)) for part in parts)))
    common.times(key_of(rest), rest, 1)
    return Found(written(common))


def _shared(exponents: list[int]) -> int:
    if all(e > 0 for e in exponents):
        return min(exponents)
    return max(exponents) if all(e < 0 for e in exponents) else 0


def _divided(part: Monomial, common: Monomial) -> Monomial:
    part.top //= common.top
    part.bottom //= common.bottom
    for key, (base, exponent) in common.powers.items():
        part.times(key, base, -exponent)
    return part
