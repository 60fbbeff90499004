"""Layers without weights that pass values on, reorder them or change the size."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

from ..axes import Axis, Box, axes, axis
from ..declaration import Build, Define, Divides, Key, Layer
from ..terms import ONE, ZERO, Num, S, Term, product, total
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
    for name, mark in zip(space, keys.marks(space), strict=True):
        low, high = (S(side) for side in SIDES[name])
        added = low + high if sides == "sides" else 2 * S("P" + mark)
        defines.append(Define(name + "_out", S(name) + added if sign > 0 else S(name) - added))
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


# --- windows and channels put elsewhere -------------------------------------------------------


def unfold() -> Layer:
    """Every window as one row (im2col): the channels are its taps, the length its places."""
    space = SPACE[2]
    places = Define("L_out", product(*(S(name) for name in outs(space))))
    taps = Define("C_out", S("C_in") * S("k_h") * S("k_w"))
    return Layer(
        id="unfold2d",
        family="unfold",
        also=("im2col", "unfold"),
        inputs=axes("C_in H W", "in"),
        outputs=axes("C_out L_out", "out"),
        keys=(
            keys.C_IN, keys.C_OUT_DERIVED, keys.kernel(space), *keys.extents(space),
            Key("L_out", "out_length", kind="derived"), keys.stride(space),
            *keys.padding(space, "number"), keys.dilation(space),
        ),
        defines=(taps, places, *keys.window_sizes(space, "number")),
    )  # fmt: skip


def fold() -> Layer:
    """Rows back to their windows, overlaps added up (col2im): the inverse of unfolding."""
    space = SPACE[2]
    return Layer(
        id="fold2d",
        family="fold",
        also=("col2im", "fold"),
        inputs=axes("C_in L", "in"),
        outputs=axes("C_out H_out W_out", "out"),
        keys=(
            keys.kernel(space), keys.C_IN, keys.C_OUT_DERIVED, Key("L", "length", kind="extent"),
            Key("out", "output_size", outs(space)), keys.stride(space),
            *keys.padding(space, "number"), keys.dilation(space),
        ),
        defines=(Define("C_out", S("C_in") / (S("k_h") * S("k_w"))),),
        requires=(Divides("k_h", "C_in"), Divides("k_w", "C_in")),
    )  # fmt: skip


def pixel_shuffle(back: bool = False) -> Layer:
    """Channels become positions: f x f of them one patch (Shi et al. 2016); or back."""
    f, c = S("f"), S("C_in")
    code = "downscale_factor" if back else "upscale_factor"
    sizes = [Define(a + "_out", S(a) / f if back else f * S(a)) for a in SPACE[2]]
    return Layer(
        id="pixel_unshuffle" if back else "pixel_shuffle",
        family="pixel_shuffle",
        also=("space to depth",) if back else ("sub-pixel convolution", "depth to space"),
        inputs=axes("C_in H W", "in"),
        outputs=axes("C_out H_out W_out", "out"),
        keys=(
            keys.C_IN,
            keys.C_OUT_DERIVED,
            Key("f", code, kind="modifier"),
            *keys.extents(SPACE[2]),
        ),
        defines=(Define("C_out", c * f**2 if back else c / f**2), *sizes),
    )


def channel_shuffle(rank: int = 2) -> Layer:
    """The channels of g groups dealt out in turn (Zhang et al. 2018)."""
    plain = elementwise("channel_shuffle", rank)
    groups = Key("g", "groups", default=(ONE,), kind="modifier")
    return replace(plain, keys=(*plain.keys, groups), requires=(Divides("g", "C"),))


def max_unpool(n: int) -> Layer:
    """Each maximum back to the place it came from, zeros elsewhere."""
    space = SPACE[n]
    sizes = [
        Define(a + "_out", S("s" + m) * (S(a) - 1) + S("k" + m) - 2 * S("P" + m))
        for a, m in zip(space, keys.marks(space), strict=True)
    ]
    return Layer(
        id=f"max_unpool{n}d",
        family="max_unpool",
        inputs=axes(" ".join(("C", *space)), "in"),
        outputs=axes(" ".join(("C", *outs(space))), "out"),
        keys=(
            keys.C, keys.C_SAME, keys.kernel(space), *keys.extents(space),
            keys.stride(space, window=True),
            keys.per_axis("P", "padding", space, ZERO, kind="modifier", least=0),
        ),
        defines=(*sizes, Define("C_out", S("C"))),
    )  # fmt: skip


# --- axes put elsewhere -----------------------------------------------------------------------


def _plain(count: int, side: str, letter: str = "n") -> Box:
    """Axes by number, the last of them the channels."""
    return tuple(
        axis(f"{letter}_{i}", "abcdefgh"[(i - 1) % 8], "position" if i < count else "channel",
             "in" if side == "in" else "out")
        for i in range(1, count + 1)
    )  # fmt: skip


def _plain_keys(box: Box) -> tuple[Key, ...]:
    return tuple(
        Key(a.name, a.name, kind="extent" if a.role == "position" else "size",
            also=() if a.role == "position" else ("C", "C_in", "channels", "in_channels"))
        for a in box
    )  # fmt: skip


def reshape(rank: int = 3, target: tuple[int | str, ...] = (-1,)) -> Layer:
    """The same values under another shape; one size may be left to follow (-1)."""
    box, after = _plain(rank, "in"), _plain(len(target), "out", "m")
    sizes: list[Term] = [S(one) if isinstance(one, str) else Num(one) for one in target]
    if -1 in target:
        every = product(*(a.size for a in box))
        rest = [size for size in sizes if size != Num(-1)]
        sizes[target.index(-1)] = every / product(*rest) if rest else every
    shown = Key("target", "target_shape", kind="listed", option="target")
    return Layer(
        id="reshape",
        family="reshape",
        also=("unflatten", "view"),
        inputs=box,
        outputs=after,
        keys=(*_plain_keys(box), *(Key(a.name, a.name, kind="derived") for a in after), shown),
        defines=tuple(Define(a.name, size) for a, size in zip(after, sizes, strict=True)),
        options=(("rank", rank), ("target", target)),
    )


def permute(dims: tuple[int, ...] = (2, 1)) -> Layer:
    """The same axes in another order."""
    box, after = _plain(len(dims), "in"), _plain(len(dims), "out", "m")
    shown = Key("dims", "dims", kind="listed", option="dims")
    return Layer(
        id="permute",
        family="permute",
        also=("transpose axes", "permute axes"),
        inputs=box,
        outputs=after,
        keys=(*_plain_keys(box), *(Key(a.name, a.name, kind="derived") for a in after), shown),
        defines=tuple(Define(a.name, S(f"n_{d}")) for a, d in zip(after, dims, strict=True)),
        options=(("dims", dims),),
    )


def repeat_vector() -> Layer:
    """One vector at T time steps."""
    steps: Axis = axis("T", "t", "time", "out")
    return Layer(
        id="repeat_vector",
        family="repeat_vector",
        also=("repeat",),
        inputs=axes("C", "in"),
        outputs=(steps, *axes("C", "out")),
        keys=(replace(keys.C, also=(*keys.C.also, "C_out")), Key("T", "n", also=("times",))),
    )


# --- several inputs ---------------------------------------------------------------------------

MERGES = ("add", "subtract", "multiply", "average", "maximum", "minimum")


def concatenate(rank: int = 2, lead: int = 0, inputs: int = 2, along: str = "C") -> Layer:
    """Inputs side by side along one axis, whose sizes add up."""
    plain = elementwise("concatenate", rank, lead)
    names = tuple(f"{along}_{i + 1}" for i in range(inputs))
    summed = Define(along + "_out", total(*(S(name) for name in names)))
    code, also = ("channels", ("C_in", "in_channels")) if along == "C" else (along, ())
    several = Key(along, code, names, kind="sizes", option="inputs", also=also)
    old = [key for key in plain.keys if key.symbol not in (along, along + "_out")]
    out = Key(along + "_out", "out_channels" if along == "C" else along + "_out", kind="derived")
    first = tuple(replace(a, size=S(names[0])) if a.name == along else a for a in plain.inputs)
    last = tuple(axis(along + "_out", a.index, a.role, "out") if a.name == along else a
                 for a in plain.outputs)  # fmt: skip
    others = [define for define in plain.defines if define.symbol != along + "_out"]
    return Layer(
        id="concatenate", family="concatenate", also=("concat",), inputs=first, outputs=last,
        keys=(several, out, *old), defines=(*others, summed),
        options=(("rank", rank), ("lead", lead), ("inputs", inputs), ("along", along)),
    )  # fmt: skip


LAYERS: Mapping[str, Build] = {
    "unfold2d": unfold,
    "fold2d": fold,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": functools.partial(pixel_shuffle, True),
    "channel_shuffle": channel_shuffle,
    **{f"max_unpool{n}d": functools.partial(max_unpool, n) for n in (1, 2, 3)},
    "reshape": reshape,
    "permute": permute,
    "repeat_vector": repeat_vector,
    "concatenate": concatenate,
    **{name: functools.partial(elementwise, name) for name in MERGES},
    **{
        name: functools.partial(elementwise, name) for name in ("activation", "dropout", "identity")
    },
    "flatten": flatten,
    **{f"pad{n}d": functools.partial(pad, n) for n in (1, 2, 3)},
    **{f"crop{n}d": functools.partial(pad, n, True) for n in (1, 2, 3)},
    **{f"upsample{n}d": functools.partial(upsample, n) for n in (1, 2, 3)},
}
