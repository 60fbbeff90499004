"""Layers without weights that pass values on, reorder them or change the size."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from ..axes import axes
from ..declaration import Build, Define, Key, Layer
from ..terms import ONE, ZERO, S, product
from . import keys
from .keys import SIDES, SPACE, outs

_RANKS = {0: (), **SPACE}


def elementwise(identity: str, rank: int = 2, lead: int = 0, halved: str = "") -> Layer:
    """Each value by itself (activation, dropout, identity): the shape stays; of a gated
    linear unit (Dauphin et al. 2017) one half gates the other, so one axis is halved."""
    space = _RANKS[rank]
    sites = tuple("T" if lead == 1 else f"T_{i + 1}" for i in range(lead))
    box = (*sites, "C", *space)
    after = (axis + "_out" if axis == halved else axis for axis in box)
    half = (Define(halved + "_out", S(halved) / 2),) if halved else ()
    return Layer(
        id=identity,
        family=identity,
        inputs=axes(" ".join(box), "in"),
        outputs=axes(" ".join(after), "out"),
        keys=(
            keys.C, keys.C_SAME, *(Key(s, s, kind="extent") for s in sites),
            *keys.extents(space)[: len(space)],
        ),
        defines=half if halved == "C" else (*half, Define("C_out", S("C"))),
        options=(("rank", rank), ("lead", lead), ("halved", halved)),
    )  # fmt: skip


def flatten(rank: int = 2, start: int = 0, stop: int | None = None) -> Layer:
    """All values in one row: the channels of what follows are C times all positions.

    Of the axes C, then positions, those from ``start`` up to ``stop`` are merged; usually all.
    """
    space = _RANKS[rank]
    box = ("C_in", *space)
    stop = len(box) if stop is None else stop
    after = (*box[:start], "C_out", *box[stop:])
    return Layer(
        id="flatten",
        family="flatten",
        inputs=axes(" ".join(box), "in"),
        outputs=axes(" ".join(after), "out"),
        keys=(keys.C_IN, keys.C_OUT_DERIVED, *keys.extents(space)[: len(space)]),
        defines=(Define("C_out", product(*(S(axis) for axis in box[start:stop]))),),
        options=(("rank", rank), ("start", start), ("stop", stop)),
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


def upsample(n: int, to: str = "factor") -> Layer:
    """Each axis scaled by a factor, rounded down, or to a size that is given; values are
    copied or interpolated."""
    space = SPACE[n]
    scale = keys.per_axis("f", "scale_factor", space, ONE, kind="factor", also=("size",))
    defines = keys.scaled(space)
    if to == "size":
        scale, defines = Key("out", "size", outs(space)), ()
    return Layer(
        id=f"upsample{n}d",
        family="upsample",
        inputs=axes(" ".join(("C", *space)), "in"),
        outputs=axes(" ".join(("C", *outs(space))), "out"),
        keys=(keys.C, keys.C_SAME, *keys.extents(space), scale),
        defines=(*defines, Define("C_out", S("C"))),
        options=(("to", to),),
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
