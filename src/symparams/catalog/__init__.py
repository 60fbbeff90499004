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
    "recurrent": ("rnn", "gru", "lstm", "rnn_cell", "gru_cell", "lstm_cell"),
    "pooling": tuple(
        f"{kind}_pool{n}d"
        for kind in ("max", "avg", "global_max", "global_avg", "adaptive_max", "adaptive_avg")
        for n in (1, 2, 3)
    ),
    "shaping": (
        "flatten", "activation", "dropout", "identity", "pad1d", "pad2d", "pad3d",
        "crop1d", "crop2d", "crop3d", "upsample1d", "upsample2d", "upsample3d",
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
    return table[identity]


@functools.cache
def layer(identity: str, **options: object) -> Layer:
    """A layer type by its id.

    >>> layer("conv2d").tensors[0].size == layer("conv2d").tensors[0].end.size
    True
    """
    return builder(identity)(**options)
