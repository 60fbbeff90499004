"""Every rewrite is sound, replays from its own data, and the chains end where they should."""

from __future__ import annotations

import dataclasses
import itertools
import time

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symparams import algebra
from symparams.bridge import symbol, to_sympy
from symparams.errors import Error, VerificationError
from symparams.rewriting import (
    PUTTING,
    RULES,
    Found,
    Rewrite,
    Rule,
    expanded,
    factored,
    numeric,
    put,
    replay,
    simplify,
    tidy,
    verify,
)
from symparams.terms import (
    ONE,
    Ceil,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Pow,
    Prod,
    Quot,
    S,
    Size,
    Sum,
    Term,
    at,
    children,
    walk,
)

a, b, c, o, g, h, k = map(S, ["a", "b", "C_in", "C_out", "g", "H", "k"])
k_h, k_w, d, p, s = map(S, ["k_h", "k_w", "d", "P", "s"])
FORMS = ("factored", "expanded", None)


def rules(lines):
    return [(line.rule, line.detail) for line in lines]


# --- random ink -------------------------------------------------------------------------------


def terms(letters=(a, k, c), floors=True, leaves=12):
    leaf = st.one_of(st.builds(Num, st.integers(0, 4)), st.sampled_from(letters or (ONE,)))

    def grown(inner):
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        kinds = [
            st.builds(Sum, several),
            st.builds(Prod, several),
            st.builds(Neg, inner),
            st.builds(Quot, inner, inner),
            st.builds(Pow, inner, st.builds(Num, st.integers(0, 3))),
        ]
        if floors:
            kinds += [st.builds(Floor, inner), st.builds(Ceil, inner)]
        return st.one_of(*kinds)

    return st.recursive(leaf, grown, max_leaves=leaves).filter(_has_value)


def _has_value(node: Term) -> bool:
    """Not a division by zero, not too large for the judge; anywhere in it."""
    try:
        for _, part in walk(node):
            algebra.canonical(part)
            if isinstance(part, Pow) and part.exp == Num(0) and algebra.same(part.base, Num(0)):
                return False  # 0^0
    except Error:
        return False
    return True


def size(node: Term) -> int:
    return sum(1 for _ in walk(node))


def second_judge(before: Term, after: Term) -> bool:
    """SymPy's expand, or whole-number samples where a floor stands."""
    floors = any(isinstance(n, Floor | Ceil) for t in (before, after) for _, n in walk(t))
    if not floors:
        difference = to_sympy(before) - to_sympy(after)
        return sympy.expand(sympy.together(difference).as_numer_denom()[0]) == 0
    for values in itertools.product((1, 2, 5), repeat=3):
        env = dict(zip(("a", "k", "C_in"), values, strict=True))
        try:
            left, right = algebra.value(before, env), algebra.value(after, env)
        except Error:
            continue
        if left != right:
            return False
    return True


@pytest.mark.parametrize("name", RULES, ids="-".join)
@settings(max_examples=80, deadline=None)
@given(node=terms())
def test_every_rule_is_sound_at_every_place(name, node):
    for path in itertools.islice(RULES[name].places(node), 6):
        rewrite = RULES[name].at(node, path)
        assert (rewrite.rule, rewrite.detail, rewrite.path) == (*name, path)
        verify(rewrite)


@settings(max_examples=600, deadline=None)
@given(terms(), st.sampled_from(FORMS))
def test_every_line_of_every_chain_is_sound(node, form):
    lines = simplify(node, form)
    before = node
    for line in lines:
        assert line.before == before
        assert line.after != before
        verify(line)
        for part in line.parts:
            verify(part)
        for group in line.cancelled:
            assert len(group) >= 2
            for path in group:
                assert at(before, path) is not None
        before = line.after
    assert algebra.judge(node, before).equal is not False


@settings(max_examples=80, deadline=None)
@given(terms(leaves=8), st.sampled_from(FORMS))
def test_a_second_judge_agrees(node, form):
    lines = simplify(node, form)
    assume(lines)
    assert second_judge(node, lines[-1].after)


@settings(max_examples=600, deadline=None)
@given(terms(), st.sampled_from(FORMS))
def test_chains_are_finished_and_do_not_grow(node, form):
    lines = simplify(node, form)
    assert len(lines) < 30
    if lines:
        end = lines[-1].after
        assert simplify(end, form) == ()
        if form is None:
            assert size(end) <= 2 * size(node) + 2


