"""The ink: small frozen trees that keep every written line in its writer's order.

SymPy cannot hold ``3*3*128*256 + 1*256`` as a teacher writes it, so sizes and lines are
Terms; ``algebra`` judges them and ``bridge`` turns them into SymPy and back.  This room
imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[int, ...]


class Term:
    """A node of ink.  Operators build ink, they never compute: ``S("k") * 3`` is a product.

    >>> S("C_in") / S("g")
    Quot(num=Sym(name='C_in'), den=Sym(name='g'))
    """

    __slots__ = ()

    def __add__(self, other: Term | int) -> Term:
        return total(*_spread(Sum, self), other)

    def __radd__(self, other: int) -> Term:
        return total(other, self)

    def __sub__(self, other: Term | int) -> Term:
        return total(*_spread(Sum, self), Neg(term(other)))

    def __rsub__(self, other: int) -> Term:
        return total(other, Neg(self))

    def __mul__(self, other: Term | int) -> Term:
        return product(*_spread(Prod, self), other)

    def __rmul__(self, other: int) -> Term:
        return product(other, *_spread(Prod, self))

    def __truediv__(self, other: Term | int) -> Term:
        return Quot(self, term(other))

    def __rtruediv__(self, other: int) -> Term:
        return Quot(Num(other), self)

    def __pow__(self, other: Term | int) -> Term:
        return Pow(self, term(other))

    def __neg__(self) -> Term:
        return Neg(self)


@dataclass(frozen=True, slots=True)
class Num(Term):
    """A whole number as written."""

    value: int


@dataclass(frozen=True, slots=True)
class Sym(Term):
    """A letter, by its plain name: ``C_in``, ``k_h``, ``depthwise.H_out``."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum(Term):
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Prod(Term):
    """A product; a product inside a product is printed with brackets."""

    factors: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Neg(Term):
    term: Term


@dataclass(frozen=True, slots=True)
class Quot(Term):
    num: Term
    den: Term


@dataclass(frozen=True, slots=True)
class Pow(Term):
    base: Term
    exp: Term


@dataclass(frozen=True, slots=True)
class Floor(Term):
    term: Term


@dataclass(frozen=True, slots=True)
class Ceil(Term):
    term: Term


@dataclass(frozen=True, slots=True)
class Min(Term):
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Max(Term):
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Entry(Term):
    """One entry of a tensor in a written equation: ``w[o,c,i,j]``."""

    name: str
    indices: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class BigSum(Term):
    """A sum over index letters, each running from 1 to its bound."""

    over: tuple[tuple[str, Term], ...]
    body: Term


@dataclass(frozen=True, slots=True)
class Rel(Term):
    """A relation between two sides, ``=`` unless said."""

    left: Term
    right: Term
    sign: str = "="


@dataclass(frozen=True, slots=True)
class Size(Term):
    """The number of entries of a tensor or part, ``|weight|``, until it is unfolded."""

    name: str


ONE = Num(1)
ZERO = Num(0)


def S(name: str) -> Sym:
    """A letter (or, of several names, only the first use needs this short name)."""
    return Sym(name)


def term(value: Term | int) -> Term:
    """A Term as it is, a whole number as ``Num``.

    >>> term(3)
    Num(value=3)
    """
    if isinstance(value, Term):
        return value
    return Num(value) if value >= 0 else Neg(Num(-value))


def _spread(kind: type, value: Term) -> tuple[Term, ...]:
    if isinstance(value, kind):
        return value.terms if isinstance(value, Sum) else value.factors  # type: ignore[attr-defined]  # kind is Sum or Prod
    return (value,)


def total(*terms: Term | int) -> Term:
    """The sum as written; one summand is itself, none is 0."""
    items = tuple(term(t) for t in terms)
    if not items:
        return ZERO
    return items[0] if len(items) == 1 else Sum(items)


def product(*factors: Term | int) -> Term:
    """The product as written; one factor is itself, none is 1.

    >>> product(3, 3, S("C_in")) == 3 * Num(3) * S("C_in")
    True
    """
    items = tuple(term(f) for f in factors)
    if not items:
        return ONE
    return items[0] if len(items) == 1 else Prod(items)


