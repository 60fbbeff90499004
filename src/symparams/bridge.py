"""The bridge between ink and SymPy: exact both ways, and crossed only when somebody asks.

SymPy takes a third of a second to import (shared/core.md, section 2), so it is imported
where an object of it is made; no text ever goes through its parser.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .algebra import MAX_BITS, MAX_EXPONENT, TooLarge, value
from .errors import Error
from .terms import (
    Ceil,
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
    children,
    product,
    term,
    total,
    walk,
)

if TYPE_CHECKING:
    import sympy

SWITCHES = frozenset({"b"})
MAX_DEGREE = 4096


@functools.lru_cache(maxsize=4096)
def symbol(name: str, nonnegative: frozenset[str] = SWITCHES) -> sympy.Symbol:
    """The SymPy symbol of a letter: a positive whole number, or 0 too where it is a switch.

    >>> symbol("k").is_positive, symbol("b").is_positive, symbol("b").is_nonnegative
    (True, None, True)
    """
    import sympy

    if name.rpartition(".")[2] in nonnegative:
        return sympy.Symbol(name, integer=True, nonnegative=True)
    return sympy.Symbol(name, integer=True, positive=True)


def to_sympy(
    node: Term, evaluate: bool = True, nonnegative: frozenset[str] = SWITCHES
) -> sympy.Expr:
    """A Term as a SymPy object; ``evaluate=False`` keeps what SymPy would work out.

    >>> to_sympy(Sym("k") * Sym("k") * 3 / 6)
    k**2/2
    >>> to_sympy(3 * Num(3) * Sym("C_in"), evaluate=False).args
    (3, 3, C_in)

    Raises:
        Error: an entry, a big sum or a relation has no such object.
        TooLarge: a power is beyond what anybody writes, and SymPy would not come back.
    """
    if not evaluate and any(_divides(part) for _, part in walk(node)):
        _over(node, True, nonnegative, 1)  # where a division by zero is refused
    return _over(node, evaluate, nonnegative, 1)


_NAMES = {Floor: "floor", Ceil: "ceiling", Min: "Min", Max: "Max"}


def _over(node: Term, evaluate: bool, switches: frozenset[str], degree: int) -> Any:
    import sympy

    def go(part: Term) -> Any:
        return _over(part, evaluate, switches, degree)

    match node:
        case Num(v):
            return sympy.Integer(v)
        case Sym(n):
            return symbol(n, switches)
        case Size(n):
            return symbol(f"|{n}|", frozenset())
        case Sum(ts):
            return sympy.Add(*map(go, ts), evaluate=evaluate)
        case Prod(fs):
            return sympy.Mul(*map(go, fs), evaluate=evaluate)
        case Neg(t):
            return sympy.Mul(sympy.Integer(-1), go(t), evaluate=evaluate)
        case Quot(a, b):
            under = _finite(sympy.Pow(go(b), sympy.Integer(-1), evaluate=evaluate), evaluate)
            return sympy.Mul(go(a), under, evaluate=evaluate)
        case Pow(a, e):
            base = _over(a, evaluate, switches, _raised_degree(a, e, degree))
            return _finite(sympy.Pow(base, go(e), evaluate=evaluate), evaluate)
        case Floor() | Ceil() | Min() | Max():
            return getattr(sympy, _NAMES[type(node)])(*map(go, children(node)), evaluate=evaluate)
    raise Error("no_sympy", kind=type(node).__name__)


def _divides(node: Term) -> bool:
    return isinstance(node, Quot) or (isinstance(node, Pow) and not isinstance(node.exp, Num))


def _finite(power: Any, evaluate: bool) -> Any:
    """A power that is a number.  SymPy is asked of what it worked out only: of what is left
    unevaluated, (0*1*0)**1 + 0, it deduces facts that contradict each other, now and then."""
    if evaluate and power.is_finite is False:
        raise Error("division_by_zero")
    return power


def _raised_degree(base: Term, exponent: Term, degree: int) -> int:
    """The degree inside a power; powers of powers multiply, so the product is bounded."""
    size = exponent.term if isinstance(exponent, Neg) else exponent
    if not isinstance(size, Num):
        return degree
    raised = degree * max(size.value, 1)
    inner = base.term if isinstance(base, Neg) else base
    if isinstance(inner, Num):
        value(Pow(inner, Num(raised)))  # refused there where the number would be too large
    elif size.value > MAX_EXPONENT or raised > MAX_DEGREE:
        raise TooLarge("too_large_exponent", exponent=raised)
    return raised


def from_sympy(expression: Any) -> Term:
    """A SymPy object as ink: numbers first, then letters; what is subtracted comes last.

    >>> k, c = symbol("k"), symbol("C_in")
    >>> from_sympy(c * k**2 / 2 - 1) == Sym("C_in") * Sym("k") ** 2 / 2 - 1
    True

    Raises:
        Error: something in it is no size: a root, a float, infinity, a function.
    """
    if isinstance(expression, int) and not isinstance(expression, bool):
        return _number(expression)
    reader = _readers().get(_kind(expression))
    if reader is None:
        raise Error("no_term", kind=type(expression).__name__)
    return reader(expression)


def _kind(expression: Any) -> str:
    if getattr(expression, "is_Integer", False):
        return "Integer"
    if getattr(expression, "is_Rational", False):
        return "Rational"
    return "Symbol" if getattr(expression, "is_Symbol", False) else type(expression).__name__


@functools.cache
def _readers() -> dict[str, Callable[[Any], Term]]:
    return {
        "Integer":  lambda e: _number(int(e)),
        "Rational": lambda e: _fraction([_number(int(e.p))], [_number(int(e.q))]),
        "Symbol":   lambda e: _letter(e.name),
        "Add":      _sum,
        "Mul":      _product,
        "Pow":      _power,
        "floor":    lambda e: Floor(from_sympy(e.args[0])),
        "ceiling":  lambda e: Ceil(from_sympy(e.args[0])),
        "Min":      lambda e: Min(_parts(e)),
        "Max":      lambda e: Max(_parts(e)),
    }  # fmt: skip


def _parts(expression: Any) -> tuple[Term, ...]:
    # The arguments of Min and Max are a set; its sort key makes an order of it.
    ordered = sorted(expression.args, key=lambda argument: argument.sort_key())
    return tuple(map(from_sympy, ordered))


def _number(number: int) -> Term:
    if number.bit_length() > MAX_BITS:
        raise TooLarge("too_large")
    return term(number)


def _letter(name: str) -> Term:
    if len(name) > 2 and name[0] == name[-1] == "|":
        return Size(name[1:-1])
    return Sym(name)


def _sum(expression: Any) -> Term:
    terms = [from_sympy(argument) for argument in expression.as_ordered_terms()]
    return total(*sorted(terms, key=lambda part: isinstance(part, Neg)))


def _product(expression: Any) -> Term:
    tops: list[Term] = []
    bottoms: list[Term] = []
    negative = False
    for argument in expression.args:
        part = from_sympy(argument)
        if isinstance(part, Neg):
            negative, part = not negative, part.term
        if isinstance(part, Quot) and not argument.is_Mul:
            tops.append(part.num)
            bottoms.append(part.den)
        else:
            tops.append(part)
    body = _fraction(tops, bottoms)
    return Neg(body) if negative else body


def _fraction(tops: Iterable[Term], bottoms: Iterable[Term]) -> Term:
    over, under = (sorted((f for f in fs if f != Num(1)), key=_rank) for fs in (tops, bottoms))
    if over and isinstance(over[0], Neg):
        return Neg(_fraction([over[0].term, *over[1:]], under))
    return Quot(product(*over), product(*under)) if under else product(*over)


def _rank(factor: Term) -> int:
    """Numbers, then letters and their powers, then brackets."""
    if isinstance(factor, Num):
        return 0
    return 2 if isinstance(factor, Sum) else 1


def _power(expression: Any) -> Term:
    base, exponent = expression.args
    if exponent.is_Rational and not exponent.is_Integer:
        raise Error("fractional_exponent")
    if exponent.is_Integer and exponent < 0:
        under = from_sympy(base)
        return Quot(Num(1), under if exponent == -1 else Pow(under, _number(-int(exponent))))
    return Pow(from_sympy(base), from_sympy(exponent))
