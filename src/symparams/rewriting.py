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
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from .algebra import MAX_BITS, TooLarge, Value, canonical, polynomial, same, term_of, value
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
MAX_WRITTEN = 256
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
    """A rule and its variant: what ``make`` makes of a node of one of its ``kinds``, or None.

    Not ``deep`` means that it leaves what is inside a floor as it was written; ``whole``,
    that it has seen all that is below a node.
    """

    id: str
    detail: str
    kinds: tuple[type[Term], ...]
    make: Callable[[Any], Found | None]
    deep: bool = True
    whole: bool = False

    def local(self, node: Term) -> Found | None:
        """What the rule makes of this very node, or None."""
        return self.make(node) if isinstance(node, self.kinds) else None

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


_OPAQUE = (Sum, Floor, Ceil, Min, Max)


def _key(node: Term) -> Any:
    """``a + b`` and ``b + a`` are one bracket."""
    return _bracket_key(node) if isinstance(node, _OPAQUE) else node


@functools.lru_cache(maxsize=4096)
def _bracket_key(node: Term) -> Any:
    if _is_long(node):
        return node
    try:
        return canonical(node)
    except Error:
        return node


def _is_long(node: Term) -> bool:
    """Whether the judge would have to write out more than anybody reads."""
    return any(_written_out(part) > MAX_WRITTEN for _, part in walk(node))


def _written_out(node: Term) -> int:
    """How many summands there are when every bracket is multiplied out."""
    if isinstance(node, Sum):
        return sum(map(_written_out, node.terms))
    if isinstance(node, Prod):
        return math.prod(map(_written_out, node.factors))
    if isinstance(node, Quot):
        return _written_out(node.num) * _written_out(node.den)
    if isinstance(node, Neg):
        return _written_out(node.term)
    if not isinstance(node, Pow) or (count := _written_out(node.base)) == 1:
        return 1
    size = min(abs(_integer(node.exp) or 1), MAX_WRITTEN)
    return math.comb(size + min(count, MAX_WRITTEN) - 1, size)


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


_COMPOUND = (Prod, Quot, Neg, Pow)


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
        if isinstance(node.base, _COMPOUND):
            yield from _factors(node.base, (*path, 0), exponent * size)
        else:
            yield _Factor(path, _key(node.base), exponent * size)
    else:
        yield _Factor(path, _key(node), exponent)


# --- ones and zeros -------------------------------------------------------------------------


def _tidied(node: Term) -> Term:
    """Ones, zeros, double signs and brackets inside a sum dropped, from the leaves up."""
    plain = _PLAIN.get(type(node))
    if plain is None:
        return node
    parts = children(node)
    fresh = tuple(map(_tidied, parts))
    if any(new is not old for new, old in zip(fresh, parts, strict=True)):
        node = rebuild(node, fresh)
    return plain(node)


def _negated(node: Term) -> Term:
    if isinstance(node, Neg):
        return node.term
    return ZERO if node == ZERO else Neg(node)


def _opened(node: Term) -> tuple[Term, ...]:
    """The summands of a sum or of minus a sum; anything else is its own summand."""
    if isinstance(node, Sum):
        return node.terms
    if isinstance(node, Neg) and isinstance(node.term, Sum):
        return tuple(map(_negated, node.term.terms))
    return (node,)


def _plain_sum(node: Sum) -> Term:
    flat = tuple(t for part in node.terms for t in _opened(part) if t != ZERO)
    if any(len(_opened(t)) > 1 for t in flat):
        return _plain_sum(Sum(flat))
    return node if flat == node.terms and len(flat) > 1 else total(*flat)


def _plain_product(node: Prod) -> Term:
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


def _plain_quotient(node: Quot) -> Term:
    over, under = node.num, node.den
    if isinstance(over, Neg) or isinstance(under, Neg):
        minus = isinstance(over, Neg) != isinstance(under, Neg)
        over = over.term if isinstance(over, Neg) else over
        under = under.term if isinstance(under, Neg) else under
        body = _plain_quotient(Quot(over, under))
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
    return node.term if _integer(node.term) is not None else node


