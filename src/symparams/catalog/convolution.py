"""Convolutions, their transposes and the locally connected layer they share weights over.

Source: LeCun et al. 1989 (local, shared); Dumoulin & Visin 2016 (sizes).
"""

from __future__ import annotations

from collections.abc import Mapping

from ..axes import axes
from ..layer import Build, Divides, Layer, bias, weight
from . import keys
from .keys import BIAS, C_IN, C_OUT, GROUPS, SPACE, outs


def _windows(space: tuple[str, ...]) -> dict[str, str]:
    return {axis: "k" + mark for axis, mark in zip(space, keys.marks(space), strict=True)}


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
            .windowed(**_windows(space))
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


LAYERS: Mapping[str, Build] = {
    "conv1d": lambda **options: conv(1, **options),
    "conv2d": lambda **options: conv(2, **options),
    "conv3d": lambda **options: conv(3, **options),
}