@settings(max_examples=600, deadline=None)
@given(terms())
def test_tidy_keeps_the_quantity_and_is_finished(node):
    found = tidy(node)
    assert algebra.judge(node, found).equal is not False
    assert tidy(found) == found
    assert size(found) <= size(node)


@settings(max_examples=600, deadline=None)
@given(terms(letters=()))
def test_numbers_are_worked_out_line_by_line(node):
    try:
        value = algebra.value(node)
    except Error:
        return
    lines = numeric(node)
    for line, after in itertools.pairwise(lines):
        assert line.after == after.before
    for line in lines:
        verify(line)
        for part in line.parts:
            verify(part)
    end = lines[-1].after if lines else node
    assert end == tidy(algebra.term_of(value))


@settings(max_examples=100, deadline=None)
@given(terms(), terms(leaves=4), st.sampled_from(sorted(PUTTING)))
def test_what_is_put_in_verifies(node, new, rule):
    whole = Prod((Size("part"), node)) + Size("part") + a
    try:
        rewrite = put(rule, whole, {"a": new, "part": new})
        verify(rewrite)
    except VerificationError:
        raise
    except Error:
        return  # nothing to put in, or what came out divides by zero
    assert replay(rewrite) == rewrite.after
    assert Size("part") not in dict(walk(rewrite.after)).values() or rule == "substitute"


# --- verification can fail --------------------------------------------------------------------


def test_an_unsound_rule_does_not_verify():
    wrong = Rule("collect", "freshman", (Pow,), _freshman)
    table = {**RULES, (wrong.id, wrong.detail): wrong}
    rewrite = wrong.at((a + c) ** 2 + 1, (0,))
    assert replay(rewrite, table) == rewrite.after
    with pytest.raises(VerificationError) as refusal:
        verify(rewrite, table)
    assert refusal.value.id == "rewrite_differs"
    assert str(refusal.value)


def _freshman(node: Pow) -> Found | None:
    if not isinstance(node.base, Sum):
        return None
    return Found(Sum(tuple(Pow(t, node.exp) for t in node.base.terms)))


def test_a_changed_record_does_not_verify():
    rewrite = RULES["collect", "power"].at(k * k)
    for forged in (
        dataclasses.replace(rewrite, after=k),
        dataclasses.replace(rewrite, before=k * k * c),
        dataclasses.replace(put("substitute", k * c, {"k": Num(3)}), after=4 * c),
    ):
        with pytest.raises(VerificationError) as refusal:
            verify(forged)
        assert refusal.value.id == "rewrite_replays_otherwise"


def test_a_merged_record_must_hang_together():
    (line, *_) = simplify(k * k * c + o * o)
    first, second = line.parts
    for parts in ((second, first), (first,), (first, dataclasses.replace(second, after=k))):
        with pytest.raises(VerificationError):
            verify(dataclasses.replace(line, parts=parts))


def test_a_rule_that_does_not_apply_is_refused():
    with pytest.raises(Error) as refusal:
        RULES["collect", "power"].at(k * c)
    assert refusal.value.id == "rule_not_here"
    with pytest.raises(Error):
        put("unfold", k * c, {"k": Num(3)})


def test_every_closed_id_has_a_rule():
    closed = {
        "define",
        "unfold",
        "substitute",
        "multiply",
        "add",
        "collect",
        "factor_out",
        "cancel",
    }
    assert {rule for rule, _ in RULES} | set(PUTTING) == closed


# --- what a teacher would write ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "form"),
    [
        (o * c * k * k + b * o, o * (k**2 * c + b)),
        (o * Prod((Quot(c, g),)) * k * k + b * o, o * (k**2 * c / g + b)),
        (o * Quot(c, g) * k * k + b * o, o * (k**2 * c / g + b)),
        (o * k_h * k_w * c + b * o, o * (k_h * k_w * c + b)),
        (o * c * k_h * k_w + b * o, o * (k_h * k_w * c + b)),
        (k * k * c * o + o, o * (k**2 * c + 1)),
        (-(k * c) - k * o, -(k * (c + o))),
        (2 * a + 4 * c, 2 * (a + 2 * c)),
        (a / g + c / g, (a + c) / g),
        ((a + 1) * c + (1 + a) * o, (a + 1) * (c + o)),
        ((a + 1) * b - a * b, b),
        (k**2 * c * o + o - (k**2 * c + 1) * o, Num(0)),
    ],
)
def test_factored(term, form):
    assert factored(term) == form