def _same(node: Term) -> Term:
    return node


_PLAIN: dict[type[Term], Callable[[Any], Term]] = {
    Num:   lambda node: node if node.value >= 0 else Neg(Num(-node.value)),
    Sum:   _plain_sum,
    Prod:  _plain_product,
    Quot:  _plain_quotient,
    Pow:   _plain_power,
    Neg:   _plain_minus,
    Floor: _plain_round,
    Ceil:  _plain_round,
    Min:   _same,
    Max:   _same,
}  # fmt: skip


def _ones(node: Term) -> Found | None:
    new = _tidied(node)
    return None if new is node or new == node else Found(new)


# --- numbers ----------------------------------------------------------------------------------


def _plain(node: Term) -> bool:
    """Numbers joined without a bracket: products, quotients and powers of numbers."""
    match node:
        case Num():
            return True
        case Neg(t):
            return _plain(t)
        case Prod(fs):
            return all(map(_plain, fs))
        case Quot(a, b):
            return _plain(a) and _plain(b)
        case Pow(a, e):
            return _plain(a) and _integer(e) is not None
    return False


def _worked(node: Term) -> Found | None:
    new = _ink(value(node))
    return None if new == node else Found(new)


def _ink(number: Value) -> Term:
    return _tidied(term_of(number))  # the sign before the fraction


def _is_number(node: Term) -> bool:
    if isinstance(node, Pow):
        return _integer(node.base) is not None and _integer(node.exp) is not None
    return _integer(node) is not None


def _multiply_numbers(node: Prod | Quot | Pow) -> Found | None:
    """3*3*C_in: the numbers are worked out and go first, the letters keep their order."""
    if _plain(node):
        return _worked(node)
    if not isinstance(node, Prod):
        return None
    flat = tuple(_unbracketed(node))
    numbers = [factor for factor in flat if _is_number(factor)]
    if len(numbers) < 2:
        return None
    found = _ink(value(Prod(tuple(numbers))))
    rest = (factor for factor in flat if not _is_number(factor))
    return Found(_plain_product(Prod((found, *rest))))


def _unbracketed(node: Term) -> Iterator[Term]:
    if isinstance(node, Prod):
        for factor in node.factors:
            yield from _unbracketed(factor)
    else:
        yield node


def _add_numbers(node: Sum) -> Found | None:
    """k - 1 + 1: the numbers become one, where the first of them stood."""
    numbers = [t for t in node.terms if _plain(t)]
    return _worked(node) if len(numbers) == len(node.terms) else _joined(node, numbers)


def _joined(node: Sum, numbers: list[Term]) -> Found | None:
    if len(numbers) < 2:
        return None
    one = _ink(value(Sum(tuple(numbers))))
    places = iter([one])
    joined = [t if t not in numbers else next(places, ZERO) for t in node.terms]
    return Found(_plain_sum(Sum(tuple(joined))))


def _floor_of_numbers(node: Term) -> Found | None:
    return _worked(node) if all(map(_plain, children(node))) else None


# --- brackets and fractions opened ------------------------------------------------------------


def _distribute(node: Prod | Pow) -> Found | None:
    """(a + 1)*b: every summand times the rest; a power of a sum multiplied out."""
    if isinstance(node, Pow):
        power = isinstance(node.base, Sum) and isinstance(node.exp, Num)
        return _power_of_sum(node.base.terms, node.exp.value) if power else None  # type: ignore[attr-defined]  # seen above
    choices = [f.terms if isinstance(f, Sum) else (f,) for f in node.factors]
    if not 1 < math.prod(map(len, choices)) <= MAX_SUMMANDS:
        return None
    new = total(*(_written(_monomial(*choice)) for choice in itertools.product(*choices)))
    return Found(_tidied(new))


