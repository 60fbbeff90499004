"""The judge: are two Terms the same quantity, exactly, and if not, where do they differ?

Every letter is a positive whole number.  A value at one random point modulo 2^61 - 1
comes first (DeMillo & Lipton 1978, Schwartz 1980, Zippel 1979), the canonical form itself
decides; "different" is only said with a counterexample in whole numbers.  The canonical
form is a quotient of Laurent polynomials whose atoms are letters and normalised floors.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .errors import Error
from .terms import (
    Ceil,
    Entry,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Pow,
    Prod,
    Quot,
    Size,
    Sum,
    Sym,
    Term,
    has_letters,
    letters,
    product,
    substitute,
    term,
    total,
)

Monomial = tuple[tuple[Any, int], ...]  # ((atom, exponent), ...) sorted by atom
Poly = dict[Monomial, Fraction | int]
Value = Fraction | int

MAX_EXPONENT = 64
MAX_TERMS = 4096
MAX_BITS = 4096


class TooLarge(Error):
    """A number, a degree or a sum is beyond what anybody writes by hand."""


# --- values ------------------------------------------------------------------------------


def value(node: Term, env: Mapping[str, Value] | None = None) -> Value:
    """The exact value of a Term; letters are looked up in ``env``.

    >>> value(term(5) * 7 + 1), value(Floor(term(9) / 2))
    (36, 4)
    """
    if isinstance(node, Num):  # the commonest first, and without matching
        return node.value
    if isinstance(node, Prod):
        return _whole(_bounded(math.prod([value(f, env) for f in node.factors])))
    if isinstance(node, Sum):
        summands: list[Value] = [value(t, env) for t in node.terms]
        return _whole(sum(summands))
    return _rarer_value(node, env or {})


def _rarer_value(node: Term, env: Mapping[str, Value]) -> Value:
    match node:
        case Sym(n) | Size(n):
            if n not in env:
                raise NoValue("no_value", name=n)
            return env[n]
        case Neg(t):
            return -value(t, env)
        case Quot(a, b):
            den = value(b, env)
            if den == 0:
                raise Error("division_by_zero")
            return _whole(Fraction(value(a, env)) / den)
        case Pow(a, e):
            return _whole(_power(value(a, env), value(e, env)))
        case Floor(t):
            return math.floor(value(t, env))
        case Ceil(t):
            return math.ceil(value(t, env))
        case Min(ts):
            return min(value(t, env) for t in ts)
        case Max(ts):
            return max(value(t, env) for t in ts)
    raise NoValue("no_number", kind=type(node).__name__)


class NoValue(Error):
    """A Term has no value: a letter without a number is in it."""


def _whole(number: Value) -> Value:
    return number.numerator if isinstance(number, Fraction) and number.denominator == 1 else number


def _bounded(number: Value) -> Value:
    if number.numerator.bit_length() > MAX_BITS or number.denominator.bit_length() > MAX_BITS:
        raise TooLarge("too_large")
    return number


def _power(base: Value, exponent: Value) -> Value:
    if exponent.denominator != 1:
        raise Error("fractional_exponent")
    if base in (0, 1):
        if base == 0 and exponent < 0:
            raise Error("division_by_zero")
        return 1 if exponent == 0 else base
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(int(exponent)) * max(size - 1, 1) > MAX_BITS:
        raise TooLarge("too_large")
    plain = isinstance(base, int) and exponent >= 0
    return base ** int(exponent) if plain else Fraction(base) ** int(exponent)


# --- the canonical form -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Canonical:
    """A quotient of polynomials; the denominator is 1 unless a sum stands in it."""

    num: frozenset[tuple[Monomial, Value]]
    den: frozenset[tuple[Monomial, Value]]


_ONE: Poly = {(): 1}


def _sorted(pairs: Iterable[tuple[Any, int]]) -> Monomial:
    return tuple(sorted(((a, e) for a, e in pairs if e), key=lambda p: (str(p[0]), p[1])))


def _add(a: Poly, b: Poly, sign: int = 1) -> Poly:
    out = dict(a)
    for monomial, coefficient in b.items():
        new = out.get(monomial, 0) + sign * coefficient
        if new:
            out[monomial] = new
        else:
            out.pop(monomial, None)
    return out


def _times(a: Poly, b: Poly) -> Poly:
    if a == _ONE:
        return b
    if b == _ONE:
        return a
    if len(a) * len(b) > MAX_TERMS:
        raise TooLarge("too_many_terms")
    out: Poly = {}
    for (ma, ca), (mb, cb) in itertools.product(a.items(), b.items()):
        powers = dict(ma)
        for atom, exponent in mb:
            powers[atom] = powers.get(atom, 0) + exponent
        monomial = _sorted(powers.items()) if mb and ma else (ma or mb)
        new = out.get(monomial, 0) + ca * cb
        if new:
            out[monomial] = new
        else:
            out.pop(monomial, None)
    return out


def _raised(a: Poly, exponent: int) -> Poly:
    if len(a) == 1:
        ((monomial, coefficient),) = a.items()
        raised = _sorted((atom, e * exponent) for atom, e in monomial)
        return {raised: _whole(Fraction(_power(coefficient, exponent)))}
    out = _ONE
    for _ in range(exponent):
        out = _times(out, a)
    return out


Ratio = tuple[Poly, Poly]


def _divide(a: Ratio, b: Ratio) -> Ratio:
    num, den = _times(a[0], b[1]), _times(a[1], b[0])
    if not den:
        raise Error("division_by_zero")
    if len(den) == 1:  # a single monomial divides exactly, as a Laurent monomial
        ((monomial, coefficient),) = den.items()
        inverse: Poly = {_sorted((x, -e) for x, e in monomial): _whole(Fraction(1) / coefficient)}
        return _times(num, inverse), _ONE
    if num == den or not num:
        return (_ONE if num else {}), _ONE
    if min(den.items(), key=str)[1] < 0:  # one sign for equal quotients
        num, den = _scaled(num, -1), _scaled(den, -1)
    return _reduced(num, den)


def _reduced(num: Poly, den: Poly) -> Ratio:
    """A quotient without the monomial that all of both sides share."""
    least: dict[Any, int] = {}
    monomials = [dict(monomial) for monomial in (*num, *den)]
    for atom in {atom for monomial in monomials for atom in monomial}:
        least[atom] = min(monomial.get(atom, 0) for monomial in monomials)
    common = _sorted((atom, -exponent) for atom, exponent in least.items())
    if not common:
        return num, den
    return _times(num, {common: 1}), _times(den, {common: 1})


def _scaled(poly: Poly, by: int) -> Poly:
    return {monomial: by * coefficient for monomial, coefficient in poly.items()}


def _ratio(node: Term) -> Ratio:
    match node:
        case Num(v):
            return ({(): v} if v else {}), _ONE
        case Sym(n):
            return {((n, 1),): 1}, _ONE
        case Size(n):
            return {((f"|{n}|", 1),): 1}, _ONE
        case Sum(ts):
            num, den = ({}, _ONE) if not ts else _ratio(ts[0])
            for t in ts[1:]:
                n2, d2 = _ratio(t)
                if den == d2:
                    num = _add(num, n2)
                else:
                    num, den = _add(_times(num, d2), _times(n2, den)), _times(den, d2)
            return num, den
        case Prod(fs):
            num, den = _ONE, _ONE
            for f in fs:
                n2, d2 = _ratio(f)
                num, den = _times(num, n2), _times(den, d2)
            return num, den
        case Neg(t):
            num, den = _ratio(t)
            return {m: -c for m, c in num.items()}, den
        case Quot(a, b):
            return _divide(_ratio(a), _ratio(b))
        case Pow() if not has_letters(node):
            plain = value(node)
            return ({(): plain} if plain else {}), _ONE
        case Pow(a, Num(e)):
            return _integer_power(_ratio(a), e)
        case Pow(a, Neg(Num(e))):
            return _divide((_ONE, _ONE), _integer_power(_ratio(a), e))
        case Pow(a, e) if not letters(e):
            return _numeric_power(_ratio(a), value(e))
        case Pow(a, e):
            return {((("pow", canonical(a), canonical(e)), 1),): 1}, _ONE
        case Floor(t):
            return _floor(_ratio(t))
        case Ceil(t):
            num, den = _floor(_ratio(Neg(t)))
            return {m: -c for m, c in num.items()}, den
        case Min(ts) | Max(ts):
            return _extreme(type(node).__name__, ts)
        case Entry(n, indices):
            return {((("entry", n, tuple(canonical(i) for i in indices)), 1),): 1}, _ONE
    raise Error("no_number", kind=type(node).__name__)


def _integer_power(base: Ratio, exponent: int) -> Ratio:
    if exponent > MAX_EXPONENT:
        raise TooLarge("too_large_exponent", exponent=exponent)
    return _raised(base[0], exponent), _raised(base[1], exponent)


def _numeric_power(base: Ratio, exponent: Value) -> Ratio:
    if exponent.denominator != 1:
        raise Error("fractional_exponent")
    raised = _integer_power(base, abs(exponent.numerator))
    return raised if exponent >= 0 else _divide((_ONE, _ONE), raised)


def _extreme(kind: str, ts: tuple[Term, ...]) -> Ratio:
    parts = {canonical(t) for t in ts}
    if len(parts) == 1:
        return _ratio(ts[0])
    if kind == "Max" and canonical(Num(1)) in parts and any(isinstance(t, Sym) for t in ts):
        return _extreme(kind, tuple(t for t in ts if canonical(t) != canonical(Num(1))))
    if all(not letters(t) for t in ts):
        pick = min if kind == "Min" else max
        found = pick(value(t) for t in ts)
        return ({(): found} if found else {}), _ONE
    return {(((kind, frozenset(parts)), 1),): 1}, _ONE


def _floor(inside: Ratio) -> Ratio:
    """Floor by its definition, brought to one form.

    Letters are whole numbers, so with floor(N/D), D one positive monomial, every summand of
    N that D divides comes out (floor(x + n) = floor(x) + n); a common divisor t of D and all
    of N but its constant c lets c step down to a multiple of t; and of the two forms
    floor(N/D) = -floor((D-1-N)/D) the one with the smaller leading coefficient is kept.
    """
    num, den = inside
    if den != _ONE and _below_one(num, den):
        return {}, _ONE
    if den != _ONE and num and _below_one(_add(_scaled(num, -1), _ONE, -1), den):
        return {(): -1}, _ONE  # -1 <= num/den < 0
    if den != _ONE:
        return {((("floor", _freeze(num), _freeze(den)), 1),): 1}, _ONE
    top, bottom = _over_one_monomial(num)
    whole: Poly = {}
    sign = 1
    for _ in range(3):
        out, top, bottom = _pull_out(top, bottom)
        whole = _add(whole, out, sign)
        if not top or not _turned(top, bottom):
            break
        top, sign = _add(_add({bottom[0]: bottom[1]}, _ONE, -1), top, -1), -sign
    if not top:
        return whole, _ONE
    atom = ("floor", _freeze(top), _freeze({bottom[0]: bottom[1]}))
    return _add(whole, {((atom, 1),): sign}), _ONE


def _below_one(num: Poly, den: Poly) -> bool:
    """Whether 0 <= num/den < 1 for all positive letters, seen from the signs alone."""
    if any(c < 0 for c in (*num.values(), *den.values())) or set(num) - {()}:
        return False
    positive = all(e > 0 for monomial in den for _, e in monomial)
    return positive and num.get((), 0) < sum(den.values())


Scaled = tuple[Monomial, int]  # one positive monomial with its whole coefficient


def _over_one_monomial(num: Poly) -> tuple[Poly, Scaled]:
    scale = math.lcm(1, *(Fraction(c).denominator for c in num.values()))
    lowest: dict[Any, int] = {}
    for monomial in num:
        for atom, exponent in monomial:
            lowest[atom] = min(lowest.get(atom, 0), exponent)
    bottom = _sorted((atom, -e) for atom, e in lowest.items())
    return _times(num, {bottom: scale}), (bottom, scale)


def _pull_out(top: Poly, bottom: Scaled) -> tuple[Poly, Poly, Scaled]:
    monomial, scale = bottom
    need = dict(monomial)
    out: Poly = {}
    rest: Poly = {}
    for m, c in top.items():
        have = dict(m)
        if all(have.get(atom, 0) >= e for atom, e in need.items()):
            quotient, c = divmod(int(c), scale)
            if quotient:
                out[_sorted((a, e - need.get(a, 0)) for a, e in m)] = quotient
        if c:
            rest[m] = c
    step = math.gcd(scale, *(int(c) for m, c in rest.items() if m != ()))
    if step > 1:
        rest = {m: int(c) // step for m, c in rest.items() if int(c) // step}
        scale //= step
    if not monomial and set(rest) <= {()}:
        rest = {}  # 0 <= constant < scale
    return out, rest, (monomial, scale)


def _turned(top: Poly, bottom: Scaled) -> bool:
    """Whether the mirrored form -floor((D-1-N)/D) is the one to keep."""
    lead = min((m for m in top if m != ()), key=str, default=())
    coefficient, (monomial, scale) = int(top[lead]), bottom
    if monomial:
        return coefficient < 0
    return 2 * coefficient > scale or (2 * coefficient == scale and 2 * top.get((), 0) >= scale)


def _freeze(poly: Poly) -> frozenset[tuple[Monomial, Value]]:
    return frozenset(poly.items())


@functools.lru_cache(maxsize=8192)
def canonical(node: Term) -> Canonical:
    """The canonical form: equal forms are equal quantities."""
    num, den = _ratio(node)
    return Canonical(_freeze(num), _freeze(den))


def polynomial(node: Term) -> Poly:
    """The Laurent polynomial of a Term; refused where a sum stands in a denominator."""
    num, den = _ratio(node)
    if den != _ONE:
        raise Error("not_polynomial")
    return num


def depends_on(node: Term, name: str) -> bool:
    """Whether the quantity changes with a letter: it is in the canonical form.

    >>> depends_on(Sym("H") * 2 / Sym("H"), "H")
    False
    """
    form = canonical(node)
    return any(
        _mentions(atom, name)
        for part in (form.num, form.den)
        for monomial, _ in part
        for atom, _ in monomial
    )


def _mentions(atom: Any, name: str) -> bool:
    if isinstance(atom, str):
        return atom == name
    if isinstance(atom, Canonical):
        return any(_mentions(a, name) for p in (atom.num, atom.den) for m, _ in p for a, _ in m)
    if isinstance(atom, tuple | frozenset):
        return any(_mentions(piece, name) for piece in atom)
    return False


# --- judging ------------------------------------------------------------------------------

PRIME = (1 << 61) - 1


@functools.lru_cache(maxsize=4096)
def _at_random(name: str) -> int:
    # A fixed point per letter, spread by a multiplicative hash: repeatable across runs.
    seed = 0
    for character in name:
        seed = (seed * 1_000_003 + ord(character) * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % PRIME
    return pow(seed + 7, 5, PRIME) or 1


def fingerprint(node: Term) -> int | None:
    """The value at one fixed random point modulo 2^61 - 1; None where a floor stands."""
    match node:
        case Num(v):
            return v % PRIME
        case Sym(n):
            return _at_random(n)
        case Size(n):
            return _at_random(f"|{n}|")
        case Sum(ts):
            parts = [fingerprint(t) for t in ts]
            return None if None in parts else sum(parts) % PRIME  # type: ignore[arg-type]  # no None is left
        case Prod(fs):
            out = 1
            for f in fs:
                part = fingerprint(f)
                if part is None:
                    return None
                out = out * part % PRIME
            return out
        case Neg(t):
            part = fingerprint(t)
            return None if part is None else -part % PRIME
        case Quot(a, b):
            top, bottom = fingerprint(a), fingerprint(b)
            if top is None or not bottom:
                return None
            return top * pow(bottom, -1, PRIME) % PRIME
        case Pow(a, Num(e)):
            part = fingerprint(a)
            return None if part is None else pow(part, e, PRIME)
    return None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judge's answer: equal, different with a counterexample, or (rarely) undecided."""

    equal: bool | None
    counterexample: dict[str, int] | None = None
    left: Value | None = None
    right: Value | None = None

    def __bool__(self) -> bool:
        return self.equal is True


