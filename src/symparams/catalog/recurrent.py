"""Recurrent layers: the same cell at every time step, its gates side by side.

Source: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 (forget gate, peepholes);
Cho et al. 2014 (GRU); Zhou et al. 2016 (minimal gated unit); Sak, Senior & Beaufays 2014
(projection).  Conventions differ in the second bias vector, ``g2`` gates of which have one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

from ..axes import Axis, Box, axis
from ..declaration import Build, Key, Layer, Part, Tensor, bias, weight
from ..terms import ONE, ZERO, Num, S, Term
from .keys import BIAS

I = Key("i", "input_size", also=("C_in", "input_dim", "in_channels", "in_features"))  # noqa: E741  # the field's letter
H = Key("h", "hidden_size", also=("C_out", "units", "features", "out_channels", "out_features",
                                  "hidden_dim", "hidden_units", "hidden_features"))  # fmt: skip
T = Key("T", "seq_len", kind="extent", also=("time_steps", "timesteps", "sequence_length"))
P = Key("p", "proj_size", option="projected")
DEPTH = Key("L", "num_layers", default=(ONE,), kind="modifier", option="stacked")
DIRECTIONS = Key("D", "directions", default=(ONE,), kind="modifier", option="stacked",
                 also=("bidirectional",), flag=(ONE, Num(2)))  # fmt: skip

GATES = {"rnn": 1, "mgu": 2, "gru": 3, "lstm": 4}
# How many gates have a second bias vector.
SECOND_BIASES: Mapping[str, Mapping[str, int]] = {
    "rnn": {"pytorch": 1, "keras": 0, "flax": 0},
    "mgu": {"flax": 1},
    "gru": {"pytorch": 3, "keras": 3, "flax": 1},
    "lstm": {"pytorch": 4, "keras": 0, "flax": 0},
}
# The frameworks' flags that say whether there is one.
_SECOND_FLAGS = {"gru": ("reset_after",), "mgu": ("reset_gate",)}


def second(kind: str) -> Key:
    """How many gates have a second bias vector; a flag of the framework's may say it too."""
    most = max(SECOND_BIASES[kind].values())
    flags = _SECOND_FLAGS.get(kind, ())
    return Key("g2", "second_biases", default=(ZERO,), kind="copies", least=0, also=flags,
               flag=(ZERO, Num(most)) if flags else ())  # fmt: skip


def conventions(kind: str) -> tuple[tuple[str, tuple[tuple[str, Term], ...]], ...]:
    """What each framework settles."""
    return tuple((name, (("g2", Num(n)),)) for name, n in SECOND_BIASES[kind].items())


def step(side: str) -> Axis:
    """The axis of time steps."""
    return axis("T", "t", "time", "out" if side == "out" else "in")


def gates(kind: str) -> tuple[Box, Box]:
    """The gates side by side, and those with a second bias vector; one gate is no axis."""
    if GATES[kind] == 1:
        return (), (axis("g2", "g", "copy", "out", S("g2")),)
    side = axis("G", "g", "gate", "out", Num(GATES[kind]))
    return (side,), (axis("g2", "g", "gate", "out", S("g2")),)


def _each_step(tensor: Tensor, timed: bool, lag: int = 0) -> Tensor:
    return tensor.diagonal("T", lag=lag).shared_over("T") if timed else tensor


def _each_bias(out: Box, name: str, letter: str) -> Tensor:
    tensor = bias(out, name, letter).reading("x", "a")
    return tensor.shared_over("T") if any(a.name == "T" for a in out) else tensor


def feature(name: str, index: str, side: str) -> Axis:
    """An axis of features."""
    return axis(name, index, "feature", "out" if side == "out" else "in")


def tensors(
    kind: str, timed: bool = True, projected: bool = False, peephole: bool = False
) -> tuple[Tensor, ...]:
    """Input and state each through its own matrix, then the biases; what an LSTM may have more.

    The gates' sums are called a; a state is that of the step before.
    """
    each, again = gates(kind)
    at: tuple[Axis, ...] = (step("out"),) if timed else ()
    before: tuple[Axis, ...] = (step("in"),) if timed else ()
    width = feature("h", "j", "out")
    out: Box = (*at, *each, width)
    state = feature("p" if projected else "h", "m", "in")
    found = [
        _each_step(weight(out, (*before, feature("i", "m", "in")), "weight_ih", "w_x"), timed)
        .reading("x", "a"),
        _each_step(weight(out, (*before, state), "weight_hh", "w_h"), timed, 1)
        .reading("h", "a"),
        _each_bias(out, "bias_ih", "b_x"),
        _each_bias((*at, *again, width), "bias_hh", "b_h"),
    ]  # fmt: skip
    if peephole:
        found += _peepholes(at, before, timed)
    if projected:
        shown = (*at, feature("p", "j", "out"))
        inner = weight(shown, (*before, feature("h", "m", "in")), "weight_hr", "w_r")
        found.append(_each_step(inner, timed).reading("z", "h"))
    return tuple(found)