def _power_of_sum(terms: tuple[Term, ...], exponent: int) -> Found | None:
    count = len(terms)
    if exponent < 2 or exponent > MAX_SUMMANDS:
        return None
    if math.comb(exponent + count - 1, count - 1) > MAX_SUMMANDS:
        return None
    chosen = itertools.combinations_with_replacement(enumerate(terms), exponent)
    return Found(_tidied(total(*map(_multinomial, chosen))))


def _multinomial(choice: tuple[tuple[int, Term], ...]) -> Term:
    ways = math.factorial(len(choice))
    for _, alike in itertools.groupby(position for position, _ in choice):
        ways //= math.factorial(len(list(alike)))
    return _written(_monomial(Num(ways), *(term for _, term in choice)))


def _split_fraction(node: Quot) -> Found | None:
    """(a + b)/c = a/c + b/c."""
    summands = _opened(node.num)
    if len(summands) < 2:
        return None
    return Found(total(*(_plain_quotient(Quot(t, node.den)) for t in summands)))


# --- collected --------------------------------------------------------------------------------


def _power(node: Prod | Quot | Pow) -> Found | None:
    """k*k = k^2; only where nothing cancels, for that is another line."""
    if isinstance(node, Pow):
        if not isinstance(node.base, _COMPOUND) or _integer(node.exp) is None:
            return None
    elif not _repeats(node):
        return None
    new = _written(_monomial(node))
    return None if new == node else Found(new)


def _repeats(node: Prod | Quot) -> bool:
    """Whether a letter stands twice on one side of a fraction, and none on both."""
    signs: dict[Any, int] = {}
    twice = False
    for _, key, exponent in _factors(node):
        if not isinstance(key, Num):
            twice = twice or key in signs
            if signs.setdefault(key, exponent) * exponent < 0:
                return False
    return twice


def _like_terms(node: Sum) -> Found | None:
    """2*a + 3*a = 5*a, where the first of them stood; other summands as they are."""
    new = dict(enumerate(node.terms))
    for key, group in _alike(node).items():
        if key and len(group) > 1:
            whole = sum((monomial.coefficient for _, monomial in group), Fraction(0))
            position, first = group[0]
            first.top, first.bottom = whole.numerator, whole.denominator
            new |= {other: ZERO for other, _ in group} | {position: _written(first)}
    terms = tuple(new.values())
    return None if terms == node.terms else Found(_plain_sum(Sum(terms)))


def _alike(node: Sum) -> dict[Any, list[tuple[int, _Monomial]]]:
    """The summands by their letters, those without letters under an empty key."""
    groups: dict[Any, list[tuple[int, _Monomial]]] = {}
    for position, part in enumerate(node.terms):
        monomial = _monomial(part)
        groups.setdefault(monomial.key, []).append((position, monomial))
    return groups


def _fraction(node: Quot) -> Found | None:
    """A fraction inside a fraction becomes one."""
    inner = (*_unbracketed(node.num), *_unbracketed(node.den))
    if not any(isinstance(factor, Quot) for factor in inner):
        return None
    return Found(_written(_monomial(node)))


def _brackets(node: Prod) -> Found | None:
    """A product inside a product with letters needs no brackets."""
    if not any(isinstance(f, Prod) for f in node.factors):
        return None
    return Found(Prod(tuple(_unbracketed(node)))) if letters(node) else None


def _whole_floor(node: Floor | Ceil) -> Found | None:
    """The floor of a whole number is that number: letters are whole."""
    if _is_long(node.term):
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


def _common_factor(node: Sum) -> Found | None:
    """k^2*C_in*C_out + C_out = C_out*(k^2*C_in + 1), numbers and denominators too."""
    parts = [_monomial(t) for t in node.terms]
    if any(part.top == 0 for part in parts) or not any(part.powers for part in parts):
        return None
    common = _Monomial()
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
    rest = _plain_sum(Sum(tuple(_written(_divided(part, common)) for part in parts)))
    common.times(_key(rest), rest, 1)
    return Found(_written(common))


