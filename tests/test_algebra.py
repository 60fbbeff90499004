"""The judge is exact: it agrees with SymPy and with plain arithmetic, and it is bounded."""

from __future__ import annotations

import itertools
import time
from fractions import Fraction

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from strategies import LETTERS, terms
from symparams.algebra import (
    TooLarge,
    canonical,
    depends_on,
    difference,
    fingerprint,
    judge,
    number,
    polynomial,
    same,
    value,
    written,
)
from symparams.bridge import to_sympy
from symparams.errors import Error
from symparams.terms import (
    Ceil,
    Entry,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Pow,
    Quot,
    Rel,
    S,
    Size,
    Term,
    term,
)

k, c, o, h, w, s, g = map(S, ["k", "C_in", "C_out", "H", "W", "s", "g"])
ENVS = [dict(zip(LETTERS, numbers, strict=True))
        for numbers in ((1, 1, 1, 1), (2, 3, 5, 7), (4, 1, 6, 2), (9, 8, 3, 5))]  # fmt: skip


def values(node: Term) -> list[object]:
    found: list[object] = []
    for env in ENVS:
        try:
            found.append(value(node, env))
        except Error as refused:
            assume(not isinstance(refused, TooLarge))
            found.append(None)
    return found


@settings(max_examples=150, deadline=None)
@given(terms(), terms())
def test_equal_is_what_sympy_expands_to_zero(left: Term, right: Term) -> None:
    assert same(left, right) == (sympy.expand(to_sympy(left) - to_sympy(right)) == 0)


@settings(max_examples=100, deadline=None)
@given(terms())
def test_a_term_is_its_expansion(node: Term) -> None:
    opened = written(polynomial(node))
    assert same(node, opened)
    assert canonical(node) == canonical(opened)
    assert fingerprint(node) == fingerprint(opened)
    assert values(node) == values(opened)


@settings(max_examples=150, deadline=None)
@given(terms(floors=True, quotients=True), terms(floors=True, quotients=True))
def test_equal_terms_have_equal_values(left: Term, right: Term) -> None:
    try:
        equal = same(left, right)
    except Error:
        assume(False)
    pairs = [(x, y) for x, y in zip(values(left), values(right), strict=True)
             if None not in (x, y)]  # fmt: skip
    if equal:
        assert all(x == y for x, y in pairs)


@settings(max_examples=100, deadline=None)
@given(terms(floors=True), terms(floors=True))
def test_different_is_said_with_a_counterexample(left: Term, right: Term) -> None:
    try:
        found = judge(left, right)
    except TooLarge:
        assume(False)
    if found.equal is False:
        assert found.counterexample is not None
        assert all(isinstance(n, int) and n > 0 for n in found.counterexample.values())
        assert value(left, found.counterexample) == found.left
        assert value(right, found.counterexample) == found.right
        assert found.left != found.right
    elif found.equal:
        assert values(left) == values(right)


@settings(max_examples=100, deadline=None)
@given(terms(), terms())
def test_the_difference_is_zero_exactly_when_equal(left: Term, right: Term) -> None:
    assert same(difference(left, right), left - right)
    assert (difference(left, right) == Num(0)) == same(left, right)


@settings(max_examples=100, deadline=None)
@given(terms(), st.sampled_from(LETTERS))
def test_depends_on_is_what_the_derivative_says(node: Term, name: str) -> None:
    expression = sympy.expand(to_sympy(node))
    assert depends_on(node, name) == (to_sympy(S(name)) in expression.free_symbols)