def children(node: Term) -> tuple[Term, ...]:
    """The sub-terms in the order a path counts them."""
    return _CHILDREN.get(type(node), _no_children)(node)


def _no_children(node: Term) -> tuple[Term, ...]:
    return ()


# A table by type, since every walk asks at every node.
_CHILDREN: dict[type[Term], Callable[[Any], tuple[Term, ...]]] = {
    **dict.fromkeys((Sum, Min, Max), lambda node: node.terms),
    Prod: lambda node: node.factors,
    **dict.fromkeys((Neg, Floor, Ceil), lambda node: (node.term,)),
    Quot: lambda node: (node.num, node.den),
    Pow: lambda node: (node.base, node.exp),
    Rel: lambda node: (node.left, node.right),
    Entry: lambda node: node.indices,
    BigSum: lambda node: (*(bound for _, bound in node.over), node.body),
}


def rebuild(node: Term, parts: tuple[Term, ...]) -> Term:
    """The same node over other sub-terms (as many as ``children`` gave)."""
    match node:
        case Sum() | Min() | Max() | Prod():
            return type(node)(parts)
        case Neg() | Floor() | Ceil():
            return type(node)(parts[0])
        case Quot() | Pow():
            return type(node)(parts[0], parts[1])
        case Rel(_, _, sign):
            return Rel(parts[0], parts[1], sign)
        case Entry(name, _):
            return Entry(name, parts)
        case BigSum(over, _):
            letters = (letter for letter, _ in over)
            return BigSum(tuple(zip(letters, parts[:-1], strict=True)), parts[-1])
    return node


def at(node: Term, path: Path) -> Term:
    """The sub-term at a path of child numbers.

    >>> at(S("a") + S("b") * 2, (1, 0))
    Sym(name='b')
    """
    for step in path:
        node = children(node)[step]
    return node


def replace(node: Term, path: Path, new: Term) -> Term:
    """The tree with the sub-term at a path exchanged."""
    if not path:
        return new
    parts = list(children(node))
    parts[path[0]] = replace(parts[path[0]], path[1:], new)
    return rebuild(node, tuple(parts))


def walk(node: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    """Every sub-term with its path, parents first."""
    yield path, node
    for position, part in enumerate(children(node)):
        yield from walk(part, (*path, position))


def letters(node: Term) -> frozenset[str]:
    """The names of all letters in a tree (index letters of a big sum included)."""
    found: set[str] = set()
    _collect(node, found)
    return frozenset(found)


def _collect(node: Term, found: set[str]) -> None:
    if type(node) is Sym:
        found.add(node.name)
    elif type(node) is not Num:
        for part in children(node):
            _collect(part, found)


def has_letters(node: Term) -> bool:
    """Whether anything without a value of its own is in a tree: a letter, an entry, the size
    of a tensor; stops at the first."""
    if type(node) in (Sym, Size, Entry):
        return True
    return type(node) is not Num and any(map(has_letters, children(node)))


def substitute(node: Term, values: Mapping[str, Term]) -> Term:
    """Letters exchanged for Terms, everywhere at once.

    A product put in for a factor joins the product around it (nobody wrote its brackets),
    likewise a sum among summands.

    >>> substitute(S("k") * S("C"), {"C": 2 * S("c")})
    Prod(factors=(Sym(name='k'), Num(value=2), Sym(name='c')))
    """
    if type(node) is Sym:
        return values.get(node.name, node)
    if type(node) is Num:
        return node
    parts = children(node)
    kind = type(node) if type(node) is Sum or type(node) is Prod else None
    fresh: list[Term] = []
    changed = False
    for part in parts:
        new = substitute(part, values)
        changed = changed or new is not part
        if kind is not None and isinstance(part, Sym) and isinstance(new, kind):
            fresh.extend(children(new))
        else:
            fresh.append(new)
    return rebuild(node, tuple(fresh)) if changed else node
