"""The ink keeps what was written: order, brackets, paths."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings

from strategies import terms
from symparams import terms as ink
from symparams.algebra import same
from symparams.terms import (
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
    Pow,
    Prod,
    Quot,
    Rel,
    S,
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
    substitute,
    term,
    total,
    walk,
)

a, b, c, k = map(S, "abck")

# One of every kind of node, with its sub-terms.
NODES: dict[type[Term], tuple[Term, tuple[Term, ...]]] = {
    Num: (Num(3), ()),
    Sym: (a, ()),
    Size: (Size("weight"), ()),
    Sum: (Sum((a, b)), (a, b)),
    Prod: (Prod((a, b)), (a, b)),
    Neg: (Neg(a), (a,)),
    Quot: (Quot(a, b), (a, b)),
    Pow: (Pow(a, Num(2)), (a, Num(2))),
    Floor: (Floor(a), (a,)),
    Ceil: (Ceil(a), (a,)),
    Min: (Min((a, b)), (a, b)),
    Max: (Max((a, b)), (a, b)),
    Entry: (Entry("w", (a, b)), (a, b)),
    BigSum: (BigSum((("i", k),), Entry("w", (S("i"),))), (k, Entry("w", (S("i"),)))),
    Rel: (Rel(a, b, "<"), (a, b)),
}


def test_every_node_is_in_the_table() -> None:
    kinds = {kind for kind in vars(ink).values()
             if isinstance(kind, type) and issubclass(kind, Term) and kind is not Term}  # fmt: skip
    assert kinds == set(NODES)


@pytest.mark.parametrize("kind", NODES, ids=lambda kind: kind.__name__)
def test_children_and_rebuild(kind: type[Term]) -> None:
    node, parts = NODES[kind]
    assert children(node) == parts
    assert rebuild(node, parts) == node
    fresh = tuple(Num(n) for n in range(len(parts)))
    other = rebuild(node, fresh)
    assert type(other) is kind
    assert children(other) == fresh


@pytest.mark.parametrize("kind", NODES, ids=lambda kind: kind.__name__)
def test_nodes_do_not_change(kind: type[Term]) -> None:
    node, _ = NODES[kind]
    first = dataclasses.fields(node)[0].name  # type: ignore[arg-type]  # every node is one
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(node, first, 1)
    assert hash(node) == hash(dataclasses.replace(node))  # type: ignore[type-var]  # as above


@pytest.mark.parametrize(
    ("written", "node"),
    [
        (a + b + c, Sum((a, b, c))),
        (a + (b + c), Sum((a, Sum((b, c))))),
        (a * b * 3, Prod((a, b, Num(3)))),
        (3 * a * b, Prod((Num(3), a, b))),
        (a * (b * c), Prod((a, Prod((b, c))))),
        (a - b, Sum((a, Neg(b)))),
        (1 - a, Sum((Num(1), Neg(a)))),
        (2 + a, Sum((Num(2), a))),
        (a / 2, Quot(a, Num(2))),
        (1 / a, Quot(Num(1), a)),
        (a**2, Pow(a, Num(2))),
        (-a, Neg(a)),
        (a + -3, Sum((a, Neg(Num(3))))),
        (term(-3), Neg(Num(3))),
        (total(), ZERO),
        (product(), ONE),
        (total(a), a),
        (product(a), a),
        (product(2, a), Prod((Num(2), a))),
    ],
    ids=str,
)
def test_operators_write_and_never_compute(written: Term, node: Term) -> None:
    assert written == node


def test_two_times_three_stays() -> None:
    assert term(2) * 3 != Num(6)
    assert term(2) * 3 != term(3) * 2


@settings(max_examples=100, deadline=None)
@given(terms(floors=True, quotients=True))
def test_paths_lead_where_walk_says(node: Term) -> None:
    for path, part in walk(node):
        assert at(node, path) == part
        assert replace(node, path, part) == node
        assert at(replace(node, path, Size("new")), path) == Size("new")


@settings(max_examples=100, deadline=None)
@given(terms(floors=True, quotients=True))
def test_walk_gives_parents_first_and_every_letter(node: Term) -> None:
    paths = [path for path, _ in walk(node)]
    assert paths[0] == ()
    assert len(set(paths)) == len(paths)
    assert all(path[:-1] in paths[:n] for n, path in enumerate(paths) if path)
    assert letters(node) == {part.name for _, part in walk(node) if isinstance(part, Sym)}


@settings(max_examples=100, deadline=None)
@given(terms(floors=True))
def test_substituting_nothing_is_nothing(node: Term) -> None:
    assert substitute(node, {}) is node
    assert substitute(node, {"nobody": ONE}) is node
    assert substitute(node, {name: S(name) for name in letters(node)}) == node


@settings(max_examples=60, deadline=None)
@given(terms())
def test_substituting_there_and_back(node: Term) -> None:
    there = {name: S("x_" + name) for name in letters(node)}
    back = {"x_" + name: S(name) for name in letters(node)}
    assert substitute(substitute(node, there), back) == node


def test_letters_are_exchanged_at_once() -> None:
    assert substitute(a + b * a, {"a": b, "b": a}) == b + a * b


@pytest.mark.parametrize(
    ("node", "value", "written"),
    [
        (k * a, 2 * c, Prod((k, Num(2), c))),
        (k + a, c + 1, Sum((k, c, ONE))),
        (k * a, c + 1, Prod((k, Sum((c, ONE))))),
        (k + a, 2 * c, Sum((k, Prod((Num(2), c))))),
        (a**2, 2 * c, Pow(Prod((Num(2), c)), Num(2))),
        (k / a, 2 * c, Quot(k, Prod((Num(2), c)))),
        (Prod((k, Prod((a, b)))), c, Prod((k, Prod((c, b))))),
    ],
    ids=str,
)
def test_only_brackets_that_somebody_wrote_stay(node: Term, value: Term, written: Term) -> None:
    found = substitute(node, {"a": value})
    assert found == written
    assert same(found, replace(node, next(p for p, part in walk(node) if part == a), value))