EQUAL = [
    (k * k * c * o + o, o * (k**2 * c + 1)),
    ((h + 2 - 3) / 1 + 1, h),
    (Floor((h + 2) / 2), Floor(h / 2) + 1),
    (Floor((h - 1) / 2) + 1, Ceil(h / 2)),
    (Floor((2 * h + 1) / 2), h),
    (Floor((h + 2 * s - 1) / s), Floor((h - 1) / s) + 2),
    (Ceil((h - 3 + 1) / 2), Floor((h - 3) / 2) + 1),
    (Floor(h / 1), h),
    (Floor(h * s / s), h),
    (-Floor(-h / 2), Ceil(h / 2)),
    (Quot(c * o, g) * g, c * o),
    (Quot(k**2 * c + c * o, k**2 * c * o), 1 / o + 1 / k**2),
    (Quot(k**2 - c**2, k - c), k + c),
    (Min((h, w)), Min((w, h))),
    (Max((h, h)), h),
    (Max((term(1), h)), h),
    (Min((term(4), term(3))), term(3)),
    (Pow(k, Neg(Num(2))), 1 / k**2),
    (Size("w") + Size("w"), 2 * Size("w")),
]
DIFFERENT = [
    (k * 2, k**2),
    (k * k * c, k * c * c),
    (Floor(h / 2), h / 2),
    (Floor((h + 1) / 2), Floor(h / 2)),
    (Ceil(h / 2), Floor(h / 2)),
    (Floor(h / 2) * 2, h),
    (Min((h, w)), Max((h, w))),
    (c * o / g, c * o),
    (Max((term(2), h)), h),
    (term(294_912), term(295_168)),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal(left: Term, right: Term) -> None:
    assert same(left, right)
    assert judge(left, right).equal is True


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different(left: Term, right: Term) -> None:
    assert not same(left, right)
    assert judge(left, right).equal is False


@pytest.mark.parametrize(
    ("n", "stride", "k_", "padding"),
    list(itertools.product(range(5, 9), (1, 2, 3), (1, 3), (0, 1)))[::3],
)
def test_floors_are_python_s(n: int, stride: int, k_: int, padding: int) -> None:
    top = h + 2 * S("P") - k
    env = {"H": n, "P": padding, "k": k_, "s": stride}
    exact = Fraction(n + 2 * padding - k_, stride)
    assert value(Floor(top / s) + 1, env) == exact.__floor__() + 1
    assert value(Ceil(top / s), env) == exact.__ceil__()


@pytest.mark.parametrize(
    ("node", "name", "depends"),
    [
        (h * 2 / h, "H", False),
        (h - h + c, "H", False),
        (Floor(h / 2), "H", True),
        (Floor((2 * h) / 2) - h, "H", False),
        (Max((h, w)), "W", True),
        (Entry("w", (h,)), "H", True),
        (Pow(Num(2), h), "H", True),
        (c, "H", False),
        (Quot(h * c + h * k, h * c + h * o), "H", False),
    ],
)
def test_depends_on(node: Term, name: str, depends: bool) -> None:
    assert depends_on(node, name) is depends


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (term(3) * 3 * 128 * 256 + 256, 295_168),
        (term(7) / 2, Fraction(7, 2)),
        (Floor(term(7) / 2), 3),
        (Ceil(term(7) / 2), 4),
        (Neg(Num(3)), -3),
        (Pow(Num(2), Neg(Num(1))), Fraction(1, 2)),
        (h, None),
        (Rel(Num(1), Num(1)), None),
    ],
)
def test_number(node: Term, found: object) -> None:
    assert number(node) == found


def test_whole_values_are_ints() -> None:
    assert isinstance(value(term(6) / 3), int)
    assert isinstance(value(term(6) / 4 * 2), int)


# --- bounds --------------------------------------------------------------------------------------


def tower(height: int) -> Term:
    node: Term = S("a")
    for _ in range(height):
        node = (node + 1) ** 9
    return node


LARGE = {
    "a tower of powers": Pow(Num(9), Pow(Num(9), Pow(Num(9), Num(9)))),
    "a huge exponent": Pow(k, Num(10**9)),
    "many summands": tower(6),
    "many letters": Pow(sum((S(f"x{n}") for n in range(40)), Num(1)), Num(9)),
}


@pytest.mark.parametrize("node", LARGE.values(), ids=LARGE)
def test_what_nobody_writes_is_refused_at_once(node: Term) -> None:
    start = time.perf_counter()
    with pytest.raises(TooLarge) as refused:
        canonical(node)
    assert time.perf_counter() - start < 2
    assert str(refused.value)


@pytest.mark.parametrize(
    "node", [Quot(k, Num(0)), Quot(k, h - h), Pow(Num(0), Neg(Num(1)))], ids=str
)
def test_division_by_zero_is_refused(node: Term) -> None:
    for ask in (canonical, lambda n: value(n, {"k": 1, "H": 2})):
        with pytest.raises(Error) as refused:
            ask(node)
        assert refused.value.id == "division_by_zero"


def test_a_letter_without_a_value_is_refused() -> None:
    with pytest.raises(Error, match="H has no value"):
        value(h + 1, {"k": 1})
