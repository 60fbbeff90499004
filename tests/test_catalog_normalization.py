"""Normalisations and embeddings: published numbers, conventions, and what is kept beside."""

from __future__ import annotations

from typing import Any

import pytest

from symparams import layer, read
from symparams.algebra import value
from symparams.binding import bind
from symparams.catalog import builder, ids
from symparams.derivation.why import why

# --- counts that are published or follow from a framework's source --------------------------------


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("BatchNorm2d(64)", 128),
        ("nn.BatchNorm2d(64, affine=False)", 0),
        ("nn.LayerNorm(768)", 1536),  # GPT-2's: 2d
        ("nn.LayerNorm([64, 32, 32])", 2 * 64 * 32 * 32),
        ("nn.LayerNorm(768, bias=False)", 768),
        ("nn.RMSNorm(4096)", 4096),
        ("nn.GroupNorm(4, 16)", 32),
        ("nn.InstanceNorm2d(16)", 0),
        ("nn.InstanceNorm2d(16, affine=True)", 32),
        ("nn.PReLU()", 1),
        ("nn.PReLU(16)", 16),
        ("nn.Embedding(50257, 768)", 38_597_376),  # GPT-2's wte
        ("nn.Embedding(50257, 768, padding_idx=0)", 38_597_376),
        ("nn.EmbeddingBag(100, 16)", 1600),
        ("learned_positions T_max=1024 d=768", 786_432),  # GPT-2's wpe
        ("relative_buckets n=32 h=8", 256),  # T5 small, each stack
        ("relative_table M=7 h=3", 507),  # Swin-T, stage 1
        ("token_type_embedding d=768", 1536),  # BERT
        ("patch_embedding k=16 C_in=3 C_out=768 bias=True", 590_592),  # ViT-B/16
        ("image_tokens k=16 C_in=3 d=768 H=224 W=224 bias=True", 742_656),
        ("image_tokens k=16 C_in=3 d=768 H=384 W=384 bias=True", 1_034_496),
        ("sinusoidal_positions d=512", 0),
        ("rotary_positions d=64", 0),
        ("local_response_norm C=96", 0),
    ],
)
def test_counts(text: str, params: int) -> None:
    assert read(text).params == params


def test_the_image_size_of_a_vision_transformer_is_in_the_positions_only() -> None:
    """ViT-B/16 at 384 against 224: 577 positions instead of 197."""
    small, large = (
        read(f"image_tokens k=16 C_in=3 d=768 H={n} W={n} bias=True").params for n in (224, 384)
    )
    assert large - small == (577 - 197) * 768 == 86_859_496 - 86_567_656


KERAS: list[tuple[str, dict[str, Any], list[int], int, int]] = [
    ("BatchNormalization", {}, [2, 8, 8, 16], 32, 32),
    ("BatchNormalization", {"renorm": True}, [2, 8, 8, 16], 32, 80),
    ("BatchNormalization", {"scale": False}, [2, 8, 8, 16], 16, 32),
    ("BatchNormalization", {"axis": 1}, [2, 8, 8, 16], 16, 16),
    ("LayerNormalization", {"axis": [1, 2, 3]}, [2, 4, 4, 16], 512, 0),
    ("Normalization", {}, [2, 16], 0, 33),
    ("UnitNormalization", {}, [2, 16], 0, 0),
    ("PReLU", {}, [2, 4, 4, 16], 256, 0),
    ("PReLU", {"shared_axes": [1, 2]}, [2, 4, 4, 16], 16, 0),
    ("ReversibleEmbedding", {"input_dim": 10, "output_dim": 3}, [2, 5], 30, 0),
    (
        "ReversibleEmbedding",
        {"input_dim": 10, "output_dim": 3, "tie_weights": False},
        [2, 5],
        60,
        0,
    ),
    (
        "SpectralNormalization",
        {"layer": {"class_name": "Dense", "config": {"units": 32}}},
        [2, 16],
        544,
        32,
    ),
]