def same(a: Term, b: Term) -> bool:
    """Whether two Terms are one quantity, proved by their canonical forms.

    >>> k, c = Sym("k"), Sym("C_in")
    >>> same(k * k * c, k**2 * c), same(Floor((c + 2) / 2), Floor(c / 2) + 1)
    (True, True)
    """
    if a == b:
        return True
    left, right = fingerprint(a), fingerprint(b)
    if left is not None and right is not None and left != right:
        return False
    fa, fb = canonical(a), canonical(b)
    if fa == fb:
        return True
    cross = _times(dict(fa.num), dict(fb.den)), _times(dict(fb.num), dict(fa.den))
    return cross[0] == cross[1]


def judge(a: Term, b: Term) -> Judgement:
    """Equal or different, and never "different" without a counterexample in whole numbers.

    >>> judge(Sym("k") * 2, Sym("k") ** 2).counterexample
    {'k': 1}
    """
    if same(a, b):
        return Judgement(True)
    names = sorted(letters(a) | letters(b))
    for env in _trials(names):
        try:
            left, right = value(a, env), value(b, env)
        except Error:
            continue
        if left != right:
            return Judgement(False, env, left, right)
    return Judgement(None)


def _trials(names: list[str]) -> Iterable[dict[str, int]]:
    small = (1, 2, 3, 5, 7, 4, 6, 8, 12)
    yield from (dict.fromkeys(names, v) for v in small)
    for shift in range(24):
        yield {n: small[(i * (shift % 5 + 1) + shift) % len(small)] for i, n in enumerate(names)}
    for base in (11, 23, 101):
        yield {n: base + 13 * i for i, n in enumerate(names)}