def _shared(exponents: list[int]) -> int:
    if all(e > 0 for e in exponents):
        return min(exponents)
    return max(exponents) if all(e < 0 for e in exponents) else 0


def _divided(part: _Monomial, common: _Monomial) -> _Monomial:
    part.top //= common.top
    part.bottom //= common.bottom
    for key, (base, exponent) in common.powers.items():
        part.times(key, base, -exponent)
    return part


# --- cancelled --------------------------------------------------------------------------------


def _cancel(node: Prod | Quot) -> Found | None:
    """Letters above and below struck, and numbers reduced in the same line."""
    struck = _struck_letters(node) if _is_fraction(node) else ()
    return Found(_reduced(node), struck + _struck_numbers(node)) if struck else None


def _cancel_numbers(node: Prod | Quot) -> Found | None:
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
    monomial = _monomial(node)
    whole = monomial.coefficient
    monomial.top, monomial.bottom = whole.numerator, whole.denominator
    return _written(monomial)


def _struck_letters(node: Term) -> Pairs:
    above: dict[Any, list[_Factor]] = {}
    below: dict[Any, list[_Factor]] = {}
    for factor in _factors(node):
        if not isinstance(factor.key, Num):
            side = above if factor.exponent > 0 else below
            side.setdefault(factor.key, []).append(factor)
    pairs: list[tuple[Path, ...]] = []
    for key, tops in above.items():
        if key in below:
            pairs += _struck(node, tops, below[key])
    return tuple(pairs)


def _struck(node: Term, tops: list[_Factor], bottoms: list[_Factor]) -> list[tuple[Path, ...]]:
    """Equal powers in pairs; what is left on one side against what is left on the other."""
    pairs: list[tuple[Path, ...]] = []
    left = list(bottoms)
    over: list[_Factor] = []
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


def _taken(node: Term, factors: list[_Factor], depth: int) -> Iterator[Path]:
    for path, _, exponent in factors:
        if depth <= 0:
            return
        whole = abs(exponent) <= depth
        depth -= abs(exponent)
        yield path if whole or not isinstance(at(node, path), Pow) else (*path, 1)


def _struck_numbers(node: Term) -> Pairs:
    above: list[tuple[Path, int]] = []
    below: list[tuple[Path, int]] = []
    for path, key, exponent in _factors(node):
        if isinstance(key, Num):
            size = _Monomial()
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


def _cancel_summands(node: Sum) -> Found | None:
    """A - a = 0."""
    pairs: list[tuple[Path, ...]] = []
    for group in _alike(node).values():
        while group:
            position, monomial = group.pop(0)
            for other in group:
                if other[1].coefficient == -monomial.coefficient:
                    group.remove(other)
                    pairs.append(((position,), (other[0],)))
                    break
    gone = {path[0] for pair in pairs for path in pair}
    kept = (t for position, t in enumerate(node.terms) if position not in gone)
    return Found(total(*kept), tuple(pairs)) if pairs else None


# --- put in -----------------------------------------------------------------------------------


def _put(node: Term, values: Values, kinds: tuple[type[Sym] | type[Size], ...]) -> Term:
    if isinstance(node, Sym | Size):
        return values.get(node.name, node) if isinstance(node, kinds) else node
    parts = children(node)
    fresh: list[Term] = []
    for part in parts:
        new = _put(part, values, kinds)
        # A product put in for a factor joins the product around it: nobody wrote brackets.
        joins = isinstance(node, Sum | Prod) and type(new) is type(node) and new is not part
        fresh.extend(children(new) if joins and isinstance(part, Sym | Size) else (new,))
    return node if fresh == list(parts) else rebuild(node, tuple(fresh))


def put(rule: str, term: Term, values: Values) -> Rewrite:
    """Names exchanged for what they are: ``define``, ``unfold`` or ``substitute``.

    >>> whole = put("unfold", Size("weight") + 1, {"weight": Sym("k") * Sym("C_in")})
    >>> whole.after == Sym("k") * Sym("C_in") + 1
    True

    Raises:
        Error: nothing of those names is there.
    """
    after = _put(term, values, PUTTING[rule])
    if after == term:
        raise Error("rule_not_here", rule=rule)
    return Rewrite(rule, term, after, values=tuple(values.items()))


