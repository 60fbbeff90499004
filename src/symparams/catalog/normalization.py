"""Normalisations: each value scaled and shifted by itself, the same at the sites it is shared over.

Source: Ioffe & Szegedy 2015 (batch); Ba et al. 2016 (layer); Ulyanov et al. 2016 (instance); Wu &
He 2018 (group); Zhang & Sennrich 2019 (root mean square); Salimans & Kingma 2016 (weight); Miyato
et al. 2018 (spectral); He et al. 2015 (PReLU).  What is shared decides the count: the statistics
and the groups they are taken over have no weights.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module

from ..axes import SITES, Box, axes, axis
from ..calculus import Share
from ..declaration import Build, Define, Divides, Key, Layer, Tensor, bias, weight
from ..terms import ONE, ZERO, Num, S
from . import keys, shaping
from .keys import SPACE

SCALE = Key("a", "scale", default=(ONE,), kind="switch", least=0, also=("affine", "use_scale"))
SHIFT = Key(
    "b", "bias", default=(ONE,), kind="switch", least=0, also=("center", "shift", "use_bias")
)
WIDTH = Key(
    "d", "normalized_shape",
    also=("C", "C_in", "features", "num_features", "in_features", "d_model", "embedding_dim"),
)  # fmt: skip
WIDTH_OUT = Key("C_out", "out_channels", kind="derived")
NUM_GROUPS = Key("g", "num_groups", also=("groups",))

# What is kept beside the parameters: buffers (not counted), or weights that are not trained.
TRACKED = Key("tracked", "track_running_stats", default=(ONE,), kind="switch", least=0)
COUNTER = Key("counter", "num_batches_tracked", default=(ZERO,), kind="switch", least=0)
KEPT = Key("kept", "moving_statistics", default=(ZERO,), kind="switch", least=0)
_KEPT = (("tracked", ZERO), ("counter", ZERO), ("kept", ONE))
STATISTICS = (
    ("pytorch", (("counter", ONE),)),
    ("keras", _KEPT),
    ("flax", _KEPT),
)
_BUFFERS = (("running_mean", "m"), ("running_var", "v"))
_MOVING = (("moving_mean", "m"), ("moving_variance", "v"))
_RENORM = (*_MOVING, ("moving_stddev", "s"), ("renorm_mean", "r"), ("renorm_stddev", "q"))


def _sites(lead: int) -> Box:
    if lead == 1:
        return (axis("T", "t", "token", "out"),)
    return axes(" ".join(f"T_{i + 1}" for i in range(lead)), "out")


def _places(lead: int, rank: int) -> Box:
    """Leading sites, the channels, positions."""
    return (*_sites(lead), *axes(" ".join(("C", *SPACE.get(rank, ()))), "out"))


def _facing(box: Box) -> Box:
    return tuple(one.on("in") for one in box)


def _own(box: Box, kept: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """A scale and a shift for each index of the kept axes, shared over the others."""
    gone = tuple(one.name for one in box if one.name not in kept)
    scale = weight(box, _facing(box), "scale", "gamma").diagonal(*(one.name for one in box))
    shift = bias(box, "shift", "beta")
    if gone:
        scale, shift = scale.shared_over(*gone), shift.shared_over(*gone)
    return scale.of_kind("scale"), shift


def _held(box: Box, names: tuple[tuple[str, str], ...], kind: str, switch: str) -> list[Tensor]:
    """Vectors kept for each channel and not trained, where a switch is on."""
    gone = tuple(one.name for one in box if one.name != "C")
    plain = (Tensor(name, letter, box, kind=kind).where(switch).frozen() for name, letter in names)
    return [one.shared_over(*gone) if gone else one for one in plain]


def _extents(box: Box, known: str = "C") -> tuple[Key, ...]:
    """The sizes of all sites, under their usual names."""
    usual = {key.symbol: key for n in SPACE for key in keys.extents(SPACE[n])}
    also = {"T": ("seq_len", "tokens")}
    return tuple(
        usual.get(one.name) or Key(one.name, one.name, kind="extent", also=also.get(one.name, ()))
        for one in box
        if one.name != known
    )


@functools.cache
def batch_norm(n: int, flat: bool = False, renorm: bool = False) -> Layer:
    """A scale and a shift for each channel; the statistics are taken over the batch, and running
    ones are kept beside.  ``flat`` inputs have no positions; with ``renorm`` five vectors are kept
    (Ioffe 2017)."""
    one = _channelwise(f"batch_norm{n}d", _places(0, 0 if flat else n), renorm)
    return replace(one, options=(("flat", flat), ("renorm", renorm)))


def instance_norm(n: int, flat: bool = False) -> Layer:
    """A scale and a shift for each channel; statistics of each example by itself."""
    one = _channelwise(f"instance_norm{n}d", _places(0, 0 if flat else n), tracked=ZERO)
    return replace(one, options=(("flat", flat),))


def _channelwise(identity: str, box: Box, renorm: bool = False, tracked: Num = ONE) -> Layer:
    counter = Tensor("num_batches_tracked", "n", (), kind="buffer").where("counter").frozen()
    statistics = (
        *_held(box, _BUFFERS, "buffer", "tracked"),
        counter,
        *_held(box, _RENORM if renorm else _MOVING, "stat", "kept"),
    )
    scale, shift = _own(box, ("C",))
    family = identity.rstrip("123d")
    return Layer(
        id=identity,
        family=family,
        inputs=_facing(box),
        outputs=box,
        tensors=(scale.where("a"), shift.where("b"), *statistics),
        keys=(keys.C, keys.C_SAME, *_extents(box), SCALE, SHIFT,
              replace(TRACKED, default=(tracked,)), COUNTER, KEPT),
        defines=(Define("C_out", S("C")),),
        conventions=STATISTICS if family == "batch_norm" else (),
    )  # fmt: skip


def group_norm(rank: int = 2, lead: int = 0) -> Layer:
    """A scale and a shift for each channel; statistics over groups of channels."""
    box = _places(lead, rank)
    scale, shift = _own(box, ("C",))
    return Layer(
        id="group_norm",
        family="group_norm",
        inputs=_facing(box),
        outputs=box,
        tensors=(scale.where("a"), shift.where("b")),
        keys=(NUM_GROUPS, keys.C, keys.C_SAME, *_extents(box), SCALE, SHIFT),
        defines=(Define("C_out", S("C")),),
        requires=(Divides("g", "C"),),
        options=(("rank", rank), ("lead", lead)),
    )


@functools.cache
def layer_norm(lead: int = 1, over: str = "", shift: bool = True) -> Layer:
    """A scale (and a shift) for each index of the axes normalised ``over``, usually the last; all
    others are sites."""
    width = axis("d", "j", "feature", "out")
    kept = tuple(over.split()) or ("d",)
    box = tuple(
        replace(one, role="position") if one.name in kept and one.name != "d" else one
        for one in (*_sites(lead), width)
    )
    scale, beta = _own(box, kept)
    name = "layer_norm" if shift else "rms_norm"
    return Layer(
        id=name,
        family=name,
        inputs=_facing(box),
        outputs=box,
        tensors=(scale.where("a"), *((beta.where("b"),) if shift else ())),
        keys=(WIDTH, *_extents(box, "d"), SCALE, *((SHIFT,) if shift else ())),
        options=(("lead", lead), ("over", over)),
    )


def rms_norm(lead: int = 1, over: str = "") -> Layer:
    """A scale and no shift for each index of the axes normalised over."""
    return layer_norm(lead, over, shift=False)


def layer_norm_chw(rank: int = 2) -> Layer:
    """Normalised over channels and positions: every position has a scale and a shift of its own."""
    box = _places(0, rank)
    scale, shift = _own(box, tuple(one.name for one in box))
    return Layer(
        id="layer_norm_chw",
        family="layer_norm_chw",
        inputs=_facing(box),
        outputs=box,
        tensors=(scale.where("a"), shift.where("b")),
        keys=(keys.C, keys.C_SAME, *_extents(box), SCALE, SHIFT),
        defines=(Define("C_out", S("C")),),
        options=(("rank", rank),),
    )


def layer_scale(rank: int = 0, lead: int = 1) -> Layer:
    """A scale for each channel at the end of a branch (Touvron et al. 2021)."""
    box = _places(lead if not rank else 0, rank)
    return Layer(
        id="layer_scale",
        family="layer_scale",
        inputs=_facing(box),
        outputs=box,
        tensors=(_own(box, ("C",))[0],),
        keys=(keys.C, keys.C_SAME, *_extents(box)),
        defines=(Define("C_out", S("C")),),
        options=(("rank", rank), ("lead", lead)),
    )


def prelu(rank: int = 2, lead: int = 0, over: str = "C") -> Layer:
    """A slope for negative values, for each index of the axes it is not shared over: one for each
    channel (He et al. 2015), a single one, or one for every value of the input."""
    box = _places(lead, rank)
    slope, _ = _own(box, tuple(over.split()))
    return Layer(
        id="prelu",
        family="prelu",
        inputs=_facing(box),
        outputs=box,
        tensors=(replace(slope, name="slope", letter="a"),),
        keys=(keys.C, keys.C_SAME, *_extents(box)),
        defines=(Define("C_out", S("C")),),
        options=(("rank", rank), ("lead", lead), ("over", over)),
    )


def feature_norm(rank: int = 0, lead: int = 0) -> Layer:
    """Inputs standardised by the mean and variance of the data: known before training, kept as
    weights that are not trained (``keras.layers.Normalization``)."""
    box = _places(lead, rank)
    count = Tensor("count", "n", (), kind="stat").frozen()
    held = [replace(one, when="") for one in _held(box, (("mean", "m"), ("variance", "v")), "stat",
                                                   "")]  # fmt: skip
    return Layer(
        id="feature_norm",
        family="feature_norm",
        inputs=_facing(box),
        outputs=box,
        tensors=(*held, count),
        keys=(keys.C, keys.C_SAME, *_extents(box)),
        defines=(Define("C_out", S("C")),),
        options=(("rank", rank), ("lead", lead)),
    )


# --- wrappers: from a layer to a layer ----------------------------------------------------------

WRAPPED = {"linear": "dense", "conv": "convolution", "depthwise_conv": "convolution",
           "conv_transpose": "convolution"}  # fmt: skip


def _inner(of: str, lead: int, padding: str) -> Layer:
    kind = of if of == "linear" else of[:-2]
    table: Mapping[str, Build] = import_module(f"{__package__}.{WRAPPED[kind]}").LAYERS
    return table[of](lead=lead) if of == "linear" else table[of](padding=padding)


def _first_axis(layer: Layer) -> tuple[Box, tuple[str, ...]]:
    """The axes of a weight's first dimension in PyTorch (inputs, if it is transposed) and the
    sites it is shared over."""
    box = layer.inputs if layer.family == "transposed" else layer.outputs
    return box, tuple(one.name for one in box if one.role in SITES)


def _per_row(layer: Layer, name: str, letter: str, kind: str, box: Box) -> Tensor:
    inputs = box if box and box[0].side == "in" else ()
    one = Tensor(name, letter, () if inputs else box, inputs, kind=kind)
    sites = tuple(a.name for a in box if a.role in SITES)
    return one.shared_over(*sites) if sites else one


def weight_norm(of: str = "linear", lead: int = 0, padding: str = "number") -> Layer:
    """Every row of a weight is a direction times a length, and both are learned: one length more
    for each row, an output (of a transposed convolution, an input channel)."""
    layer = _inner(of, lead, padding)
    main, *others = layer.tensors
    box, _ = _first_axis(layer)
    length = _per_row(layer, "length", "g", "scale", box)
    direction = replace(main, name="direction", letter="v")
    return replace(
        layer,
        id="weight_norm",
        family="weight_norm",
        tensors=(direction, length, *others),
        options=(("of", of), ("lead", lead), ("padding", padding)),
    )


def spectral_norm(of: str = "linear", lead: int = 0, padding: str = "number") -> Layer:
    """A weight divided by its largest singular value, estimated with two vectors that are kept:
    u over the outputs and v over the inputs; nothing more is learned."""
    layer = _inner(of, lead, padding)
    main, *others = layer.tensors
    u = _per_row(layer, "u", "u", "buffer", layer.outputs).where("tracked").frozen()
    kept = _per_row(layer, "vector_u", "u", "stat", layer.outputs).where("kept").frozen()
    left = main.end.boxes[0]
    rows = tuple(one.name for one in left if one.side == "out" and one.role != "offset")
    v = replace(main, name="v", letter="v", kind="buffer", when="tracked", trainable=False)
    v = replace(v, rules=(*v.rules, Share(rows)))
    return replace(
        layer,
        id="spectral_norm",
        family="spectral_norm",
        tensors=(main, *others, u, v, kept),
        keys=(*layer.keys, TRACKED, KEPT),
        conventions=(("keras", (("tracked", ZERO), ("kept", ONE))),),
        options=(("of", of), ("lead", lead), ("padding", padding)),
    )


def _many(name: str, make: Build) -> dict[str, Build]:
    return {f"{name}{n}d": functools.partial(make, n) for n in (1, 2, 3)}


LAYERS: Mapping[str, Build] = {
    **_many("batch_norm", batch_norm),
    **_many("instance_norm", instance_norm),
    "layer_norm": lambda lead=1, over="": layer_norm(lead, over),
    "layer_norm_chw": layer_norm_chw,
    "group_norm": group_norm,
    "rms_norm": rms_norm,
    "layer_scale": layer_scale,
    "prelu": prelu,
    "feature_norm": feature_norm,
    "weight_norm": weight_norm,
    "spectral_norm": spectral_norm,
    "local_response_norm": functools.partial(shaping.elementwise, "local_response_norm"),
    "unit_norm": functools.partial(shaping.elementwise, "unit_norm"),
}