def _peepholes(at: Box, before: Box, timed: bool) -> list[Tensor]:
    """Each unit's own cell state weighs in on its gates: on two before it is renewed, on the
    output gate after."""
    width, own = feature("h", "j", "out"), feature("h", "j'", "in")
    found = []
    for name, letter, count, lag in (("weight_ci", "w_c", 2, 1), ("weight_co", "w_o", 1, 0)):
        each = (axis("G", "g", "gate", "out", Num(count)),) if count > 1 else ()
        tensor = weight((*at, *each, width), (*before, own), name, letter).diagonal("h")
        tensor = _each_step(tensor, timed, lag).reading("c", "a")
        found.append(replace(tensor, kind="scale"))
    return found


def one(
    kind: str, identity: str, *, timed: bool = True, last: bool = False, projected: bool = False,
    peephole: bool = False, more: tuple[Key, ...] = (),
) -> Layer:  # fmt: skip
    """One cell, or the layer that applies it at every time step."""
    width = feature("p" if projected else "h", "j", "out")
    return Layer(
        id=identity,
        family="recurrent",
        inputs=(*((step("in"),) if timed else ()), feature("i", "m", "in")),
        outputs=(*((step("out"),) if timed and not last else ()), width),
        tensors=tensors(kind, timed, projected, peephole),
        keys=(I, H, *((P,) if kind == "lstm" else ()), *((T,) if timed else ()), *more,
              second(kind), BIAS),
        options=(("projected", projected), ("peephole", peephole), ("last", last)),
        conventions=conventions(kind),
    )  # fmt: skip


def cell(kind: str) -> Layer:
    """One step of a recurrent layer."""
    return one(kind, f"{kind}_cell", timed=False)


def lstm_cell(projected: bool = False, peephole: bool = False) -> Layer:
    """One step of an LSTM."""
    return one("lstm", "lstm_cell", timed=False, projected=projected, peephole=peephole)


def recurrent(kind: str, stacked: bool = False, last: bool = False) -> Layer:
    """Layers on top of each other, in one or two directions; each its own cell.

    ``last`` gives the output of the last time step only.
    """
    plain = one(kind, kind, last=last, more=(DEPTH, DIRECTIONS))
    return _stack(one(kind, kind), plain) if stacked else plain


def lstm(
    stacked: bool = False, last: bool = False, projected: bool = False, peephole: bool = False
) -> Layer:
    """An LSTM; its output may be projected (then the projection is the state), and its gates may
    see the cell state (peepholes)."""
    make = functools.partial(one, "lstm", "lstm", projected=projected, peephole=peephole)
    plain = make(last=last, more=(DEPTH, DIRECTIONS))
    return _stack(make(), plain) if stacked else plain


def _stack(inner: Layer, whole: Layer) -> Layer:
    """The first layer reads the input, each further one what all directions below it gave."""
    state = whole.outputs[-1]
    same = tuple((name, S(name)) for name in ("h", "T", "g2", "b"))
    if state.name == "p":
        same = (*same, ("p", S("p")))
    directions = axis("D", "d", "copy", "out")
    below = S("D") * S(state.name)
    return replace(
        whole,
        outputs=(*whole.outputs[:-1], directions, state),
        tensors=(),
        parts=(
            Part("first", inner, (("i", S("i")), *same), S("D")),
            Part("others", inner, (("i", below), *same), S("D") * (S("L") - 1)),
        ),
        options=(*whole.options, ("stacked", True)),
    )


LAYERS: Mapping[str, Build] = {
    **{kind: functools.partial(recurrent, kind) for kind in ("rnn", "gru", "mgu")},
    "lstm": lstm,
    **{f"{kind}_cell": functools.partial(cell, kind) for kind in ("rnn", "gru", "mgu")},
    "lstm_cell": lstm_cell,
}