# --- the table --------------------------------------------------------------------------------

# What is exchanged by the rules that put something in.
PUTTING: dict[str, tuple[type[Sym] | type[Size], ...]] = {
    "define":     (Sym, Size),
    "unfold":     (Size,),
    "substitute": (Sym,),
}  # fmt: skip

_FRACTION = (Prod, Quot)
_MONOMIAL = (Prod, Quot, Pow)
_ROUND = (Floor, Ceil)
_CHOICE = (Floor, Ceil, Min, Max)
_RAISED = (Prod, Pow)

_TABLE = (
    #    rule          variant           at a node   makes of it
    Rule("multiply",   "numbers",        _MONOMIAL,  _multiply_numbers),
    Rule("multiply",   "floor",          _CHOICE,    _floor_of_numbers),
    Rule("multiply",   "distribute",     _RAISED,    _distribute,     deep=False),
    Rule("multiply",   "split_fraction", (Quot,),    _split_fraction, deep=False),
    Rule("add",        "numbers",        (Sum,),     _add_numbers),
    Rule("collect",    "ones",           (Term,),    _ones,           whole=True),
    Rule("collect",    "power",          _MONOMIAL,  _power),
    Rule("collect",    "like_terms",     (Sum,),     _like_terms),
    Rule("collect",    "fraction",       (Quot,),    _fraction),
    Rule("collect",    "brackets",       (Prod,),    _brackets),
    Rule("collect",    "floor",          _ROUND,     _whole_floor),
    Rule("factor_out", "common_factor",  (Sum,),     _common_factor,  deep=False),
    Rule("cancel",     "common_factor",  _FRACTION,  _cancel),
    Rule("cancel",     "numbers",        _FRACTION,  _cancel_numbers),
    Rule("cancel",     "opposite",       (Sum,),     _cancel_summands),
)  # fmt: skip
RULES: Mapping[tuple[str, str], Rule] = {(rule.id, rule.detail): rule for rule in _TABLE}


def replay(rewrite: Rewrite, rules: Mapping[tuple[str, str], Rule] = RULES) -> Term:
    """What the rewrite's own data give when its rule is applied again.

    >>> step = RULES["collect", "power"].at(Sym("k") * Sym("k"))
    >>> replay(step) == step.after == Sym("k") ** 2
    True
    """
    if rewrite.rule in PUTTING:
        return _put(rewrite.before, dict(rewrite.values), PUTTING[rewrite.rule])
    if rewrite.parts:
        found = rewrite.before
        for part in rewrite.parts:
            if part.before != found or (found := replay(part, rules)) != part.after:
                return part.before  # a record that does not hang together
        return found
    return rules[rewrite.rule, rewrite.detail].at(rewrite.before, rewrite.path).after


def verify(rewrite: Rewrite, rules: Mapping[tuple[str, str], Rule] = RULES) -> None:
    """Raise unless the rewrite replays and both its sides are one quantity.

    >>> verify(RULES["collect", "power"].at(Sym("k") * Sym("k")))

    Raises:
        VerificationError: it gives something else again, or the judge says they differ.
    """
    facts: dict[str, Any] = {"rule": rewrite.rule, "before": rewrite.before, "after": rewrite.after}
    if replay(rewrite, rules) != rewrite.after:
        raise VerificationError("rewrite_replays_otherwise", **facts)
    if not _holds(rewrite):
        raise VerificationError("rewrite_differs", **facts)