@pytest.mark.parametrize(
    ("term", "form"),
    [
        ((a + 1) * c, a * c + c),
        ((a + c) / g, a / g + c / g),
        ((a + c) ** 2, a**2 + 2 * a * c + c**2),
        (2 * (k - 1), 2 * k - 2),
        (a - (c - o), a - c + o),
        (o * (k**2 * c + b), k**2 * o * c + o * b),
    ],
)
def test_expanded(term, form):
    assert expanded(term) == form


def test_collect_then_factor_out():
    lines = simplify(k * k * c * o + o)
    assert rules(lines) == [("collect", "power"), ("factor_out", "common_factor")]
    assert lines[0].after == k**2 * c * o + o
    assert lines[1].after == o * (k**2 * c + 1)


def test_a_ratio_splits_and_cancels():
    ratio = (k * k * c + c * o) / (k * k * c * o)
    split, cancel = simplify(ratio)
    assert (split.rule, split.detail) == ("multiply", "split_fraction")
    assert cancel.after == 1 / o + 1 / k**2
    struck = {tuple(at(cancel.before, path) for path in pair) for pair in cancel.cancelled}
    assert struck == {(k, k), (c, c), (o, o)}


def test_like_terms_and_numbers_reduce():
    lines = simplify((9 * c * c + 9 * c * c) / (25 * c * c))
    assert rules(lines) == [("collect", "power"), ("cancel", "common_factor")]
    assert [line.after for line in lines] == [18 * c**2 / (25 * c**2), Num(18) / 25]


@pytest.mark.parametrize(
    ("term", "after", "struck"),
    [
        (k * k * c / (k * k * o), c / o, (((0, 0), (1, 0)), ((0, 1), (1, 1)))),
        (k**2 * c / (k**2 * o), c / o, (((0, 0), (1, 0)),)),
        (k**2 * c / k, k * c, (((0, 0, 1), (1,)),)),
        (c / (k * k * c), 1 / k**2, (((0,), (1, 2)),)),
        ((k + 1) * c / (1 + k), c, (((0, 0), (1,)),)),
        (Quot(18 * c, Num(24)), 3 * c / 4, (((0, 0), (1,)),)),
        ((c / g) / (o / g), c / o, (((1, 1), (0, 1)),)),
        (a - a, Num(0), (((0,), (1,)),)),
        (c * k + o - k * c, o, (((0,), (2,)),)),
    ],
)
def test_what_cancels_is_recorded(term, after, struck):
    (line,) = simplify(term)
    assert line.rule == "cancel"
    assert line.after == after
    assert line.cancelled == struck


@pytest.mark.parametrize(
    "term",
    [
        2 * (k - 1),
        Floor((h + 2 * p - d * (k - 1) - 1) / s) + 1,
        o * (k**2 * c + b),
        o * k_h * k_w * c,
        294912 + 256 * b,
        1 / o + 1 / k**2,
        Num(7),
        (a + b) ** 2,
    ],
)
def test_what_reads_well_is_left_alone(term):
    assert simplify(term) == ()


@pytest.mark.parametrize(
    ("term", "after"),
    [
        (1 * Num(3) * 3 * 128 + 0, 3 * Num(3) * 128),
        (3 * Num(3) * 128 * 256 + 1 * Num(256), 3 * Num(3) * 128 * 256 + 256),
        (k - 1 + 1, k),
        (d * (k - 1) + 1, d * (k - 1) + 1),
        (1 * (k - 1) + 1, k),
        (k / 1, k),
        (0 * k + o * 1, o),
        (Num(256) * (3 * Num(3) * 128), Num(256) * (3 * Num(3) * 128)),
        (Floor((h + 2 * Num(1) - 3) / 1) + 1, h),
        (Floor((h + 2 * Num(2) - 3) / 2) + 1, Floor((h + 1) / 2) + 1),
        (Neg(Neg(k)), k),
        (k * (-c), -(k * c)),
    ],
)
def test_tidy(term, after):
    assert tidy(term) == after