# --- from a canonical form back to ink ------------------------------------------------------


def difference(a: Term, b: Term) -> Term:
    """a - b as a Term, expanded; 0 when they are the same."""
    num, den = _ratio(a - b)
    top = written(num)
    return top if den == _ONE else Quot(top, written(den))


def written(poly: Poly) -> Term:
    """A polynomial as ink: highest degree first, letters in alphabetical order."""
    if not poly:
        return Num(0)
    ordered = sorted(
        poly.items(), key=lambda item: (-sum(e for _, e in item[0]), str(item[0]), item[1])
    )
    return total(*(_written_monomial(m, c) for m, c in ordered))


def _written_monomial(monomial: Monomial, coefficient: Value) -> Term:
    tops = [_written_power(atom, e) for atom, e in monomial if e > 0]
    bottoms = [_written_power(atom, -e) for atom, e in monomial if e < 0]
    size = -coefficient if coefficient < 0 else coefficient
    if size.numerator != 1 or not tops:
        tops.insert(0, Num(size.numerator))
    if size.denominator != 1:
        bottoms.insert(0, Num(size.denominator))
    body = product(*tops)
    if bottoms:
        body = Quot(body, product(*bottoms))
    return Neg(body) if coefficient < 0 else body


def _written_power(atom: Any, exponent: int) -> Term:
    base = _written_atom(atom)
    return base if exponent == 1 else Pow(base, Num(exponent))


