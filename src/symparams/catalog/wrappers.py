"""Layers made of other layers: cells on top of each other, both directions, every time step.

Source: Schuster & Paliwal 1997 (bidirectional); the wrappers of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..axes import axis
from ..declaration import Build, Key, Layer, Part, part
from ..terms import ZERO, Num, S
from . import recurrent
from .keys import BIAS

Options = tuple[tuple[str, object], ...]
_WIDTHS = ("feature", "channel", "copy")


def _inner(identity: str, options: Options) -> Layer:
    from . import layer  # the catalogue hands out a layer of any family

    return layer(identity, **dict(options))


def stacked_cells(
    cells: Sequence[str] = ("lstm", "lstm"), biases: Sequence[bool] = (), last: bool = False
) -> Layer:
    """Different cells on top of each other, at every time step.

    ``biases`` says which have biases where not all are alike.
    """
    marks = tuple(f"_{n + 1}" for n in range(len(cells)))
    biased = tuple(biases) or (True,) * len(cells)
    seconds = Key("g2", "second_biases", tuple("g2" + m for m in marks), (ZERO,) * len(marks),
                  "copies", 0)  # fmt: skip
    width = axis("h", "j", "feature", "out", S("h" + marks[-1]))
    step = recurrent.step
    return Layer(
        id="stacked_cells",
        family="recurrent",
        inputs=(step("in"), recurrent.feature("i", "m", "in")),
        outputs=(width,) if last else (step("out"), width),
        parts=tuple(_cells(cells, marks, biased)),
        keys=(recurrent.I, replace(recurrent.H, parts=tuple("h" + m for m in marks)), recurrent.T,
              seconds, BIAS),
        options=(("cells", tuple(cells)), ("biases", biased), ("last", last)),
        conventions=tuple((name, tuple(_seconds(name, cells, marks)))
                          for name in ("pytorch", "keras", "flax")),
    )  # fmt: skip


def _cells(cells: Sequence[str], marks: Sequence[str], biased: Sequence[bool]) -> list[Part]:
    """Each cell reads what the one below it gives."""
    found = []
    for n, (kind, mark) in enumerate(zip(cells, marks, strict=True)):
        below = S("h" + marks[n - 1]) if n else S("i")
        found.append(
            part(f"cell{mark}", recurrent.one(kind, kind), i=below, h=S("h" + mark), T=S("T"),
                 g2=S("g2" + mark), b=S("b") if biased[n] else ZERO)
        )  # fmt: skip
    return found


def _seconds(name: str, cells: Sequence[str], marks: Sequence[str]) -> list[tuple[str, Num]]:
    table = recurrent.SECOND_BIASES
    return [("g2" + mark, Num(table[kind].get(name, 0)))
            for kind, mark in zip(cells, marks, strict=True)]  # fmt: skip


def bidirectional(
    inner: str = "lstm", merge: str = "concat", options: Options = (), **more: object
) -> Layer:  # fmt: skip
    """Two copies of a recurrent layer, one reading backwards; their outputs are put side by side
    (``concat``), or together value by value.  ``more`` are options of the layer inside."""
    options = (*options, *more.items())
    one = _inner(inner, options)
    chosen = {name for name, value in one.options if value}
    keys = tuple(k for k in one.keys if k.words or not k.option or k.option in chosen)
    given = tuple((n, S(n)) for k in keys if k.kind != "derived" for n in k.letters)
    outputs = one.outputs
    if merge == "concat":
        at = next(n for n, a in enumerate(outputs) if a.role in _WIDTHS)
        sides = axis("directions", "d", "copy", "out", Num(2))
        outputs = (*outputs[:at], sides, *outputs[at:])
    return replace(
        one,
        id="bidirectional",
        outputs=outputs,
        tensors=(),
        parts=(Part("direction", one, given, Num(2)),),
        keys=keys,
        options=(("inner", inner), ("merge", merge), ("options", options)),
        of=one,
    )


def time_distributed(inner: str = "linear", options: Options = (), **more: object) -> Layer:
    """One layer, applied to every time step by itself; ``more`` are options of its own."""
    options = (*options, *more.items())
    one = _inner(inner, options)
    return replace(_timed(one), id="time_distributed", of=one,
                   options=(("inner", inner), ("options", options)))  # fmt: skip


def _timed(one: Layer) -> Layer:
    """The same at every time step: a site like the batch, always shared."""
    name = "T_0" if any(a.name == "T" for a in one.inputs) else "T"
    out, into = axis(name, "t", "time", "out"), axis(name, "t", "time", "in")
    return replace(
        one,
        inputs=(into, *one.inputs),
        outputs=(out, *one.outputs),
        tensors=tuple(tensor.at_every(out) for tensor in one.tensors),
        parts=tuple(replace(p, layer=_timed(p.layer), bind=(*p.bind, (name, S(name))))
                    for p in one.parts),
        keys=(*one.keys, replace(recurrent.T, symbol=name)),
    )  # fmt: skip


LAYERS: Mapping[str, Build] = {
    "stacked_cells": stacked_cells,
    "bidirectional": bidirectional,
    "time_distributed": time_distributed,
}
