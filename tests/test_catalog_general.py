"""Layers of their own kind and those without weights: counts, shapes, names, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from symparams import catalog, layer, lookup, read
from symparams.algebra import value
from symparams.binding import bind
from symparams.catalog import builder
from symparams.equation import read_equation
from symparams.errors import UnknownName, ValueRefused


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("nn.Bilinear(8, 6, 5)", 245),
        ("maxout C_in=8 C_out=7 pieces=3 bias=True", 3 * (8 + 1) * 7),
        ("highway C=64 bias=True", 2 * (64 * 64 + 64)),
        ("graph_conv C_in=1433 C_out=16 bias=False", 22_928),  # Cora, Kipf & Welling 2017
        ("graph_conv C_in=8 C_out=7 nodes=100 bias=True", 63),
        ("graph_attention C_in=1433 C_out=8 heads=8 bias=True", 64 * 1433 + 2 * 64 + 64),
        ("deep_sets C_in=8 C_out=7 bias=True", 2 * 56 + 7),
        ("mamba_block d=768", 3_771_648),  # Mamba-130m, each of 24
        ("subsampling2d C=6 k=2 bias=True", 12),  # LeNet-5's S2
        ("subsampling2d C=16 k=2 bias=True", 32),  # and S4
        ("rbf C_in=84 C_out=10", 840),
    ],
)
def test_published_counts(text: str, params: int) -> None:
    assert read(text).params == params


def test_mamba_130m() -> None:
    assert 24 * read("mamba_block d=768").params + 50_280 * 768 + 768 == 129_135_360


def test_lenet_5_of_1998() -> None:
    """60,000 trained: C1, S2, C3, S4, C5, F6; the RBF centres are drawn, not learned."""
    parts = (
        "conv2d C_in=1 C_out=6 k=5 bias=True", "subsampling2d C=6 k=2 bias=True",
        "connection_table_conv bias=True", "subsampling2d C=16 k=2 bias=True",
        "conv2d C_in=16 C_out=120 k=5 bias=True", "linear C_in=120 C_out=84 bias=True",
    )  # fmt: skip
    assert sum(read(text).params for text in parts) == 60_000
    drawn = bind(builder("rbf"), {"C_in": 84, "C_out": 10}, {"fixed": True})
    assert (value(drawn.stored()), value(drawn.stored(trainable=False))) == (0, 840)


def test_adaptive_softmax_counts_its_clusters() -> None:
    split = read("adaptive_log_softmax C_in=512 V=10000 cutoffs=(1000,5000)")
    head, first, second = 512 * 1002, 512 * 128 + 128 * 4000, 512 * 32 + 32 * 5000
    assert split.params == head + first + second
    assert len(split.chain.parts[0].bound.parts) == 5


def test_uses() -> None:
    assert read("deep_sets C_in=8 C_out=7 n=5").macs == 2 * 5 * 8 * 7
    attending = read("graph_attention C_in=8 C_out=7 h=2 n=5").macs
    assert attending == 5 * 8 * 14 + 2 * 5 * 14 + 5 * 5 * 14
    assert read("nn.Bilinear(8, 6, 5)").macs == 240


# --- equations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("equation", "lead", "contracted", "kept", "fresh", "batch"),
    [
        ("ab,bc->ac", 0, ("n_b",), (), ("n_c",), True),
        ("abc,cde->abde", 0, ("n_c",), ("n_b",), ("n_d", "n_e"), True),
        ("abc,bcd->abd", 0, ("n_c",), ("n_b",), ("n_d",), True),
        ("abc,acd->abd", 0, ("n_c",), ("n_a", "n_b"), ("n_d",), False),
        ("...x,xy->...y", 2, ("n_x",), ("T_1", "T_2"), ("n_y",), True),
        ("ab...,bc->ac...", 1, ("n_b",), ("T",), ("n_c",), True),
    ],
)
def test_equations(
    equation: str, lead: int, contracted: Any, kept: Any, fresh: Any, batch: bool
) -> None:
    found = read_equation(equation, lead)
    assert (found.contracted, found.kept, found.fresh) == (contracted, kept, fresh)
    assert found.batch is batch


@pytest.mark.parametrize(
    "equation",
    ["", "ab", "ab,bc", "ab,bc->", "aab,bc->ac", "ab,bc->axc", "ab,bcd->ac", "ab,b1->a1",
     "a b,b c->a;c", "ab,bc,cd->ad", "é,é->é", "->" * 400, "__import__,b->c"],
)  # fmt: skip
def test_what_is_no_equation_is_refused(equation: str) -> None:
    with pytest.raises(ValueRefused, match="no equation"):
        read_equation(equation)


# --- layers without weights ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kwargs", "shape", "out"),
    [
        ("nn.Unfold", {"kernel_size": 3, "padding": 1}, [2, 5, 8, 8], (2, 45, 64)),
        ("nn.Fold", {"output_size": (4, 5), "kernel_size": 2}, [1, 12, 12], (1, 3, 4, 5)),
        ("nn.PixelShuffle", {"upscale_factor": 2}, [1, 8, 9, 2], (1, 2, 18, 4)),
        ("nn.PixelUnshuffle", {"downscale_factor": 3}, [2, 1, 9, 21], (2, 9, 3, 7)),
        ("nn.ChannelShuffle", {"groups": 2}, [1, 8, 4, 5], (1, 8, 4, 5)),
        ("nn.Unflatten", {"dim": -1, "unflattened_size": (2, -1)}, [5, 9, 4], (5, 9, 2, 2)),
        ("nn.MaxUnpool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, [1, 3, 8, 8],
         (1, 3, 15, 15)),
        ("keras.layers.Reshape", {"target_shape": (-1, 4)}, [2, 6, 8], (2, 12, 4)),
        ("keras.layers.Permute", {"dims": (3, 1, 2)}, [2, 1, 4, 6], (2, 6, 1, 4)),
        ("keras.layers.RepeatVector", {"n": 6}, [4, 3], (4, 6, 3)),
        ("keras.layers.Masking", {"mask_value": 0}, [4, 7, 3], (4, 7, 3)),
        ("keras.layers.Add", {}, [[5, 31, 3], [5, 31, 3]], (5, 31, 3)),
        ("keras.layers.Subtract", {}, [[5, 31], [5, 31]], (5, 31)),
        ("keras.layers.Minimum", {}, [[5, 31], [5, 31]], (5, 31)),
        ("keras.layers.Concatenate", {"axis": 1}, [[2, 3, 7], [2, 5, 7]], (2, 8, 7)),
        ("keras.layers.Concatenate", {"axis": -1}, [[2, 3], [2, 5], [2, 9]], (2, 17)),
    ],
)  # fmt: skip
def test_shapes(name: str, kwargs: Any, shape: Any, out: tuple[int, ...]) -> None:
    one = layer(name)(**kwargs, batch_input_shape=shape)
    assert one.output_shape == out
    assert one.params == 0


@pytest.mark.parametrize(
    ("name", "kwargs", "shape", "says"),
    [
        ("keras.layers.Add", {}, [[2, 3], [2, 4]], "one shape"),
        ("keras.layers.Concatenate", {}, [[2, 3, 4], [2, 5, 4]], "one shape"),
        ("keras.layers.Concatenate", {"axis": 0}, [[2, 3], [2, 3]], "batch"),
        ("keras.layers.Concatenate", {"axis": 7}, [[2, 3], [2, 3]], "no dimension"),
        ("keras.layers.Reshape", {"target_shape": (5, 5)}, [2, 6, 8], "cannot give 48 values"),
        ("keras.layers.Reshape", {"target_shape": (5, -1)}, [2, 6, 8], "not a whole number"),
        ("keras.layers.Permute", {"dims": (1, 1)}, [2, 6, 8], "in some order"),
        ("nn.Unflatten", {"dim": 5, "unflattened_size": (2, 2)}, [2, 4], "no dimension"),
        ("nn.Unflatten", {"dim": 1, "unflattened_size": (3, 2)}, [2, 4], "cannot give 4 values"),
        ("nn.PixelShuffle", {"upscale_factor": 3}, [1, 8, 4, 4], "not a whole number"),
        ("nn.ChannelShuffle", {"groups": 3}, [1, 8, 4, 4], "does not divide"),
        ("nn.Fold", {"output_size": 4, "kernel_size": 3}, [1, 8, 4], "does not divide"),
        ("nn.Bilinear", {"in1_features": 3, "in2_features": 4, "out_features": 5},
         [[2, 3], [2, 9]], "in2_features"),
        ("keras.layers.EinsumDense", {"equation": "ab", "output_shape": 3}, [2, 4], "equation"),
        ("keras.layers.EinsumDense",
         {"equation": "ab,bc->ac", "output_shape": 3, "lora_rank": 2}, [2, 4], "lora_rank"),
        ("flax.linen.DenseGeneral", {"features": 3, "axis": 9}, [2, 4], "no dimension"),
    ],
)  # fmt: skip
def test_refusals(name: str, kwargs: Any, shape: Any, says: str) -> None:
    with pytest.raises(ValueRefused, match=says) as caught:
        layer(name)(**kwargs, batch_input_shape=shape)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [(), (1.5,), ("a",), [True], [3] * 65])
def test_listed_numbers_are_bounded(raw: object) -> None:
    with pytest.raises(ValueRefused):
        bind(builder("reshape"), {"target_shape": raw})


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("MBConv", "inverted_residual"), ("se block", "squeeze_excitation"),
        ("GAT", "graph_attention"), ("gcn", "graph_conv"), ("im2col", "unfold2d"),
        ("Inception module", "inception"), ("depth to space", "pixel_shuffle"),
        ("basic block", "residual_block"), ("1x1 convolution", "pointwise_conv2d"),
        ("Mamba", "mamba_block"), ("SeparableConv2D", "separable_conv2d"),
        ("torch.nn.Bilinear", "bilinear"), ("EinsumDense", "einsum_dense"),
    ],
)  # fmt: skip
def test_any_usual_name_finds_a_layer(name: str, identity: str) -> None:
    assert lookup.find(name).id == identity


@pytest.mark.parametrize(
    ("name", "near"),
    [("residul_block", "residual_block"), ("Bilinar", "bilinear"), ("convolutin2d", "conv2d"),
     ("squeeze and excitaton", "squeeze_excitation"), ("PixelShufle", "pixel_shuffle")],
)  # fmt: skip
def test_a_near_miss_is_suggested(name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=f"did you mean {near}"):
        lookup.find(name)


def test_no_usual_name_hides_a_layer() -> None:
    """A name that a declaration gives is another layer's id, phrase or class nowhere."""
    for identity in catalog.ids():
        for name in catalog.layer(identity).also:
            assert lookup.find(name).id == identity, name
