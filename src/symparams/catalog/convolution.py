"""Convolutions, their transposes and the locally connected layer they share weights over.

Source: LeCun et al. 1989 (local, shared); Dumoulin & Visin 2016 (sizes).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from ..axes import axes
from ..declaration import Build, Divides, Layer, bias, weight
from . import keys
from .keys import BIAS, C_IN, C_OUT, GROUPS, SPACE, outs


def _windows(space: tuple[str, ...]) -> dict[str, str]:
    return {axis: "k" + mark for axis, mark in zip(space, keys.marks(space), strict=True)}


@functools.cache
def conv(n: int, padding: str = "number") -> Layer:
    """A convolution over n axes: local, grouped, shared over the output positions."""
    space = SPACE[n]
    inputs, outputs = " ".join(("C_in", *space)), " ".join(("C_out", *outs(space)))
    return Layer(
        id=f"conv{n}d",
        family="conv",
        inputs=axes(inputs, "in"),
        outputs=axes(outputs, "out"),
        tensors=(
            weight(outputs, inputs)
            .through(_windows(space), low=keys.low(space, padding))
            .grouped("C_in", "C_out", by="g")
            .shared_over(*outs(space)),
            bias(outputs).shared_over(*outs(space)),
        ),
        keys=(
            C_IN, C_OUT, keys.kernel(space), *keys.extents(space), keys.stride(space),
            *keys.padding(space, padding), keys.dilation(space), GROUPS, BIAS,
        ),
        defines=keys.window_sizes(space, padding),
        requires=(Divides("g", "C_in"), Divides("g", "C_out")),
        options=(("padding", padding),),
    )  # fmt: skip


@functools.cache
def depthwise(n: int, padding: str = "number") -> Layer:
    """A convolution of every channel by itself, with m filters for each."""
    space = SPACE[n]
    inputs, outputs = " ".join(("C_in", *space)), " ".join(("C_in", "m", *outs(space)))
    return Layer(
        id=f"depthwise_conv{n}d",
        family="depthwise",
        inputs=axes(inputs, "in"),
        outputs=axes(outputs, "out"),
        tensors=(
            weight(outputs, inputs)
            .diagonal("C_in")
            .through(_windows(space), low=keys.low(space, padding))
            .shared_over(*outs(space)),
            bias(outputs).shared_over(*outs(space)),
        ),
        keys=(
            C_IN, keys.MULTIPLIER, keys.C_OUT_DERIVED, keys.kernel(space), *keys.extents(space),
            keys.stride(space), *keys.padding(space, padding), keys.dilation(space), BIAS,
        ),
        defines=(*keys.window_sizes(space, padding), keys.multiplied()),
        options=(("padding", padding),),
    )  # fmt: skip


def transposed(n: int, padding: str = "number") -> Layer:
    """A transposed convolution: every input is spread over a window of outputs, and it is
    the input positions that the weights are shared over."""
    space = SPACE[n]
    inputs, outputs = " ".join(("C_in", *space)), " ".join(("C_out", *outs(space)))
    return Layer(
        id=f"conv_transpose{n}d",
        family="transposed",
        inputs=axes(inputs, "in"),
        outputs=axes(outputs, "out"),
        tensors=(
            weight(outputs, inputs)
            .windowed(site="in", **_windows(space))
            .grouped("C_out", "C_in", by="g")
            .shared_over(*space),
            bias(outputs).shared_over(*outs(space)),
        ),
        keys=(
            C_IN, C_OUT, keys.kernel(space), *keys.extents(space), keys.stride(space),
            *keys.padding(space, padding, "same valid"), keys.output_padding(space),
            keys.dilation(space), GROUPS, BIAS,
        ),
        defines=keys.transposed_sizes(space, padding),
        requires=(Divides("g", "C_in"), Divides("g", "C_out")),
        options=(("padding", padding),),
    )  # fmt: skip


def local(n: int, padding: str = "number") -> Layer:
    """A locally connected layer: a window for each output position, and nothing shared."""
    space = SPACE[n]
    inputs, outputs = " ".join(("C_in", *space)), " ".join(("C_out", *outs(space)))
    return Layer(
        id=f"locally_connected{n}d",
        family="local",
        inputs=axes(inputs, "in"),
        outputs=axes(outputs, "out"),
        tensors=(
            weight(outputs, inputs).through(_windows(space), low=keys.low(space, padding)),
            bias(outputs),
        ),
        keys=(
            C_IN, C_OUT, keys.kernel(space), *keys.extents(space), keys.stride(space),
            *keys.padding(space, padding), keys.dilation(space), BIAS,
        ),
        defines=keys.window_sizes(space, padding),
        options=(("padding", padding),),
    )  # fmt: skip


def _table(name: str, make: Callable[..., Layer], dims: tuple[int, ...]) -> dict[str, Build]:
    return {f"{name}{n}d": functools.partial(make, n) for n in dims}


LAYERS: Mapping[str, Build] = {
    **_table("conv", conv, (1, 2, 3)),
    **_table("depthwise_conv", depthwise, (1, 2, 3)),
    **_table("conv_transpose", transposed, (1, 2, 3)),
    **_table("locally_connected", local, (1, 2)),
}
