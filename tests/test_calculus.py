"""The rules on index sets: the fold against single labels, the numbers of the theory, liars."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import BOX_RULES
from symparams import catalog
from symparams.algebra import value
from symparams.axes import Axis, axes
from symparams.calculus import (
    RULES,
    Bundle,
    Dynamic,
    Factor,
    Fix,
    Group,
    Pad,
    Reindex,
    Replicate,
    Restrict,
    Share,
    Split,
    Tie,
    Wiring,
)
from symparams.declaration import Bound, Key, Layer, Tensor, bias, weight
from symparams.errors import DeclarationError, VerificationError
from symparams.evidence import enumerate_tensor, evidence, tap_uses
from symparams.terms import ONE, Num, S

Sizes = dict[str, int]


def with_rules(tensor: Tensor, *rules: object) -> Tensor:
    return replace(tensor, rules=rules)


def offset(stride: object = ONE, dilation: object = ONE, padding: object = Num(0)) -> Reindex:
    return Reindex("L", "L_out", "k", "i", stride, dilation, padding)  # type: ignore[arg-type]  # numbers too


STRIDED = offset(S("s"), S("d"), S("P"))
LINE = weight("C_out L_out", "C_in L")
WINDOW = (STRIDED, Restrict(STRIDED, S("k")))
GATES = Axis("gate", "g", "gate", "copy", S("n"))
WHOLE = Axis("C_out", "o", "channel", "out", S("n") * S("m"))
OUTER, INNER = (Axis(n, n, "head", "out", S(n)) for n in ("n", "m"))
MADE = replace(weight("C_out", "C_in"), out=(WHOLE,))
RANK = Axis("r", "r", "rank", "copy", S("r"))

# One tensor at least for every rule of the closed set.
TENSORS: dict[str, tuple[Tensor, ...]] = {
    "dense": (LINE, weight("C_out", "C_in")),
    "reindex": (with_rules(LINE, STRIDED),),
    "pad": (with_rules(LINE, offset(), Pad(offset(), S("L_out"))),),
    "restrict": (with_rules(LINE, *WINDOW), weight("C L", "C L").diagonal("C", "L")),
    "share": (
        with_rules(LINE, *WINDOW, Share(("L_out",))),
        with_rules(LINE, offset(), Pad(offset(), S("L_out")), Share(("L_out",))),
        weight("C_out", "C_in L").shared_over("L", summed=True),
        bias("C_out L_out").shared_over("L_out"),
    ),
    "split": (
        with_rules(MADE, Split(WHOLE, OUTER, INNER)),
        with_rules(MADE, Split(WHOLE, OUTER, INNER), Split(WHOLE, OUTER, INNER, merge=True)),
    ),
    "group": (LINE.grouped("C_in", "C_out"), LINE.windowed(L="k").grouped("C_in", "C_out")),
    "fix": (with_rules(LINE, *WINDOW, Fix(Num(1) / S("k"))),),
    "dynamic": (with_rules(LINE, *WINDOW, Dynamic()),),
    "tie": (with_rules(LINE, Tie("embedding")),),
    "factor": (with_rules(weight("C_out", "C_in"), Factor(RANK, ("C_out",), ("C_in",))),
               with_rules(LINE, Factor(RANK, ("C_out", "L_out"), ("C_in",)))),
    "replicate": (with_rules(weight("C_out", "C_in"), Replicate(GATES)),
                  with_rules(LINE, *WINDOW, Replicate(GATES), Share(("L_out",)))),
}  # fmt: skip
EACH = [pytest.param(t, id=f"{name}-{n}") for name, ts in TENSORS.items() for n, t in enumerate(ts)]


@st.composite
def small(draw: st.DrawFn) -> Sizes:
    number = st.integers(1, 3)
    env = {name: draw(number) for name in ("g", "n", "m", "r", "k", "C", "s", "d")}
    env |= {name: draw(st.integers(1, 4)) for name in ("L", "L_out")}
    env["P"] = draw(st.integers(0, 2))
    env |= {name: env["g"] * draw(st.integers(1, 2)) for name in ("C_in", "C_out")}
    return env


def test_every_rule_has_a_tensor_here() -> None:
    assert set(TENSORS) == {rule.id for rule in RULES} | {"dense"} == BOX_RULES
    for name, tensors in TENSORS.items():
        assert name == "dense" or all(name in {r.id for r in t.rules} for t in tensors)


@pytest.mark.parametrize("tensor", EACH)
@settings(max_examples=25, deadline=None)
@given(env=small())
def test_the_fold_and_the_single_labels_agree(tensor: Tensor, env: Sizes) -> None:
    for wiring, bundle in zip(tensor.wire(env), tensor.bundles, strict=True):
        assert wiring.labels() == value(bundle.size, env)


@pytest.mark.parametrize("tensor", EACH)
@settings(max_examples=10, deadline=None)
@given(env=small())
def test_bookkeeping_the_edges_of_all_labels_are_the_uses(tensor: Tensor, env: Sizes) -> None:
    last = tensor.wire(env)[-1]
    uses = Counter(label for table in last.tables for label in table.values())
    assert sum(uses.values()) == last.edges()
    summed = any(isinstance(rule, Share) and rule.summed for rule in tensor.rules)
    if tensor.end.stored and not summed:
        assert last.edges() == value(tensor.uses, env)


@settings(max_examples=25, deadline=None)
@given(env=small())
def test_an_equality_keeps_every_edge(env: Sizes) -> None:
    for tensor in (*TENSORS["reindex"], *TENSORS["split"]):
        first, *_, last = tensor.wire(env)
        assert last.labels() == first.labels()
        assert last.tables[0].keys() == first.tables[0].keys()


def test_kinds() -> None:
    assert {rule.id for rule in RULES if rule.kind == "="} == {
        "reindex", "pad", "split", "replicate",
    }  # fmt: skip


# --- the two assumptions, each alone and together ------------------------------------------------


def plane(local: bool, shared: bool, padded: bool = True) -> Tensor:
    """One channel on a plane; locality and sharing as asked."""
    rules: list[object] = []
    for axis, mark in (("H", "_h"), ("W", "_w")):
        one = Reindex(axis, f"{axis}_out", "k" + mark, axis, padding=S("P") if local else Num(0))
        rules.append(one)
        if local:
            rules.append(Restrict(one, S("k" + mark)))
        elif shared and padded:
            rules.append(Pad(one, S(f"{axis}_out")))
    if shared:
        rules.append(Share(("H_out", "W_out")))
    return with_rules(weight("H_out W_out", "H W"), *rules)


H, W, K = 5, 4, 3
PLANE = {"H": H, "W": W, "H_out": H, "W_out": W, "k_h": K, "k_w": K, "P": 1}


@pytest.mark.parametrize(
    ("local", "shared", "labels"),
    [
        (False, False, (H * W) ** 2),
        (False, True, (2 * H - 1) * (2 * W - 1)),
        (True, False, K**2 * H * W),
        (True, True, K**2),
    ],
)
def test_the_table_of_two_assumptions(local: bool, shared: bool, labels: int) -> None:
    tensor = plane(local, shared)
    assert tensor.wire(PLANE)[-1].labels() == value(tensor.size, PLANE) == labels


def real(wiring: Wiring) -> list[tuple[int, ...]]:
    sizes = [wiring.number(axis.size) for axis in wiring.start]
    return [e for e in wiring.tables[0] if all(0 <= c < n for c, n in zip(e, sizes, strict=True))]


def test_local_without_padding_counts_real_edges() -> None:
    assert len(real(plane(True, False).wire(PLANE)[-1])) == (3 * H - 2) * (3 * W - 2)


def test_shared_over_a_circular_border_is_as_many_as_positions() -> None:
    offsets = {((u - p) % H, (v - q) % W)
               for u in range(H) for p in range(H) for v in range(W) for q in range(W)}  # fmt: skip
    circular = plane(False, True, padded=False)
    assert len(offsets) == value(circular.size, PLANE) == H * W


@pytest.mark.parametrize(("heads", "side"), [(1, 3), (2, 2), (3, 2)])
def test_a_relative_position_table_is_pad_then_share(heads: int, side: int) -> None:
    head = Axis("h", "h", "head", "copy", S("h"))
    table = plane(False, True)
    swin = replace(table, rules=(Replicate(head), *table.rules))
    env = {"h": heads, "H": side, "W": side, "H_out": side, "W_out": side}
    assert swin.wire(env)[-1].labels() == value(swin.size, env) == heads * (2 * side - 1) ** 2


# --- the numbers of the theory -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "env", "count"),
    [
        ("linear", {"C_in": 128, "C_out": 256, "b": 1}, 33_024),
        ("conv2d", {"C_in": 128, "C_out": 256, "k_h": 3, "k_w": 3, "g": 1, "b": 0}, 294_912),
        ("conv2d", {"C_in": 128, "C_out": 256, "k_h": 3, "k_w": 3, "g": 4, "b": 0}, 294_912 // 4),
        ("depthwise_conv2d", {"C_in": 64, "m": 2, "k_h": 3, "k_w": 3, "b": 1}, 2 * 64 * 10),
        ("conv_transpose2d", {"C_in": 64, "C_out": 32, "k_h": 4, "k_w": 4, "g": 1, "b": 1},
         64 * 32 * 16 + 32),
        ("conv_transpose2d", {"C_in": 64, "C_out": 32, "k_h": 4, "k_w": 4, "g": 2, "b": 1},
         64 * 16 * 16 + 32),
        ("global_pool_dense", {"C_in": 256, "C_out": 1000, "H": 9, "W": 7, "b": 1}, 257_000),
        ("flatten_dense", {"C_in": 512, "C_out": 10, "H": 7, "W": 7, "b": 1}, 250_890),
        ("locally_connected2d", {"C_in": 3, "C_out": 8, "k_h": 3, "k_w": 3, "H_out": 6, "W_out": 6,
                                 "b": 1}, 8 * 36 * 27 + 8 * 36),
        ("max_pool2d", {}, 0),
        ("avg_pool2d", {}, 0),
    ],
)  # fmt: skip
def test_counts(identity: str, env: Sizes, count: int) -> None:
    assert value(Bound(catalog.layer(identity)).count(), env) == count


def test_a_factored_matrix() -> None:
    (thin, _) = TENSORS["factor"]
    assert value(thin.size, {"C_in": 10, "C_out": 7, "r": 2}) == 2 * (10 + 7)


def test_lora_trains_the_two_thin_matrices_only() -> None:
    bound = Bound(catalog.layer("linear", lora=True))
    env = {"C_in": 10, "C_out": 7, "r": 2, "b": 0}
    assert (value(bound.count(), env), value(bound.count(trainable=False), env)) == (34, 70)


def test_a_transposed_convolution_sees_a_different_number_of_inputs_at_each_output() -> None:
    tensor = catalog.layer("conv_transpose1d").tensors[0]
    env = {"C_in": 1, "C_out": 1, "L": 4, "L_out": 9, "k": 3, "s": 2, "d": 1, "P": 0, "g": 1}
    last = tensor.wire(env)[-1]
    place = [axis.name for axis in last.start].index("L_out")
    seen = Counter(edge[place] for edge in real(last))
    assert [seen[p] for p in range(9)] == [1, 1, 2, 1, 2, 1, 2, 1, 1]


def test_a_kernel_as_large_as_the_input_is_a_dense_layer() -> None:
    layer = catalog.layer("conv2d")
    env = {"C_in": 3, "C_out": 2, "k_h": 4, "k_w": 5, "g": 1, "b": 1}
    dense = {"C_in": 3 * 4 * 5, "C_out": 2, "b": 1}
    assert value(Bound(layer).count(), env) == value(Bound(catalog.layer("linear")).count(), dense)


# --- taps that are used, and how often -----------------------------------------------------------


def uses_by_hand(n: int, n_out: int, k: int, s: int, d: int, p: int) -> list[int]:
    return [sum(0 <= s * q + d * i - p <= n - 1 for q in range(n_out)) for i in range(k)]


taps = st.tuples(*(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 3),
                   st.integers(1, 3), st.integers(0, 5)))  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(taps)
def test_uses_of_each_tap(sizes: tuple[int, ...]) -> None:
    assert tap_uses(*sizes) == uses_by_hand(*sizes)


@settings(max_examples=200, deadline=None)
@given(taps)
def test_at_stride_one_all_taps_live_if_the_kernel_reaches(sizes: tuple[int, ...]) -> None:
    n, _, k, _, d, p = sizes
    n_out = n + 2 * p - d * (k - 1)
    if n_out >= 1:
        assert all(tap_uses(n, n_out, k, 1, d, p)) == (d * (k - 1) <= n + p - 1)


@pytest.mark.parametrize(
    ("n", "k", "dilation", "live"),
    [(65, 3, 64, 3), (65, 3, 65, 1), (3, 5, 1, 5), (1, 3, 1, 1), (2, 3, 1, 3)],
)
def test_live_taps_at_same_size(n: int, k: int, dilation: int, live: int) -> None:
    found = tap_uses(n, n, k, 1, dilation, dilation * (k - 1) // 2)
    assert sum(uses > 0 for uses in found) == live


def test_dead_labels_are_reported() -> None:
    tensor = catalog.layer("conv1d").tensors[0]
    env = {"C_in": 2, "C_out": 3, "L": 1, "L_out": 1, "k": 3, "s": 1, "d": 1, "P": 1, "g": 1}
    labels, dead = enumerate_tensor(tensor, env)
    assert (labels[-1], dead) == (18, 12)


def test_no_padding_no_dead_tap() -> None:
    for n in range(1, 9):
        for k in range(1, n + 1):
            for s in range(1, 4):
                assert all(tap_uses(n, (n - k) // s + 1, k, s, 1, 0))


def test_uses_at_the_border_of_the_founding_question() -> None:
    row = tap_uses(n=100, n_out=100, k=3, stride=1, dilation=1, padding=1)
    assert row == [99, 100, 99]
    edges = 256 * 128 * sum(row) ** 2
    assert edges == 2_909_929_472
    assert 100 * 100 * 294_912 - edges == 39_190_528


# --- declarations that are refused ---------------------------------------------------------------

SHARED_FIRST = Share(("L_out",))

BAD: dict[str, tuple[str, Callable[[], object]]] = {
    "shared in absolute coordinates": ("share_absolute", lambda: LINE.shared_over("L_out")),
    "shared input in absolute coordinates": ("share_absolute", lambda: LINE.shared_over("L")),
    "re-indexed without a partner": (
        "reindex_partner",
        lambda: with_rules(LINE, Reindex("L", "C_out", "k", "i")).bundles,
    ),
    "re-indexed on one side": (
        "reindex_partner",
        lambda: with_rules(weight("L_out L", "C_in"), Reindex("L", "L_out", "k", "i")).bundles,
    ),
    "re-indexed after sharing": (
        "no_axis",
        lambda: with_rules(bias("L_out").shared_over("L_out"), SHARED_FIRST, offset()).bundles,
    ),
    "sizes that do not multiply out": (
        "split_sizes",
        lambda: with_rules(MADE, Split(WHOLE, OUTER, OUTER)).bundles,
    ),
    "merged axes apart": (
        "split_apart",
        lambda: with_rules(
            replace(MADE, out=(OUTER, *axes("C", "out"), INNER)),
            Split(WHOLE, OUTER, INNER, merge=True),
        ).bundles,
    ),
    "restricted where nothing is an offset": (
        "restrict_offset",
        lambda: with_rules(LINE, Restrict(Reindex("L", "L_out", "L", "u"), S("k"))).bundles,
    ),
    "restricted before it is re-indexed": (
        "no_axis",
        lambda: with_rules(LINE, Restrict(offset(), S("k"))).bundles,
    ),
    "padded with a stride": (
        "pad_stride",
        lambda: with_rules(LINE, STRIDED, Pad(STRIDED, S("L_out"))).bundles,
    ),
    "padded with a dilation": (
        "pad_stride",
        lambda: with_rules(
            LINE, offset(ONE, S("d")), Pad(offset(ONE, S("d")), S("L_out"))
        ).bundles,
    ),
    "factored twice": (
        "needs_one_box",
        lambda: with_rules(MADE, *2 * (Factor(RANK, ("C_out",), ("C_in",)),)).bundles,
    ),
    "no such axis": ("no_axis", lambda: weight("C_out", "C_in").shared_over("L")),
    "no such direction": ("no_axis", lambda: weight("C_out L_out", "C_in L").windowed(H="k_h")),
    "an axis twice": ("axis_twice", lambda: axes("C_in C_in", "in")),
    "an unknown axis": ("unknown_axis", lambda: axes("C_in Q", "in")),
    "an unknown role": ("unknown_role", lambda: Axis("a", "a", "colour", "in", S("a"))),
    "a letter that no key has": (
        "stray_letter",
        lambda: Layer("odd", "odd", axes("C_in", "in"), axes("C_out", "out"),
                      (weight("C_out L_out", "C_in L").windowed(L="k"),)),
    ),
    "two tensors of one name": (
        "tensor_twice",
        lambda: Layer("odd", "odd", axes("C_in", "in"), axes("C_out", "out"),
                      (weight("C_out", "C_in"), weight("C_out", "C_in"))),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("identity", "declare"), BAD.values(), ids=BAD)
def test_bad_declarations_are_refused(identity: str, declare: Callable[[], object]) -> None:
    with pytest.raises(DeclarationError) as refused:
        declare()
    assert refused.value.id == identity


@pytest.mark.parametrize(("identity", "declare"), BAD.values(), ids=BAD)
def test_a_refused_declaration_is_told_in_a_sentence(
    identity: str, declare: Callable[[], object]
) -> None:
    with pytest.raises(DeclarationError) as refused:
        declare()
    sentence = str(refused.value)
    assert " " in sentence
    assert "{" not in sentence
    assert all(str(fact) in sentence for fact in refused.value.facts.values() if fact), sentence


# --- evidence catches a rule that lies -----------------------------------------------------------


@dataclass(frozen=True)
class DividesByOrbit(Share):
    """Divides the edges by the number of positions, though at a zero border orbits differ."""

    def apply(self, bundle: Bundle) -> Bundle:
        return Bundle(tuple(tuple(a for a in box if a.name not in self.names)
                            for box in bundle.boxes))  # fmt: skip


@dataclass(frozen=True)
class DropsAnother(Share):
    """Says it drops one axis and drops another."""

    def apply(self, bundle: Bundle) -> Bundle:
        return Share(("C_out",)).apply(bundle)


@dataclass(frozen=True)
class InPlace(Share):
    """Shares absolute positions: the right number, the wrong layer."""

    def apply(self, bundle: Bundle) -> Bundle:
        return DividesByOrbit(self.names).apply(bundle)


@dataclass(frozen=True)
class KeepsTooMuch(Restrict):
    """Keeps one offset more than it says."""

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        assert self.size is not None
        return Restrict(self.offset, self.size + 1).run(wiring, before)


@dataclass(frozen=True)
class LosesPadding(Restrict):
    """Leaves out the taps that read padding: the labels are right, the uses are not."""

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        full = super().run(wiring, before)
        kept = set(real(full))
        tables = tuple({e: x for e, x in table.items() if e in kept} for table in full.tables)
        return Wiring(full.start, full.env, tables)


@dataclass(frozen=True)
class ForgetsToFix(Fix):
    """Says its labels are constants and keeps them."""

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        return wiring


SAME_SIZE = replace(STRIDED, stride=ONE, dilation=ONE)
LIARS = {
    "divides by the orbit": (with_rules(LINE, offset(), DividesByOrbit(("L_out",))), "labels"),
    "drops another axis": (with_rules(LINE, *WINDOW, DropsAnother(("L_out",))), "labels"),
    "keeps too much": (with_rules(LINE, STRIDED, KeepsTooMuch(STRIDED, S("k"))), "labels"),
    "keeps too much, then shares": (
        with_rules(LINE, STRIDED, KeepsTooMuch(STRIDED, S("k")), Share(("L_out",))), "labels"),
    "loses padding": (with_rules(LINE, SAME_SIZE, LosesPadding(SAME_SIZE, S("k"))), "labels"),
    "loses padding, then shares": (
        with_rules(LINE, SAME_SIZE, LosesPadding(SAME_SIZE, S("k")), Share(("L_out",))), "labels"),
    "shares absolute positions": (with_rules(LINE, InPlace(("L_out",))), "places"),
    "forgets to fix": (with_rules(LINE, *WINDOW, ForgetsToFix()), "labels"),
    "no padding declared": (plane(False, True, padded=False), "labels"),
}  # fmt: skip
ENV = {"C_in": 2, "C_out": 3, "L": 5, "L_out": 5, "k": 3, "s": 1, "d": 1, "P": 1, **PLANE}


@pytest.mark.parametrize(("tensor", "what"), LIARS.values(), ids=LIARS)
def test_enumeration_catches_a_rule_that_lies(tensor: Tensor, what: str) -> None:
    with pytest.raises(VerificationError) as caught:
        enumerate_tensor(tensor, ENV)
    assert caught.value.id.partition("_")[0] in (what, "uses")
    assert " " in str(caught.value)


def lying(identity: str, tensor: Tensor) -> Layer:
    keys = [Key(n, n.lower()) for n in ("C_in", "C_out", "k", "s", "d")]
    extents = [Key(n, n.lower(), kind="extent") for n in ("L", "L_out")]
    padding = Key("P", "padding", kind="modifier", least=0)
    return Layer(identity, "odd", axes("C_in L", "in"), axes("C_out L_out", "out"), (tensor,),
                 (*keys, *extents, padding))  # fmt: skip


@pytest.mark.parametrize("name", ["divides by the orbit", "drops another axis", "keeps too much"])
def test_a_layer_with_a_lying_rule_has_no_evidence(name: str) -> None:
    layer = lying(name, LIARS[name][0])
    with pytest.raises(VerificationError):
        evidence(layer, layer.tensors[0])


def test_evidence_of_one_declaration_does_not_serve_another_of_its_name() -> None:
    honest = lying("one name", with_rules(LINE, *WINDOW))
    liar = lying("one name", LIARS["keeps too much"][0])
    assert evidence(honest, honest.tensors[0])
    with pytest.raises(VerificationError):
        evidence(liar, liar.tensors[0])


# --- grouping by brute force ---------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(env=small())
def test_groups_join_equal_groups_only(env: Sizes) -> None:
    tensor = weight("C_out", "C_in").grouped("C_in", "C_out")
    assert isinstance(tensor.rules[0], Group)
    g, c_in, c_out = env["g"], env["C_in"], env["C_out"]
    joined = {(o, c) for o in range(c_out) for c in range(c_in)
              if o // (c_out // g) == c // (c_in // g)}  # fmt: skip
    assert set(tensor.wire(env)[-1].tables[0]) == joined
    assert len(joined) == value(tensor.size, env) == math.prod((c_out, c_in)) // g