def _written_atom(atom: Any) -> Term:
    if isinstance(atom, str):
        return Size(atom[1:-1]) if atom.startswith("|") else Sym(atom)
    kind, *rest = atom
    if kind == "floor":
        top, bottom = (written(dict(part)) for part in rest)
        return Floor(top if bottom == Num(1) else Quot(top, bottom))
    if kind in ("Min", "Max"):
        parts = sorted((_written_canonical(c) for c in rest[0]), key=str)
        return Min(tuple(parts)) if kind == "Min" else Max(tuple(parts))
    if kind == "pow":
        return Pow(_written_canonical(rest[0]), _written_canonical(rest[1]))
    return Entry(rest[0], tuple(_written_canonical(c) for c in rest[1]))


def _written_canonical(form: Canonical) -> Term:
    top = written(dict(form.num))
    return top if dict(form.den) == _ONE else Quot(top, written(dict(form.den)))


def number(node: Term) -> Value | None:
    """The value of a Term without letters, else None."""
    if type(node) is Sym:
        return None
    try:
        return value(node)
    except NoValue:
        return None


def exactly(node: Term, env: Mapping[str, Term]) -> Term:
    """A Term with letters bound, worked out to a number where no letter is left."""
    bound = substitute(node, env)
    return bound if letters(bound) else term_of(value(bound))


def term_of(number: Fraction | int) -> Term:
    """A number as ink; a fraction as a quotient."""
    if isinstance(number, int):
        return term(number)
    return Quot(term(number.numerator), Num(number.denominator))
