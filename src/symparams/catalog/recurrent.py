"""Recurrent layers: the same cell at every time step, its gates side by side.

Source: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 (forget gate); Cho et
al. 2014 (GRU).  Conventions differ in the second bias vector, ``g2`` gates of which have one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..axes import Axis, Box, axis
from ..declaration import Build, Key, Layer, Tensor, bias, part, weight
from ..terms import Num, S, Term
from .keys import BIAS

I = Key("i", "input_size", also=("C_in", "input_dim", "in_channels", "in_features"))  # noqa: E741  # the field's letter
H = Key("h", "hidden_size", also=("C_out", "units", "features", "out_channels"))
P = Key("p", "proj_size")
T = Key("T", "seq_len", kind="extent", also=("time_steps", "timesteps"))
SECOND = Key("g2", "second_biases", default=(Num(0),), kind="copies", least=0)

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
# How many gates have a second bias vector.
SECOND_BIASES: Mapping[str, Mapping[str, int]] = {
    "rnn": {"pytorch": 1, "keras": 0, "flax": 0},
    "lstm": {"pytorch": 4, "keras": 0, "flax": 0},
    "gru": {"pytorch": 3, "keras": 3, "flax": 1},
}


def _step(side: str) -> Axis:
    return axis("T", "t", "time", "out" if side == "out" else "in")


def _gates(size: Term, name: str = "G") -> Axis:
    return axis(name, "g", "gate", "out", size)


def _each_step(tensor: Tensor, lag: int = 0) -> Tensor:
    return tensor.diagonal("T", lag=lag).shared_over("T")


def cell(kind: str, projected: bool = False) -> Layer:
    """One recurrent layer: input and state each through its own matrix, gates side by side."""
    gates = _gates(Num(GATES[kind]))
    width = axis("h", "j", "feature", "out")
    out: Box = (_step("out"), gates, width)
    state = axis("p" if projected else "h", "m", "feature", "in")
    tensors = [
        _each_step(weight(out, (_step("in"), axis("i", "m", "feature", "in")), "weight_ih", "w_x")),
        _each_step(weight(out, (_step("in"), state), "weight_hh", "w_h"), lag=1).reading("h"),
        bias(out, "bias_ih", "b_x").shared_over("T"),
        bias((_step("out"), _gates(S("g2"), "g2"), width), "bias_hh", "b_h").shared_over("T"),
    ]
    outputs: Box = (_step("out"), width)
    if projected:
        outputs = (_step("out"), axis("p", "j", "feature", "out"))
        held = (_step("in"), axis("h", "m", "feature", "in"))
        tensors.append(_each_step(weight(outputs, held, "weight_hr", "w_r")).reading("c", "r"))
    return Layer(
        id=f"{kind}_cell",
        family="recurrent",
        inputs=(_step("in"), axis("i", "m", "feature", "in")),
        outputs=outputs,
        tensors=tuple(tensors),
        keys=(I, H, *((P,) if projected else ()), T, SECOND, BIAS),
        options=(("projected", projected),),
        conventions=_conventions(kind),
    )


def _conventions(kind: str) -> tuple[tuple[str, tuple[tuple[str, Term], ...]], ...]:
    return tuple((name, (("g2", Num(n)),)) for name, n in SECOND_BIASES[kind].items())


def recurrent(kind: str, projected: bool = False, stacked: bool = False) -> Layer:
    """Layers on top of each other, in one or two directions; each its own cell.

    The first layer reads the input, each further one what all directions below it gave.
    """
    if not stacked:
        one = cell(kind, projected)
        return replace(one, id=kind)
    inner = cell(kind, projected)
    state = S("p") if projected else S("h")
    same: dict[str, Any] = {"h": S("h"), "T": S("T"), "g2": S("g2"), "b": S("b")}
    if projected:
        same["p"] = S("p")
    directions = Key("D", "directions", default=(Num(1),), kind="modifier")
    layers = Key("L", "num_layers", default=(Num(1),), kind="modifier")
    return Layer(
        id=kind,
        family="recurrent",
        inputs=inner.inputs,
        outputs=(_step("out"), axis("D", "d", "copy", "out"), inner.outputs[1]),
        parts=(
            part("first", inner, copies=S("D"), i=S("i"), **same),
            part("others", inner, copies=(S("L") - 1) * S("D"), i=S("D") * state, **same),
        ),
        keys=(I, H, *((P,) if projected else ()), T, layers, directions, SECOND, BIAS),
        options=(("projected", projected), ("stacked", True)),
        conventions=_conventions(kind),
    )


LAYERS: Mapping[str, Build] = {
    **{kind: functools.partial(recurrent, kind) for kind in GATES},
    **{f"{kind}_cell": functools.partial(cell, kind) for kind in GATES},
}
