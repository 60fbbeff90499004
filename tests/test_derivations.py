"""Whole derivations: the founding numbers, the golden pages, tampering, the JSON contract."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy

from strategies import LEVELS, QUANTITIES, conv
from symparams import read
from symparams.algebra import same
from symparams.bridge import symbol, to_sympy
from symparams.derivation.steps import Derivation, Step
from symparams.errors import Error, ValueRefused, VerificationError
from symparams.terms import Num, letters

GOLDEN = Path(__file__).parent / "golden"
FOUNDING = "3x3 convolution, 100x100x128 -> 100x100x256"
TWICE = "3x3 convolution, 200x200x128 -> 200x200x256"


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "without", "with_bias"),
    [
        (FOUNDING, 294_912, 295_168),
        (TWICE, 294_912, 295_168),
        ("conv2d in_channels=128 out_channels=256 kernel_size=3", 294_912, 295_168),
        ("linear 128 -> 256", 32_768, 33_024),
        ("1-D convolution, 7 to 32 channels, kernel 5", 1_120, 1_152),
        ("1x1 convolution, 128 to 256 channels", 32_768, 33_024),
    ],
)
def test_both_counts_where_the_bias_is_open(text: str, without: int, with_bias: int) -> None:
    data = read(text).derive().to_dict()
    assert data["value"] is None
    assert (data["value_without_bias"], data["value_with_bias"]) == (without, with_bias)
    assert read(text, bias=True).derive().value == with_bias
    assert read(text, bias=False).derive().value == without


CONV = "conv2d C_in=128 C_out=256 kernel_size=3 padding=1 bias=False"
LOCAL = "locally_connected2d C_in=128 C_out=256 kernel_size=3 padding=1 bias=False"
WHERE_IT_MATTERS = {
    "parameters": (CONV, "params", 294_912, 1),
    "multiplications": (CONV, "macs", 2_949_120_000, 4),
    "output values": (CONV, "activations", 2_560_000, 4),
    "locally connected": (LOCAL, "params", 2_949_120_000, 4),
    "flattened": ("flatten_dense C_in=256 C_out=1000 bias=False", "params", 2_560_000_000, 4),
    "averaged": ("global_pool_dense C_in=256 C_out=1000 bias=False", "params", 256_000, 1),
}


@pytest.mark.parametrize("row", WHERE_IT_MATTERS.values(), ids=WHERE_IT_MATTERS)
def test_where_the_size_matters(row: tuple[str, str, int, int]) -> None:
    text, quantity, at_100, factor = row
    for side, found in ((100, at_100), (200, factor * at_100)):
        assert read(text, H=side, W=side).derive("line", quantity).value == found


@pytest.mark.parametrize(
    ("text", "quantity", "found"),
    [
        ("flatten_dense C_in=256 C_out=1000 H=100 W=100 bias=True", "params", 2_560_001_000),
        ("global_pool_dense C_in=256 C_out=1000 H=100 W=100 bias=True", "params", 257_000),
        ("linear C_in=1280000 C_out=2560000 bias=False", "params", 3_276_800_000_000),
        (FOUNDING, "flops", 2 * 2_949_120_000),
        ("7x7 convolution with stride 2 and padding 3, 224x224x3 -> 112x112x64", "macs",
         112 * 112 * 64 * 147),
        ("2x2 max pooling on 26x26x32", "macs", 0),
        ("2x2 max pooling on 26x26x32", "params", 0),
        ("2x2 max pooling on 26x26x32", "activations", 13 * 13 * 32),
    ],
)  # fmt: skip
def test_other_numbers(text: str, quantity: str, found: int) -> None:
    assert read(text).derive("exam", quantity).value == found


@pytest.mark.parametrize(
    "number",
    ["3,276,800,000,000", "2,949,120,000", "2,909,929,472", "327,680,000", "1,297,645,568",
     "2,560,000", "1,280,000", "294,912", "295,168", "13.1 TB", "11.8 GB", "1.2 MB", "9/10,000",
     "1/10,000", "×16", "×4", "×1"],
)  # fmt: skip
def test_the_lecture_has_the_numbers_of_the_theory(number: str) -> None:
    assert number in read(FOUNDING).derive("lecture").text()


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "file"),
    [("line", "conv_line.txt"), ("exam", "conv.txt"), ("lecture", "conv_lecture.txt")],
)
def test_golden_page(level: Any, file: str) -> None:
    text = read(FOUNDING).derive(level).text()
    assert max(map(len, text.splitlines())) <= 80
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / file).write_text(text, encoding="utf-8", newline="\n")
    assert text == (GOLDEN / file).read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("level", LEVELS)
def test_lines_keep_to_the_width(level: Any, width: int) -> None:
    text = read(FOUNDING).derive(level).text(width)
    assert [line for line in text.splitlines() if len(line) > width] == []


def test_an_assumption_is_never_an_equality() -> None:
    for level in LEVELS:
        for line in read(FOUNDING).derive(level).text().splitlines():
            assert not ("3,276,800,000,000" in line and "2,949,120,000" in line)
            assert not ("2,949,120,000" in line and "= 294,912" in line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FOUNDING, "Stride 1, padding 1 fit: 100 + 2 − 3 + 1 = 100 ✓"),
        ("7x7 convolution, 224x224x3 -> 112x112x64",
         "Stride 2, padding 3 fit: ⌊(224 + 6 − 7)/2⌋ + 1 = 112 ✓"),
        ("5x5 convolution, 32x32x3 -> 28x28x6", "Stride 1, padding 0 fit: 32 − 5 + 1 = 28 ✓"),
        ("3x3 convolution, 100x100x128 -> 50x50x256", "Stride 2"),
    ],
)  # fmt: skip
def test_stride_and_padding_are_found_and_said(text: str, said: str) -> None:
    assert said in read(text).derive().text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3x3 convolution, 100x100x128 -> 250x250x256", "100 cannot become 250"),
        ("3x3 convolution with stride 2, 100x100x128 -> 100x100x256", "100 cannot become 100"),
        ("3x3 convolution with padding 0, 100x100x8 -> 100x100x8", "padding 1 would fit"),
        ("7x7 convolution, 5x5x3", "it fits nowhere"),
        ("conv2d in_channels=6 out_channels=8 groups=4", "does not divide"),
    ],
)
def test_contradictions_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        read(text).derive()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value).split("\n    ")[0]


# --- letters that speak of letters ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"C_out": "2*C_in"}, "2*C_in*(9*C_in + b)"),
        ({"C_in": "2*C_in"}, "C_out*(18*C_in + b)"),
        ({"C_in": 64, "C_out": "2*C_in"}, "128*(576 + b)"),
        ({"C_in": "C", "C_out": "C"}, "C*(9*C + b)"),
    ],
)
@pytest.mark.parametrize("quantity", ["params", "macs"])
def test_values_may_be_letters_of_the_layer(
    given: dict[str, Any], count: str, quantity: Any
) -> None:
    found = read("conv2d kernel_size=3", **given).derive("exam", quantity)
    found.verify()
    for step in found.steps:
        if step.kind == "=" and step.rule in ("substitute", "multiply", "add"):
            assert same(*step.shown), step.rule
    if quantity == "params":
        wanted = sympy.sympify(count, locals={n: symbol(n) for n in ("C", "C_in", "C_out", "b")})
        assert sympy.expand(to_sympy(found.data.symbolic) - wanted) == 0


SEQUENCES = [
    "conv2d kernel_size=3, conv2d kernel_size=3",
    "conv 3x3 64, relu, flatten, dense 10",
    "depthwise separable convolution 3x3, 64 to 128 channels",
    "conv2d kernel_size=3 stride=2, conv2d kernel_size=3 stride=2",
    "32x32x3: conv 5x5 6, relu, maxpool 2, conv 5x5 16, relu, maxpool 2, flatten, dense 120, "
    "dense 84, dense 10",
]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("text", SEQUENCES)
def test_sequences_derive(text: str, quantity: Any) -> None:
    for level in LEVELS:
        found = read(text).derive(level, quantity)
        found.verify()
        assert found.text()
        json.dumps(found.to_dict())


@pytest.mark.parametrize("text", SEQUENCES)
@pytest.mark.parametrize("quantity", ["params", "macs"])
def test_symbolic_of_a_sequence_is_what_sympy_reads(text: str, quantity: Any) -> None:
    found = read(text).derive("line", quantity)
    names = {name.replace(".", "_"): symbol(name) for name in letters(found.data.symbolic)}
    symbolic = sympy.sympify(found.to_dict()["symbolic"], locals=names)
    assert sympy.expand(symbolic - to_sympy(found.data.symbolic)) == 0


def test_the_lenet_of_the_text_books() -> None:
    lenet = read(SEQUENCES[-1], bias=True)
    assert lenet.params == lenet.derive().value == 62_006


# --- tampering -----------------------------------------------------------------------------------


def verifies(found: Derivation) -> bool:
    try:
        found.verify()
    except Error as caught:
        return not str(caught)  # a refusal is a sentence
    return True


def unnoticed(change: Callable[[Step], Step | None]) -> list[str]:
    """The steps of the founding question that can be changed so, and it still verifies."""
    found, out = conv(), []
    for position, step in enumerate(found.steps):
        new = change(step)
        if new is step:
            continue
        fresh = () if new is None else (new,)
        before, after = found.steps[:position], found.steps[position + 1 :]
        if verifies(replace(found, steps=(*before, *fresh, *after))):
            out.append(f"{step.rule} of {step.path}")
    return out


def test_a_changed_after_is_found() -> None:
    assert unnoticed(lambda step: replace(step, after=step.after + 1)) == []


def test_a_changed_before_is_found() -> None:
    assert unnoticed(lambda step: replace(step, before=step.before + 1)) == []


def test_a_changed_before_and_after_are_found() -> None:
    both = unnoticed(lambda s: replace(s, before=s.before + 1, after=s.after + 1))
    assert both == []


def test_an_assumption_without_its_rules_is_found() -> None:
    assert unnoticed(lambda s: replace(s, actions=()) if s.kind == "~>" else s) == []


def test_another_step_s_rules_are_found() -> None:
    rules = {step.rule: step.actions for step in conv().steps if step.actions}
    for name, actions in rules.items():
        assert unnoticed(
            lambda s, name=name, actions=actions: replace(s, actions=actions)
            if s.actions and s.rule != name else s
        ) == []  # fmt: skip


def test_an_assumption_without_evidence_is_found() -> None:
    assert unnoticed(lambda s: replace(s, evidence=None) if s.kind == "~>" else s) == []


def test_an_assumption_called_an_equality_is_found() -> None:
    assert unnoticed(lambda s: replace(s, kind="=") if s.kind == "~>" else s) == []


def test_a_missing_step_is_found() -> None:
    assert unnoticed(lambda step: None) == []


def test_a_changed_result_is_found() -> None:
    for field in ("with_bias", "without_bias", "value"):
        with pytest.raises(VerificationError):
            replace(conv(), **{field: 294_913}).verify()


def test_steps_follow_each_other() -> None:
    ends: dict[str, object] = {}
    for step in conv().steps:
        if step.path in ends:
            assert step.before == ends[step.path], step.rule
        ends[step.path] = step.after


# --- the JSON contract ---------------------------------------------------------------------------

ALWAYS = {"schema", "layer", "quantity", "level", "convention", "formula", "symbolic", "value",
          "steps"}  # fmt: skip
AXES = {"remaining_axes", "dropped_axes"}
BOTH = {"value_with_bias", "value_without_bias"}


@pytest.mark.parametrize(
    ("text", "quantity", "keys"),
    [
        (FOUNDING, "params", ALWAYS | AXES | BOTH),
        (FOUNDING + " bias=True", "params", ALWAYS | AXES),
        ("conv2d", "params", ALWAYS | AXES),
        ("conv2d in_channels=3 bias=False", "params", ALWAYS | AXES),
        (FOUNDING, "macs", ALWAYS),
        (FOUNDING, "shape", ALWAYS),
        (FOUNDING, "activations", ALWAYS),
        ("max_pool2d", "params", ALWAYS | AXES),
    ],
)
def test_keys_are_there_or_absent_and_never_null(text: str, quantity: Any, keys: set[str]) -> None:
    words = text.split(" bias=")
    given = {"bias": words[1] == "True"} if len(words) > 1 else {}
    data = read(words[0], **given).derive("exam", quantity).to_dict()
    assert set(data) == keys
    assert all(held is not None for key, held in data.items() if key != "value")
    assert json.loads(json.dumps(data)) == data


def test_the_founding_question_as_data() -> None:
    data = read(FOUNDING).derive().to_dict()
    assert data["schema"] == 1
    assert (data["layer"], data["quantity"], data["level"]) == ("conv2d", "params", "exam")
    assert data["convention"] == "textbook"
    assert data["remaining_axes"] == ["C_out", "C_in", "k_h", "k_w"]
    assert data["dropped_axes"] == ["H", "W", "H_out", "W_out"]
    names = {n: symbol(n) for n in ("C_in", "C_out", "k_h", "k_w", "g", "b")}
    formula = sympy.sympify(data["formula"], locals=names)
    c_in, c_out, k_h, k_w, g, b = names.values()
    assert sympy.expand(formula - c_out * (c_in * k_h * k_w / g + b)) == 0
    assert sympy.expand(sympy.sympify(data["symbolic"], locals=names) - 294_912 - 256 * b) == 0


def test_steps_as_data() -> None:
    data = read(FOUNDING).derive().to_dict()["steps"]
    for step in data:
        assert {"rule", "kind", "before", "after", "why"} <= set(step)
        assert set(step["before"]) == set(step["after"]) == {"text", "latex"}
        assert step["why"]
        assert step["kind"] == "=" or step["evidence"]["sizes"]
    rules = [step["rule"] for step in data if step["of"] == "weight"]
    assert rules == ["dense", "reindex", "restrict", "share"]
    (share,) = [step for step in data if step["rule"] == "share" and step["of"] == "weight"]
    assert [env["H"] for env in share["evidence"]["sizes"]] == [5, 7]


@pytest.mark.parametrize(
    ("text", "value"),
    [("conv2d", None), (FOUNDING, None), ("linear 2 -> 3 bias=True", 9), ("max_pool2d", 0)],
)
def test_the_value_is_null_while_letters_remain(text: str, value: int | None) -> None:
    found = read(text.replace(" bias=True", ""), **({"bias": True} if "bias" in text else {}))
    assert found.derive().to_dict()["value"] == value


def test_steps_show_numbers_and_hold_letters() -> None:
    share = next(s for s in conv().steps if s.rule == "share" and s.path == "weight")
    before, after = share.shown
    assert letters(share.after) == {"C_out", "C_in", "k_h", "k_w"}
    assert same(before, Num(2_949_120_000))
    assert same(after, Num(294_912))
