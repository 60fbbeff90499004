"""The layers, declared: a module a family, found by id; no formula is typed in any of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import import_module

from ..declaration import Build, Layer

# id -> the module that declares it, so that a command loads one family only.
_FAMILIES = {
    "dense": ("linear", "flatten_dense", "global_pool_dense"),
    "convolution": (
        "conv1d", "conv2d", "conv3d",
        "depthwise_conv1d", "depthwise_conv2d", "depthwise_conv3d",
        "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
        "locally_connected1d", "locally_connected2d",
    ),
    "recurrent": (
        "rnn", "gru", "lstm", "mgu", "rnn_cell", "gru_cell", "lstm_cell", "mgu_cell",
    ),
    "conv_recurrent": tuple(f"conv_lstm{cell}{n}d" for cell in ("", "_cell") for n in (1, 2, 3)),
    "wrappers": ("stacked_cells", "bidirectional", "time_distributed"),
    "attention": (
        "multi_head_attention", "cross_attention", "grouped_query_attention",
        "multi_query_attention", "latent_attention", "additive_attention", "dot_attention",
        "window_attention",
    ),
    "transformer": (
        "feed_forward", "gated_feed_forward", "mixture_of_experts", "lora", "dora", "adapter",
        "prompt_tokens", "prefix_tokens", "transformer_encoder_layer",
        "transformer_decoder_layer", "transformer_encoder", "transformer_decoder", "transformer",
    ),
    "pooling": tuple(
        f"{kind}_pool{n}d"
        for kind in ("max", "avg", "global_max", "global_avg", "adaptive_max", "adaptive_avg")
        for n in (1, 2, 3)
    ),
    "blocks": (
        "pointwise_conv1d", "pointwise_conv2d", "pointwise_conv3d", "separable_conv1d",
        "separable_conv2d", "asymmetric_conv", "deformable_conv2d", "residual_block", "bottleneck",
        "inverted_residual", "squeeze_excitation", "fire", "inception", "densenet_layer",
        "dense_block",
        "convnext_block", "double_conv", "connection_table_conv",
    ),
    "general": (
        "bilinear", "einsum_dense", "maxout", "highway", "graph_conv", "graph_attention",
        "deep_sets", "state_space", "mamba_block", "adaptive_log_softmax", "channel_affine2d",
        "subsampling2d", "rbf",
    ),
    "normalization": (
        "batch_norm1d", "batch_norm2d", "batch_norm3d", "instance_norm1d", "instance_norm2d",
        "instance_norm3d", "layer_norm", "layer_norm_chw", "group_norm", "rms_norm", "layer_scale",
        "local_response_norm", "unit_norm", "feature_norm", "prelu", "weight_norm",
        "spectral_norm",
    ),
    "embedding": (
        "embedding", "embedding_bag", "token_type_embedding", "reversible_embedding",
        "learned_positions", "sinusoidal_positions", "rotary_positions", "relative_buckets",
        "relative_table", "class_token", "patch_embedding", "image_tokens",
    ),
    "shaping": (
        "flatten", "activation", "dropout", "identity", "pad1d", "pad2d", "pad3d",
        "crop1d", "crop2d", "crop3d", "upsample1d", "upsample2d", "upsample3d",
        "unfold2d", "fold2d", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
        "max_unpool1d", "max_unpool2d", "max_unpool3d", "reshape", "permute", "repeat_vector",
        "concatenate", "add", "subtract", "multiply", "average", "maximum", "minimum",
    ),
}  # fmt: skip

_MODULE = {identity: module for module, ids in _FAMILIES.items() for identity in ids}


def ids() -> tuple[str, ...]:
    """The ids of all layers, family by family."""
    return tuple(_MODULE)


@functools.cache
def builder(identity: str) -> Build:
    """The function that declares a layer for given structural options.

    Raises:
        KeyError: no layer has this id.
    """
    module = import_module(f"{__name__}.{_MODULE[identity]}")
    table: Mapping[str, Build] = module.LAYERS
    return functools.lru_cache(maxsize=64)(table[identity])  # declarations know no number


@functools.cache
def layer(identity: str, **options: object) -> Layer:
    """A layer type by its id.

    >>> layer("conv2d").tensors[0].size == layer("conv2d").tensors[0].end.size
    True
    """
    return builder(identity)(**options)