@pytest.mark.parametrize(
    ("term", "lines"),
    [
        (Num(256) * (3 * Num(3) * 128), [Num(256) * 1152, Num(294912)]),
        (
            Floor((100 + 2 * Num(1) - 3) / 1) + 1,
            [Floor(Num(99) / 1) + 1, Num(99) + 1, Num(100)],
        ),
        (3 * Num(3) * 128 * 256 + 1 * Num(256), [Num(294912) + 256, Num(295168)]),
        ((3 * Num(3) * 128 + 1) * Num(256), [Num(1153) * 256, Num(295168)]),
        (Num(3) ** 2 * 128 + 1, [Num(1152) + 1, Num(1153)]),
        (Num(12) / 10, [Num(6) / 5]),
        (Num(7) - 3 * Num(9), [Num(7) - 27, Neg(Num(20))]),
        (Min((Num(2) + 1, Num(5))), [Min((Num(3), Num(5))), Num(3)]),
        (Max((Num(2), Num(5))) * Num(2), [Num(5) * 2, Num(10)]),
        (Num(5), []),
    ],
)
def test_numeric(term, lines):
    assert [line.after for line in numeric(term)] == lines


def test_numeric_refuses_letters_and_zeros():
    for term in (k + 1, Num(1) / (Num(2) - 2), Pow(Num(10), Num(10**6))):
        with pytest.raises(Error):
            numeric(term)


def test_put():
    whole = Size("weight") + Size("bias")
    unfolded = put("unfold", whole, {"weight": o * c * k, "bias": o})
    assert unfolded.after == o * c * k + o
    numbers = put("substitute", unfolded.after, {"C_out": Num(256), "C_in": 2 * a})
    assert numbers.after == 256 * Num(2) * a * k + 256
    opened = put("define", h + 1, {"H": Floor(a / s)})
    assert opened.after == Floor(a / s) + 1
    for line in (unfolded, numbers, opened):
        verify(line)


def test_summands_of_a_composite_are_collected():
    lines = simplify(Size("block") + Size("wte") + Size("block"))
    assert lines[-1].after == 2 * Size("block") + Size("wte")


def test_floors_are_left_as_written_but_for_whole_numbers():
    assert expanded(Floor((h + 2 * p) / s)) == Floor((h + 2 * p) / s)
    assert factored(Floor(k * c - 1) + 1) == k * c
    assert factored(Floor(c / g)) == Floor(c / g)


def test_a_merged_line_replays_part_by_part():
    (line, *_) = simplify(k * k * c + o * o)
    assert len(line.parts) == 2
    assert replay(line) == line.after
    assert [part.path for part in line.parts] == [(0,), (1,)]


# --- bounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "term",
    [
        (a + b + c + 1) ** 60,
        (a + b + c + 1) ** 60 * (a + 1) + (a + b + c + 1) ** 60,
        a / (a + b + c + 1) ** 60 + c / (a + b + c + 1) ** 60,
        Floor((a + b + c + 1) ** 60),
        ((a + b) ** 9 + 1) ** 9,
        Prod(tuple(S(f"x{i}") + 1 for i in range(30))),
        a ** Num(10**9) * a ** Num(10**9),
        Pow(a + b, Num(10**9)),
        Sum(tuple((S(f"x{i}") + S(f"y{i}")) ** 7 for i in range(40))),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_nothing_blows_up(term, form):
    start = time.perf_counter()
    lines = simplify(term, form)
    end = lines[-1].after if lines else term
    assert size(end) < 3000
    assert time.perf_counter() - start < 2


def test_a_number_too_large_is_refused():
    for term in (Pow(Num(10), Num(10**9)) * 3, Prod((Pow(Num(7), Num(10**8)), a, a)) / 7):
        with pytest.raises(algebra.TooLarge):
            simplify(term)


def test_factoring_is_quick():
    term = o * Quot(c, g) * k * k + b * o
    factored(term)
    start = time.perf_counter()
    for _ in range(100):
        factored(term)
    assert (time.perf_counter() - start) / 100 < 150e-6


def test_rewrites_are_plain_data():
    rewrite = Rewrite("add", k + 1, k + 1)
    assert dataclasses.astuple(rewrite)[3:] == ((), (), "", (), ())
    assert children(rewrite.before) == (k, Num(1))
    assert symbol("k") in to_sympy(rewrite.before).free_symbols
