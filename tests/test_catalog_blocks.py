"""Blocks: published counts, conventions, and that a block is the sum of its parts."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from symparams import catalog, layer, read
from symparams.algebra import value
from symparams.binding import bind
from symparams.bridge import to_sympy
from symparams.catalog import builder
from symparams.declaration import Bound
from symparams.derivation.why import why


def count(identity: str, convention: str = "textbook", fixed: Any = None, **given: object) -> int:
    return int(value(bind(builder(identity), given, fixed, convention).params))


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("residual_block C_in=64 C_out=64", 73_984),  # ResNet-18 layer1.0
        ("bottleneck C_in=256 C_m=64", 70_400),  # ResNet-50 layer1.1
        ("bottleneck C_in=256 C_m=128 C_out=256 groups=32", 71_168),  # ResNeXt-50 layer1.1
        ("inverted_residual C_in=16 C_out=24", 5_136),  # MobileNetV2 features.2
        ("fire C_in=96 C_s=16 C_1=64 C_3=64 bias=True", 11_920),  # SqueezeNet 1.0 fire2
        ("inception C_in=192 ch1x1=64 ch3x3red=96 ch3x3=128 ch5x5red=16 ch5x5=32 pool_proj=32"
         " bias=True", 163_696),  # GoogLeNet (3a)
        ("dense_block C_in=64 growth_rate=32 num_layers=6", 335_040),  # DenseNet-121, block 1
        ("convnext_block C=96 bias=True", 79_296),  # ConvNeXt-T, stage 1
        ("double_conv C_in=1 C_out=64 bias=True", 37_568),  # U-Net's first level
        ("squeeze_excitation C=64 bias=True", 2 * 64 * 4 + 4 + 64),
        ("squeeze_excitation C=96 C_s=4 bias=True", 2 * 96 * 4 + 4 + 96),
        ("connection_table_conv bias=True", 1_516),  # LeNet-5's C3
        ("pointwise_conv2d C_in=128 C_out=256 bias=True", 33_024),
        ("asymmetric_conv C_in=16 C_out=32 k=3 bias=False", 3 * 16 * 32 + 3 * 32 * 32),
        ("deformable_conv2d C_in=16 C_out=32 k=3 bias=True", (9 * 16 + 1) * (18 + 32)),
    ],
)  # fmt: skip
def test_published_counts(text: str, params: int) -> None:
    assert read(text).params == params


def test_structural_options() -> None:
    assert count("residual_block", fixed={"projection": True}, C_in=64, C_out=128, s=2) == 230_144
    assert count("bottleneck", fixed={"projection": True}, C_in=64, C_m=64) == 75_008
    assert count("inverted_residual", fixed={"expand": False}, C_in=32, C_out=16) == 896
    assert count("double_conv", fixed={"norm": True}, C_in=1, C_out=64) == 37_696
    masked = count("deformable_conv2d", fixed={"mask": True}, C_in=16, C_out=32, k=3, b=1)
    assert masked == (9 * 16 + 1) * (27 + 32)


def test_a_separable_convolution_by_convention() -> None:
    given = {"C_in": 32, "C_out": 64, "k": 3, "m": 2, "b": 1}
    both, one = 9 * 64 + 64 + 64 * 64 + 64, 9 * 64 + 64 * 64 + 64
    assert count("separable_conv2d", **given) == both
    assert count("separable_conv2d", "pytorch", **given) == both
    assert count("separable_conv2d", "keras", **given) == one
    keras = layer("keras.layers.SeparableConv2D")
    assert keras(64, 3, depth_multiplier=2, batch_input_shape=[1, 28, 28, 32]).params == one


def test_batch_statistics_by_convention() -> None:
    given = {"C_in": 64, "C_out": 64}
    kept = {name: bind(builder("residual_block"), given, None, name).stored(trainable=False)
            for name in ("textbook", "pytorch", "keras")}  # fmt: skip
    assert {name: value(size) for name, size in kept.items()} == {
        "textbook": 0, "pytorch": 0, "keras": 256}  # fmt: skip


def closed_form() -> sympy.Expr:
    """A DenseNet block's count as ``sympy.summation`` gives it, without biases."""
    c, k, n = (sympy.Symbol(x, integer=True, positive=True) for x in ("C_in", "k", "n"))
    i = sympy.Symbol("i", integer=True)
    before = c + (i - 1) * k
    one = 2 * before + before * 4 * k + 2 * 4 * k + 9 * 4 * k * k
    return sympy.summation(one, (i, 1, n))


def test_a_dense_block_of_any_length_is_the_sum_of_its_layers() -> None:
    found = to_sympy(Bound(catalog.layer("dense_block")).formula())
    expected = closed_form().subs({s: sympy.Symbol(s.name) for s in closed_form().free_symbols})
    plain = found.subs({s: sympy.Symbol(s.name) for s in found.free_symbols}).subs("b", 0)
    assert sympy.expand(plain - expected) == 0
    for n in range(1, 7):
        listed = bind(builder("dense_block"), {"C_in": 64, "k": 32, "n": n})
        assert len(listed.parts) == n
        assert value(listed.params) == expected.subs({"C_in": 64, "k": 32, "n": n})
    many = bind(builder("dense_block"), {"C_in": 64, "k": 32, "n": 1000})
    assert value(many.params) == expected.subs({"C_in": 64, "k": 32, "n": 1000})


def test_the_uses_of_a_separable_convolution() -> None:
    one = read("separable_conv2d C_in=32 C_out=64 k=3 padding=1 height=28 width=28")
    assert one.macs == 28 * 28 * (9 * 32 + 32 * 64)
    strided = read("separable_conv2d C_in=32 C_out=64 k=3 stride=2 padding=1 height=28 width=28")
    assert strided.macs == 14 * 14 * (9 * 32 + 32 * 64)
    assert strided.output_shape == (14, 14, 64)


def test_lenets_connections() -> None:
    """C3 has 151,600 connections: each use of a weight, and a bias at each output."""
    c3 = read("connection_table_conv bias=True height=10 width=10")
    assert c3.macs + 16 * 100 == 151_600


@pytest.mark.parametrize("identity", ["separable_conv2d", "residual_block", "convnext_block",
                                      "double_conv", "inception"])  # fmt: skip
def test_the_size_drops_out_of_every_part(identity: str) -> None:
    answer = why(bind(builder(identity), {}), "H")
    assert answer.drops_out
    assert {"restrict", "share"} <= set(answer.removed_by)
    assert answer.stays_in == ()


def test_why_names_the_parts_where_a_letter_stays() -> None:
    answer = why(bind(builder("residual_block"), {}), "k")
    assert answer.stays_in == ("conv_1.weight", "conv_2.weight")
    assert not why(bind(builder("residual_block"), {}), "bias").drops_out