@pytest.mark.parametrize(("name", "config", "shape", "params", "kept"), KERAS)
def test_keras_counts(
    name: str, config: dict[str, Any], shape: list[int], params: int, kept: int
) -> None:
    found = layer(f"keras.layers.{name}")(**config, batch_input_shape=shape)
    assert (found.params, found.non_trainable, found.buffers) == (params, kept, 0)


# --- what is kept beside: the same statistics, told apart by framework ----------------------------


@pytest.mark.parametrize(
    ("name", "config", "buffers"),
    [
        ("BatchNorm2d", {"num_features": 16}, 33),
        ("BatchNorm2d", {"num_features": 16, "affine": False}, 33),
        ("BatchNorm2d", {"num_features": 16, "track_running_stats": False}, 0),
        ("InstanceNorm2d", {"num_features": 16}, 0),
        ("InstanceNorm2d", {"num_features": 16, "track_running_stats": True}, 33),
        ("LayerNorm", {"normalized_shape": 16}, 0),
    ],
)
def test_pytorch_buffers(name: str, config: dict[str, Any], buffers: int) -> None:
    found = layer(f"torch.nn.{name}")(**config)
    assert (found.buffers, found.non_trainable) == (buffers, 0)
    data = found.derive().to_dict()
    assert data.get("buffers", 0) == buffers
    assert "non_trainable" not in data


def test_weight_and_spectral_norm_around_a_layer() -> None:
    """A length for each row, of a transposed convolution for each input channel; two buffers."""
    linear = {"class_name": "Linear", "config": {"in_features": 16, "out_features": 32}}
    conv = {
        "class_name": "ConvTranspose2d",
        "config": {"in_channels": 3, "out_channels": 8, "kernel_size": 2},
    }
    wrap = layer("torch.nn.utils.parametrizations.weight_norm")
    assert wrap(module=linear).params == 576
    assert wrap(module=conv).params == 3 * 8 * 2 * 2 + 3 + 8
    spectral = layer("torch.nn.utils.parametrizations.spectral_norm")(module=linear)
    assert (spectral.params, spectral.buffers) == (544, 48)


def test_a_convention_says_what_the_statistics_are() -> None:
    for convention, kept, buffers in (("textbook", 0, 32), ("pytorch", 0, 33), ("keras", 32, 0)):
        bound = bind(builder("batch_norm2d"), {"C": 16}, convention=convention)
        assert value(bound.params) == 32
        sizes = (bound.stored(trainable=False), bound.buffers)
        assert tuple(value(size) for size in sizes) == (kept, buffers)


# --- why ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "axis", "removed", "stays"),
    [
        ("batch_norm2d", "H", ("reindex", "restrict", "share"), ()),
        ("layer_norm_chw", "H", ("reindex", "restrict"), ("scale", "shift")),
        ("layer_norm", "T", ("reindex", "restrict", "share"), ()),
        ("group_norm", "g", (), ()),
        ("embedding", "T", ("reindex", "restrict", "share"), ()),
        ("learned_positions", "T", ("reindex", "restrict", "share"), ()),
        ("learned_positions", "T_max", (), ("weight",)),
        ("embedding_bag", "T", ("share",), ()),
        ("relative_table", "M_h", ("reindex", "share"), ("weight",)),
        ("prelu", "W", ("reindex", "restrict", "share"), ()),
    ],
)
def test_why(identity: str, axis: str, removed: tuple[str, ...], stays: tuple[str, ...]) -> None:
    answer = why(bind(builder(identity), {}), axis)
    assert (answer.removed_by, answer.stays_in) == (removed, stays)


def test_a_norm_keeps_its_shift_where_biases_are_left_out() -> None:
    found = read("8x8x3: conv 3x3 16, batch norm, relu", bias=False)
    assert found.params == 3 * 3 * 3 * 16 + 32


def test_the_family_is_in_the_catalogue() -> None:
    assert {"batch_norm2d", "layer_norm", "embedding", "relative_table"} <= set(ids())
