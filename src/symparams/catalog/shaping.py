"""Layers without weights that pass values on, reorder them or change the size."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from ..axes import axes
from ..layer import Build, Define, Key, Layer
from ..terms import ONE, ZERO, Floor, S, product
from . import keys
from .keys import SIDES, SPACE, outs

_RANKS = {0: (), **SPACE}


def elementwise(identity: str, rank: int = 2, lead: int = 0) -> Layer:
    """Each value by itself (activation, dropout, identity): the shape stays."""
    space = _RANKS[rank]
    sites = tuple("T" if lead == 1 else f"T_{i + 1}" for i in range(lead))
    box = " ".join((*sites, "C", *space))
    return Layer(
        id=identity,
        family=identity,
        inputs=axes(box, "in"),
        outputs=axes(box, "out"),
        keys=(
            keys.C, keys.C_SAME, *(Key(s, s, kind="extent") for s in sites),
            *keys.extents(space)[: len(space)],
        ),
        defines=(Define("C_out", S("C")),),
        options=(("rank", rank), ("lead", lead)),
    )  # fmt: skip


def flatten(rank: int = 2) -> Layer:
    """All values in one row: the channels of what follows are C times all positions."""
    space = _RANKS[rank]
    return Layer(
        id="flatten",
        family="flatten",
        inputs=axes(" ".join(("C_in", *space)), "in"),
        outputs=axes("C_out", "out"),
        keys=(keys.C_IN, keys.C_OUT_DERIVED, *keys.extents(space)[: len(space)]),
        defines=(Define("C_out", product(S("C_in"), *(S(axis) for axis in space))),),
        options=(("rank", rank),),
    )


def pad(n: int, crop: bool = False, sides: str = "number") -> Layer:
    """Cells added (or cropped) around the input; both sides alike, or each its own."""
    space = SPACE[n]
    sign = -1 if crop else 1
    defines = []
    for axis, mark in zip(space, keys.marks(space), strict=True):
        low, high = (S(side) for side in SIDES[axis])
        added = low + high if sides == "sides" else 2 * S("P" + mark)
        defines.append(Define(axis + "_out", S(axis) + added if sign > 0 else S(axis) - added))
    word = keys.padding(space, sides)
    if sides == "number":
        word = (keys.per_axis("P", "padding", space, ZERO, kind="modifier", least=0,
                              option="sides", also=("cropping",)),)  # fmt: skip
    return Layer(
        id=f"{'crop' if crop else 'pad'}{n}d",
        family="crop" if crop else "pad",
        inputs=axes(" ".join(("C", *space)), "in"),
        outputs=axes(" ".join(("C", *outs(space))), "out"),
        keys=(keys.C, keys.C_SAME, *keys.extents(space), *word),
        defines=(*defines, Define("C_out", S("C"))),
        options=(("sides", sides),),
    )


def upsample(n: int) -> Layer:
    """Each axis scaled by a factor, rounded down; values are copied or interpolated."""
    space = SPACE[n]
    scale = keys.per_axis("f", "scale_factor", space, ONE, kind="factor", also=("size",))
    defines = tuple(
        Define(axis + "_out", Floor(S("f" + mark) * S(axis)))
        for axis, mark in zip(space, keys.marks(space), strict=True)
    )
    return Layer(
        id=f"upsample{n}d",
        family="upsample",
        inputs=axes(" ".join(("C", *space)), "in"),
        outputs=axes(" ".join(("C", *outs(space))), "out"),
        keys=(keys.C, keys.C_SAME, *keys.extents(space), scale),
        defines=(*defines, Define("C_out", S("C"))),
    )


LAYERS: Mapping[str, Build] = {
    **{
        name: functools.partial(elementwise, name) for name in ("activation", "dropout", "identity")
    },
    "flatten": flatten,
    **{f"pad{n}d": functools.partial(pad, n) for n in (1, 2, 3)},
    **{f"crop{n}d": functools.partial(pad, n, True) for n in (1, 2, 3)},
    **{f"upsample{n}d": functools.partial(upsample, n) for n in (1, 2, 3)},
}