def _holds(rewrite: Rewrite) -> bool:
    """Whether the judge finds both sides equal, at every place where something was done.

    What is around a place stands on both sides, so the place decides; the judge cannot
    reduce every floor that a longer way round would bring in.
    """
    if rewrite.rule in PUTTING:
        put_in = _put(rewrite.before, dict(rewrite.values), PUTTING[rewrite.rule])
        return same(put_in, rewrite.after)
    if rewrite.parts:
        return all(map(_holds, rewrite.parts))
    before, after = at(rewrite.before, rewrite.path), at(rewrite.after, rewrite.path)
    return same(before, after) or (rewrite.detail == "ones" and _tidied_node_by_node(before))


def _tidied_node_by_node(node: Term) -> bool:
    """Whether dropping ones holds at every node by itself, from the leaves up."""
    plain = _PLAIN.get(type(node))
    if plain is None:
        return True
    parts = children(node)
    known = rebuild(node, tuple(map(_tidied, parts)))
    return all(map(_tidied_node_by_node, parts)) and same(known, plain(known))


# --- control: which rule comes next -----------------------------------------------------------

Lines = tuple[Rewrite, ...]


class Phase(NamedTuple):
    """Rules that are one line of a page, found by the kind of node they apply to."""

    rules: Mapping[Any, tuple[Rule, ...]]
    deep: bool
    whole: bool


_KINDS = (Num, Sym, Sum, Prod, Neg, Quot, Pow, Floor, Ceil, Min, Max, Entry, BigSum, Rel, Size)


def _phase(identity: str, *details: str) -> Phase:
    rules = [RULES[identity, detail] for detail in details]
    table = {kind: tuple(r for r in rules if issubclass(kind, r.kinds)) for kind in _KINDS}
    return Phase(table, all(r.deep for r in rules), any(r.whole for r in rules))


_LEAF = (Num, Sym, Size)
_ONES = _phase("collect", "ones")
_TIDYING = (
    _phase("cancel", "common_factor", "numbers", "opposite"),
    _phase("multiply", "numbers", "floor"),
    _phase("collect", "power", "like_terms", "fraction", "brackets", "floor"),
    _phase("add", "numbers"),
)
_FACTORING = (_phase("factor_out", "common_factor"),)
_OPENING = (_phase("multiply", "distribute"),)
_SPLITTING = (_phase("multiply", "split_fraction"),)

_COLLECTED = _TIDYING
_SPLIT = (*_SPLITTING, *_TIDYING)
_FACTORED = (*_TIDYING, *_FACTORING)
_OPENED = (*_TIDYING, *_OPENING)
_EXPANDED = (*_TIDYING, *_OPENING, *_SPLITTING)


def _met(phase: Phase, node: Term, path: Path = ()) -> Iterator[tuple[Path, Rule, Found]]:
    """The outermost places of a phase's rules: apart from each other, so done in one line."""
    for rule in phase.rules[type(node)]:
        if (found := rule.make(node)) is not None:
            yield path, rule, found
            return
    if phase.whole or isinstance(node, _LEAF) or (not phase.deep and isinstance(node, _ROUND)):
        return
    for position, part in enumerate(children(node)):
        yield from _met(phase, part, (*path, position))


def _line(phase: Phase, term: Term) -> Rewrite | None:
    """One line: a rule at all its places, and the ones it leaves behind dropped."""
    return _joined_line(term, list(_met(phase, term)))


def _joined_line(
    term: Term, met: Sequence[tuple[Path, Rule, Found]], clean: bool = True
) -> Rewrite | None:
    if not met:
        return None
    parts: list[Rewrite] = []
    now = term
    for path, rule, found in met:
        pairs = _moved(found.cancelled, path)
        new = replace(now, path, found.term)
        parts.append(Rewrite(rule.id, now, new, path, pairs, rule.detail))
        now = new
    return _merged(parts, clean)


