"""Pooling: windows whose entries are constants or chosen by the data, so nothing is learned."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from ..axes import axes
from ..declaration import Build, Define, Key, Layer, Tensor, weight
from ..terms import Num, S, product
from . import keys
from .keys import SPACE, marks, outs


def _frozen(tensor: Tensor, average: bool, window: tuple[str, ...]) -> Tensor:
    if average:
        return tensor.fixed(Num(1) / product(*(S(letter) for letter in window)))
    return tensor.selected()


def pool(n: int, average: bool, padding: str = "number") -> Layer:
    """A pooling window: each channel by itself, the same at every position."""
    space = SPACE[n]
    windows = {axis: "k" + mark for axis, mark in zip(space, marks(space), strict=True)}
    inputs, outputs = " ".join(("C", *space)), " ".join(("C", *outs(space)))
    window = (
        weight(outputs, inputs, "window", "a")
        .diagonal("C")
        .through(windows, low=keys.low(space, padding))
        .shared_over("C", *outs(space))
    )
    return Layer(
        id=f"{'avg' if average else 'max'}_pool{n}d",
        family="avg_pool" if average else "max_pool",
        inputs=axes(inputs, "in"),
        outputs=axes(outputs, "out"),
        tensors=(_frozen(window, average, tuple(windows.values())),),
        keys=(
            keys.C, keys.C_SAME, keys.kernel(space), *keys.extents(space),
            keys.stride(space, window=True), *keys.padding(space, padding), keys.dilation(space),
        ),
        defines=(*keys.window_sizes(space, padding), Define("C_out", S("C"))),
        options=(("padding", padding),),
    )  # fmt: skip


def global_pool(n: int, average: bool) -> Layer:
    """One window as large as the input."""
    space = SPACE[n]
    window = weight("C", " ".join(("C", *space)), "window", "a").diagonal("C").shared_over("C")
    return Layer(
        id=f"global_{'avg' if average else 'max'}_pool{n}d",
        family="global_avg_pool" if average else "global_max_pool",
        inputs=axes(" ".join(("C", *space)), "in"),
        outputs=axes("C", "out"),
        tensors=(_frozen(window, average, space),),
        keys=(keys.C, keys.C_SAME, *keys.extents(space)[: len(space)]),
        defines=(Define("C_out", S("C")),),
    )


def adaptive_pool(n: int, average: bool, by: str = "size") -> Layer:
    """The output size is given, or its ratio to the input's; the windows follow from it."""
    space = SPACE[n]
    size = Key("out", "output_size", outs(space))
    defines = [Define("C_out", S("C"))]
    if by == "ratio":
        size = keys.per_axis("f", "output_ratio", space, None, kind="factor")
        defines += keys.scaled(space)
    return Layer(
        id=f"adaptive_{'avg' if average else 'max'}_pool{n}d",
        family="adaptive_avg_pool" if average else "adaptive_max_pool",
        inputs=axes(" ".join(("C", *space)), "in"),
        outputs=axes(" ".join(("C", *outs(space))), "out"),
        keys=(keys.C, keys.C_SAME, *keys.extents(space)[: len(space)], size),
        defines=tuple(defines),
        options=(("by", by),),
    )


def _table(name: str, make: Callable[..., Layer], average: bool) -> dict[str, Build]:
    return {f"{name}{n}d": functools.partial(make, n, average) for n in (1, 2, 3)}


LAYERS: Mapping[str, Build] = {
    **_table("max_pool", pool, False),
    **_table("avg_pool", pool, True),
    **_table("global_max_pool", global_pool, False),
    **_table("global_avg_pool", global_pool, True),
    **_table("adaptive_max_pool", adaptive_pool, False),
    **_table("adaptive_avg_pool", adaptive_pool, True),
}
