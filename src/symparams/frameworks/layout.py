"""Shapes in a framework's own order, from patterns of axes in the manner of einops.

A pattern's word is an axis of the tensor, a symbol of the layer, ``1``, ``N`` (the batch), ``k``
(all window axes), ``x`` (all positions) or a bracket, which is one axis.  Source of the idea:
Rogozhnikov 2022, einops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..axes import SITES, Box
from ..binding import evaluated
from ..declaration import Bound
from ..terms import ONE, S, Term, product
from .spelling import Call

_PIECE = re.compile(r"\(([^)]*)\)|(\S+)")

Shape = tuple[int | Term, ...]


def tensors(call: Call, bound: Bound) -> dict[str, Shape]:
    """The stored tensors under the framework's names and in its layout.

    Sizes are numbers, or Terms while letters are left.
    """
    held = {t.name: t.end.boxes[0] for t in bound.tensors if t.end.stored}
    return {
        stored.name: _shape(call.layout.get(stored.tensor, stored.pattern), held[stored.tensor],
                            call, bound)
        for stored in call.spelling.tensors
        if stored.tensor in held
    }  # fmt: skip


def output_shape(call: Call, bound: Bound) -> Shape:
    """The output's shape, batch first, in the framework's order."""
    return _shape(call.out or _usual(call, bound), bound.outputs, call, bound)


def _usual(call: Call, bound: Bound) -> str:
    sites = [axis.name for axis in bound.outputs if axis.role in SITES]
    channels = "(" + " ".join(a.name for a in bound.outputs if a.role not in SITES) + ")"
    axes = (channels, *sites) if call.order == "first" else (*sites, channels)
    return " ".join(("N", *axes))


def _shape(pattern: str, box: Box, call: Call, bound: Bound) -> Shape:
    sizes: list[Term] = []
    for inside, word in _PIECE.findall(pattern):
        parts = [s for name in (word or inside).split() for s in _axes(name, box, call)]
        if word:
            sizes += parts
        else:
            sizes.append(product(*(part for s in parts if (part := bound.put(s)) != ONE)))
    return tuple(_number(bound, size) for size in sizes)


def _axes(word: str, box: Box, call: Call) -> Iterator[Term]:
    if word == "N":
        yield call.batch or S("N")
    elif word == "1":
        yield ONE
    elif word in ("k", "x"):
        roles = frozenset({"offset"}) if word == "k" else SITES
        yield from (axis.size for axis in box if axis.role in roles)
    else:
        yield next((axis.size for axis in box if axis.name == word), S(word))


def _number(bound: Bound, size: Term) -> int | Term:
    found = evaluated(bound, size)
    return bound.put(size) if found is None else found