def _merged(parts: Sequence[Rewrite], clean: bool = True) -> Rewrite:
    """Rewrites in a row as one line, named after what matters in it most."""
    first, last = parts[0], parts[-1].after
    done = [small for part in parts for small in (part.parts or (part,))]
    if clean and (cleaned := _ones(last)) is not None:
        done.append(Rewrite("collect", last, cleaned.term, (), (), "ones"))
        last = cleaned.term
    if len(done) == 1:
        return first
    path = functools.reduce(_prefix, (part.path for part in parts))
    pairs = tuple(itertools.chain.from_iterable(part.cancelled for part in parts))
    detail = next((part.detail for part in parts if part.detail != "ones"), "ones")
    return Rewrite(first.rule, first.before, last, path, pairs, detail, (), tuple(done))


def _prefix(a: Path, b: Path) -> Path:
    return tuple(x for x, _ in itertools.takewhile(lambda p: p[0] == p[1], zip(a, b, strict=False)))


def _chain(phases: Sequence[Phase], term: Term) -> Lines:
    """The first rule that applies, until none does; lines of one rule are one line."""
    lines: list[Rewrite] = []
    line = _line(_ONES, term)  # every other line drops its own ones
    for _ in range(MAX_STEPS):
        if line is not None:
            if _size(line.after)[1] > MAX_NODES:
                break
            term = line.after
            if lines and _one_line(lines[-1], line):
                line = _merged([lines.pop(), line])
            lines.append(line)
        found = (_line(phase, term) for phase in phases)
        line = next((line for line in found if line is not None), None)
        if line is None:
            break
    return tuple(lines)


def _one_line(a: Rewrite, b: Rewrite) -> bool:
    # What is struck out is shown in the line before, so such lines stay apart.
    return a.rule == b.rule and not b.cancelled and (a.rule == "collect" or a.detail == b.detail)


def _size(term: Term) -> tuple[int, int]:
    """How long a Term reads: letters first, then everything."""
    names = everything = 0
    stack = [term]
    while stack:
        node = stack.pop()
        everything += 1
        names += isinstance(node, Sym | Size | Entry)
        stack.extend(children(node))
    return names, everything


def _end(term: Term, lines: Lines) -> Term:
    return lines[-1].after if lines else term


def _best(term: Term, plain: Lines, others: Iterable[Lines]) -> Lines:
    """The plain chain, unless another reads shorter."""
    best, size = plain, _size(_end(term, plain))
    for lines in others:
        if (other := _size(_end(term, lines))) < size:
            best, size = lines, other
    return best


def _factor_lines(term: Term) -> Lines:
    best = _chain(_FACTORED, term)
    if _worth_opening(term):
        opened = _chain(_OPENED, term)
        best = _best(term, best, [opened + _chain(_FACTORED, _end(term, opened))])
    end = _end(term, best)
    return best + _factor_lines(end) if best and _worth_opening(end) else best


def _worth_opening(term: Term) -> bool:
    """Whether summands would meet if every bracket were multiplied out."""
    if next(_met(_OPENING[0], term), None) is None or _is_long(term):
        return False
    try:
        form = canonical(term)
    except Error:
        return False
    return form.den != canonical(ONE).num or len(form.num) < _written_out(term)


def _expand_lines(term: Term) -> Lines:
    return _chain(_EXPANDED, term)


def _shortest_lines(term: Term) -> Lines:
    plain = _chain(_COLLECTED, term)
    others = (_factor_lines(term), _chain(_SPLIT, term), _expand_lines(term))
    best = _best(term, plain, others)
    return best + _shortest_lines(_end(term, best)) if best else best


