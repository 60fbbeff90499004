"""Index sets: an axis is a finite set of indices with a role and a symbolic size."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Literal

from .errors import DeclarationError
from .terms import ONE, S, Term, product

Side = Literal["out", "in", "copy"]

ROLES = frozenset(
    {"channel", "feature", "position", "offset", "time", "token", "lead", "batch", "gate", "head",
     "expert", "rank", "node", "copy"}
)  # fmt: skip
SITES = frozenset({"position", "time", "token", "lead", "batch", "node"})


@dataclass(frozen=True)
class Axis:
    """A labelled index set.

    ``name`` is unique in its box and ``index`` is its letter in a written equation;
    ``role`` says what it ranges over and ``side`` whether it belongs to the outputs, the
    inputs or to copies; ``size`` is a Term, and ``dim`` ties an input axis to the output
    axis of the same direction (H to H_out).
    """

    name: str
    index: str
    role: str
    side: Side
    size: Term
    dim: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise DeclarationError("unknown_role", role=self.role, axis=self.name)

    def sized(self, size: Term) -> Axis:
        """The same axis with another size."""
        return replace(self, size=size)

    def on(self, side: Side) -> Axis:
        """The same axis on another side."""
        return replace(self, side=side)


Box = tuple[Axis, ...]


def box_size(box: Box) -> Term:
    """The number of index tuples of a box, as a product in the order of its axes.

    >>> box_size(axes("C_out C_in", "in"))
    Prod(factors=(Sym(name='C_out'), Sym(name='C_in')))
    """
    return product(*(axis.size for axis in box)) if box else ONE


def position_of(box: Box, name: str) -> int:
    """Where an axis stands in a box.

    Raises:
        DeclarationError: the box has no such axis.
    """
    for position, axis in enumerate(box):
        if axis.name == name:
            return position
    raise DeclarationError("no_axis", axis=name, box=" ".join(a.name for a in box) or "()")


def side_of(box: Box, side: Side) -> Box:
    """The axes of one side."""
    return tuple(axis for axis in box if axis.side == side)


def axis(name: str, index: str, role: str, side: Side, size: Term | None = None) -> Axis:
    """An axis of a layer's own: its size is its letter unless said, its direction its name."""
    return Axis(name, index, role, side, S(name) if size is None else size, name)


# The field's standing vocabulary: name -> (index letter, role, direction).
_VOCABULARY = {
    "N": ("n", "batch", "N"),
    "C_in": ("c", "channel", "C_in"),
    "C_out": ("o", "channel", "C_out"),
    "r": ("r", "rank", ""),
    "C": ("c", "channel", "C"),
    "m": ("m", "copy", ""),
    "L": ("u", "position", "L"),
    "H": ("u", "position", "H"),
    "W": ("v", "position", "W"),
    "D": ("t", "position", "D"),
    "L_out": ("p", "position", "L"),
    "H_out": ("p", "position", "H"),
    "W_out": ("q", "position", "W"),
    "D_out": ("r", "position", "D"),
}


@functools.cache
def axes(names: str, side: Side) -> Box:
    """Axes by their standing names, on one side.

    >>> [(a.index, a.role) for a in axes("C_out H_out", "out")]
    [('o', 'channel'), ('p', 'position')]
    """
    box = []
    for name in names.split():
        if name.startswith("T") and name not in _VOCABULARY:  # leading axes of a linear layer
            index, role, dim = "t" + name[2:], "lead", name
        else:
            if name not in _VOCABULARY:
                raise DeclarationError("unknown_axis", axis=name)
            index, role, dim = _VOCABULARY[name]
        box.append(Axis(name, index, role, side, S(name), dim))
    if len({a.name for a in box}) != len(box):
        raise DeclarationError("axis_twice", box=names)
    return tuple(box)
