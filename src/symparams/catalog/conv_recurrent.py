"""Convolutional LSTMs: both matrices of an LSTM are convolutions.

Source: Shi et al. 2015.  Conventions differ in the second bias vector; stride, padding and
dilation act on the input's kernel only, the state keeps its size.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from ..axes import Box, axes
from ..declaration import Build, Key, Layer, Tensor, bias, weight
from ..terms import ZERO, Num
from . import keys
from .keys import SPACE, marks, outs
from .recurrent import GATES, T, gates, step

SECOND = Key("g2", "second_biases", default=(ZERO,), kind="copies", least=0)
CONVENTIONS = tuple(
    (name, (("g2", Num(n)),)) for name, n in (("keras", 0), ("flax", GATES["lstm"]))
)


def conv_lstm(
    n: int, timed: bool = True, padding: str = "number", last: bool = False
) -> Layer:  # fmt: skip
    """A convolutional LSTM: windows of the input and of the state of the step before."""
    space = SPACE[n]
    at: Box = (step("out"),) if timed else ()
    before: Box = (step("in"),) if timed else ()
    places = " ".join(outs(space))
    return Layer(
        id=f"conv_lstm{n}d" if timed else f"conv_lstm_cell{n}d",
        family="conv_lstm",
        inputs=(*before, *axes(" ".join(("C_in", *space)), "in")),
        outputs=(*(() if last else at), *axes(f"C_out {places}", "out")),
        tensors=_tensors(space, padding, at, before),
        keys=(
            keys.C_IN, keys.C_OUT, keys.kernel(space), *((T,) if timed else ()),
            *keys.extents(space), keys.stride(space), *keys.padding(space, padding, "same valid"),
            keys.dilation(space), SECOND, keys.BIAS,
        ),
        defines=keys.window_sizes(space, padding),
        options=(("padding", padding), ("last", last)),
        conventions=CONVENTIONS,
    )  # fmt: skip


def _tensors(
    space: tuple[str, ...], padding: str, at: Box, before: Box
) -> tuple[Tensor, ...]:  # fmt: skip
    each, again = gates("lstm")
    unit = axes("C_out", "out")
    places = axes(" ".join(outs(space)), "out")
    windows = {axis: "k" + mark for axis, mark in zip(space, marks(space), strict=True)}
    out: Box = (*at, *each, *unit, *places)
    state = (*before, *axes(" ".join(("C_out", *outs(space))), "in"))
    found = [
        weight(out, (*before, *axes(" ".join(("C_in", *space)), "in")), "weight_ih", "w_x")
        .through(windows, low=keys.low(space, padding))
        .reading("x", "a"),
        weight(out, state, "weight_hh", "w_h").through(windows, same=True).reading("h", "a"),
        bias(out, "bias_ih", "b_x").reading("x", "a"),
        bias((*at, *again, *unit, *places), "bias_hh", "b_h").reading("h", "a"),
    ]
    if at:
        found = [_each_step(tensor, int(tensor.name == "weight_hh")) for tensor in found]
    return tuple(tensor.shared_over(*outs(space)) for tensor in found)


def _each_step(tensor: Tensor, lag: int) -> Tensor:
    stepped = tensor.diagonal("T", lag=lag) if tensor.inputs else tensor
    return stepped.shared_over("T")


LAYERS: Mapping[str, Build] = {
    **{f"conv_lstm{n}d": functools.partial(conv_lstm, n, True) for n in SPACE},
    **{f"conv_lstm_cell{n}d": functools.partial(conv_lstm, n, False) for n in SPACE},
}