_FORMS: dict[Form | None, Callable[[Term], Lines]] = {
    "factored": _factor_lines,
    "expanded": _expand_lines,
    None:       _shortest_lines,
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def simplify(term: Term, form: Form | None = None) -> tuple[Rewrite, ...]:
    """The lines that simplify a Term: towards a form, or to what reads shortest.

    >>> k, c, d = Sym("k"), Sym("C_in"), Sym("C_out")
    >>> [line.rule for line in simplify(k * k * c * d + d)]
    ['collect', 'factor_out']
    >>> [line.rule for line in simplify((k * k * c + c * d) / (k * k * c * d))]
    ['multiply', 'cancel']
    """
    return _FORMS[form](term)


def factored(term: Term) -> Term:
    """The factored form, the last line of its chain.

    >>> k, c, d, b = Sym("k"), Sym("C_in"), Sym("C_out"), Sym("b")
    >>> factored(d * c * k * k + b * d) == d * (k**2 * c + b)
    True
    """
    return _end(term, simplify(term, "factored"))


def expanded(term: Term) -> Term:
    """The expanded form; a bracket too long to write out stays.

    >>> k, c = Sym("k"), Sym("C_in")
    >>> expanded((k + 1) * c) == k * c + c
    True
    """
    return _end(term, simplify(term, "expanded"))


@functools.lru_cache(maxsize=4096)
def tidy(term: Term) -> Term:
    """Ones and zeros dropped and loose numbers joined; nothing else is touched.

    >>> k, h = Sym("k"), Sym("H")
    >>> tidy(Num(1) * (k - 1) + 1) == k, tidy(2 * (k - 1)) == 2 * (k - 1)
    (True, True)
    >>> tidy(Floor((h + 2 * Num(1) - 3) / 1) + 1) == h
    True
    """
    while (new := _folded(_tidied(term))) != term:
        term = new
    return term


_INSIDE = (("multiply", "numbers"), ("collect", "floor"))  # also folded where a floor is


def _folded(node: Term, inside: bool = False) -> Term:
    """Numbers joined beside letters; what is all numbers is left for somebody to work out."""
    if not letters(node) and not inside:
        return node
    within = inside or isinstance(node, _ROUND)
    parts = children(node)
    fresh = tuple(_folded(part, within) for part in parts)
    if fresh != parts:
        node = rebuild(node, fresh)
    if isinstance(node, Sum):
        numbers = [t for t in node.terms if (_plain(t) if within else _is_loose(t))]
        found = _joined(node, numbers) if len(numbers) < len(node.terms) else _worked(node)
    else:
        tried = (RULES[name].local(node) for name in _INSIDE if within)
        found = next((found for found in tried if found is not None), None)
    return found.term if found else node


def _is_loose(node: Term) -> bool:
    inner = node.term if isinstance(node, Neg) else node
    return isinstance(inner, Num) or (isinstance(inner, Quot) and _plain(inner))


# --- numbers, line by line --------------------------------------------------------------------


def numeric(term: Term) -> tuple[Rewrite, ...]:
    """A Term without letters worked out line by line, innermost brackets first.

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
        line = _joined_line(term, _next_numbers(term), clean=False) or _line(_ONES, term)
        if line is None:
            return tuple(lines)
        lines.append(line)
        term = line.after


_WORKED = (_phase("cancel", "numbers"), _phase("multiply", "numbers", "floor"))
_SUMMED = _phase("add", "numbers")


def _next_numbers(term: Term) -> list[tuple[Path, Rule, Found]]:
    """Every innermost bracket; without brackets the products, and then the sum."""
    brackets = list(_innermost(term))
    if brackets:
        met = [done for path in brackets for done in _at_once(term, path)]
        return sorted(met, key=lambda done: done[1].id != "add")  # a sum names the line
    products = [done for path in _summands(term) for done in _at_once(term, path)]
    return products or _at_once(term, ())


def _at_once(term: Term, path: Path) -> list[tuple[Path, Rule, Found]]:
    node = at(term, path)
    phases = (_SUMMED,) if isinstance(node, Sum) else _WORKED
    rules = (rule for phase in phases for rule in phase.rules[type(node)])
    met = ((path, rule, found) for rule in rules if (found := rule.make(node)) is not None)
    return list(itertools.islice(met, 1))


def _summands(term: Term) -> Iterator[Path]:
    parts = enumerate(term.terms) if isinstance(term, Sum) else [(-1, term)]
    for position, part in parts:
        path: Path = () if position < 0 else (position,)
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
    if isinstance(node, _CHOICE):
        return True
    if isinstance(node, Prod):
        return not isinstance(parent, Sum | None)
    return isinstance(node, Sum) and path != ()
