"""Two sides against each other: the ratio is a derivation, with what cancels struck out."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from typing import Any

import pytest
import sympy

from symparams import C_out, H, compare, k
from symparams.algebra import same
from symparams.bridge import to_sympy
from symparams.errors import Error, UnknownName
from symparams.terms import Quot

SEPARABLE = "depthwise_conv2d, conv2d kernel_size=1"
TWO, ONE = "conv2d kernel_size=3, conv2d kernel_size=3", "conv2d kernel_size=5"
BOTTLENECK = ("conv2d kernel_size=1 out_channels=64, conv2d kernel_size=3 out_channels=64, "
              "conv2d kernel_size=1 out_channels=256")  # fmt: skip
PLAIN = "conv2d kernel_size=3 out_channels=256, conv2d kernel_size=3 out_channels=256"
SQUARE = {"C_in": "C", "C_out": "C"}
SIZED = {"C_in": 64, "C_out": 128, "H": 30, "W": 30}


def rational(value: object) -> Fraction:
    return Fraction(str(value))


def test_separable_against_full() -> None:
    found = compare(SEPARABLE, "conv2d")
    assert sympy.simplify(found.ratio - (1 / C_out + 1 / k**2)) == 0
    assert found.to_dict()["value"] is None
    assert "cancel" in [step.rule for step in found.data.steps]
    assert "1/C_out + 1/k²" in found.text()


@pytest.mark.parametrize(
    ("left", "right", "given", "ratio"),
    [
        (TWO, ONE, SQUARE, Fraction(18, 25)),
        (SEPARABLE, "conv2d", {}, None),
        ("depthwise_conv2d kernel_size=3, conv2d kernel_size=1", "conv2d kernel_size=3",
         {"C_in": 64, "C_out": 128}, Fraction(1, 128) + Fraction(1, 9)),
        (BOTTLENECK, PLAIN, {"C_in": 256}, Fraction(256 * 64 + 9 * 64**2 + 64 * 256,
                                                    2 * 9 * 256**2)),
        ("conv2d", "conv2d groups=g", {}, None),
        ("conv2d groups=4", "conv2d", {"C_in": 8, "C_out": 8, "kernel_size": 3}, Fraction(1, 4)),
        ("conv2d", "conv2d", {}, 1),
        ("conv2d kernel_size=3", "conv2d kernel_size=1", {}, 9),
        ("conv3d kernel_size=3", "conv1d kernel_size=3", {}, 9),
        ("flatten_dense", "global_pool_dense", {"H": 7, "W": 7}, 49),
    ],
)  # fmt: skip
def test_ratios(left: str, right: str, given: dict[str, Any], ratio: Fraction | None) -> None:
    found = compare(left, right, **given)
    data = found.to_dict()
    assert same(Quot(found.data.left, found.data.right), found.data.ratio)
    if ratio is None:
        assert data["value"] is None
    else:
        assert rational(data["value"]) == rational(found.ratio) == ratio
    assert json.loads(json.dumps(data)) == data


def test_biases_are_left_out_and_it_is_said() -> None:
    said = "Biases are left out"
    assert said in compare(TWO, ONE, **SQUARE).text()
    counted = compare(TWO, ONE, bias=True, **SQUARE)
    assert said not in counted.text()
    (letter,) = counted.ratio.free_symbols
    assert sympy.simplify(counted.ratio - (18 * letter + 2) / (25 * letter + 1)) == 0


def test_numbers_with_biases() -> None:
    found = compare("linear out_channels=10", "linear out_channels=20", bias=True, C_in=9)
    assert rational(found.ratio) == Fraction(10 * 10, 20 * 10)


def test_shared_values_are_for_what_a_layer_left_open() -> None:
    found = compare("linear", "linear out_channels=20", C_in=9, C_out=10)
    assert rational(found.ratio) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("left", "right", "quantity", "given", "ratio"),
    [
        ("conv2d kernel_size=3 padding=1", "conv2d kernel_size=1", "macs", SIZED, 9),
        ("conv2d kernel_size=3 padding=1", "conv2d kernel_size=1", "activations", SIZED, 1),
        ("conv2d stride=2 kernel_size=2", "conv2d kernel_size=1", "macs", SIZED, 1),
        ("depthwise_conv2d kernel_size=3, conv2d kernel_size=1", "conv2d kernel_size=3", "macs",
         SIZED, Fraction(1, 128) + Fraction(1, 9)),
    ],
)  # fmt: skip
def test_other_quantities(
    left: str, right: str, quantity: str, given: dict[str, Any], ratio: Fraction
) -> None:
    assert rational(compare(left, right, quantity, **given).ratio) == ratio


def test_multiplications_in_letters() -> None:
    found = compare(SEPARABLE, "conv2d", "macs")
    assert sympy.simplify(found.ratio - (1 / C_out + 1 / k**2)) == 0


def test_the_size_comes_back() -> None:
    found = compare("conv2d kernel_size=3", "flatten_dense")
    assert H in found.ratio.free_symbols


def test_every_step_is_verified_and_the_last_is_the_ratio() -> None:
    data = compare(SEPARABLE, "conv2d").data
    for step in data.steps:
        step.verify()
        assert step.kind == "="
        if step.rule != "define":
            assert sympy.simplify(to_sympy(step.before) - to_sympy(step.after)) == 0
    ratio = [step for step in data.steps if step.path == "ratio"]
    assert ratio[-1].after == data.ratio
    assert all(a.after == b.before for a, b in itertools.pairwise(ratio))


def test_a_layer_without_a_bias_can_be_compared() -> None:
    assert compare("max_pool2d", "conv2d").ratio == 0


def test_nothing_is_divided_by_no_parameters() -> None:
    with pytest.raises(Error) as refused:
        compare("conv2d", "max_pool2d, max_pool2d")
    assert str(refused.value)
    assert not isinstance(refused.value, UnknownName)


@pytest.mark.parametrize(
    ("left", "right", "given"),
    [
        ("conv2d colour=3", "conv2d", {}),
        ("conv2d", "conv2d", {"colour": 3}),
        ("conv2d", "nonsense", {}),
        ("conv2d", "", {}),
    ],
)
def test_what_cannot_be_read_is_refused(left: str, right: str, given: dict[str, Any]) -> None:
    with pytest.raises(Error) as refused:
        compare(left, right, **given)
    assert str(refused.value)


def test_every_format() -> None:
    found = compare(TWO, ONE, **SQUARE)
    for text in (found.text(), found.latex(), found.markdown(), found.html(), found.mathml()):
        assert "18" in text
        assert "{{" not in text
    assert repr(found) == "<Comparison: 18/25>"
