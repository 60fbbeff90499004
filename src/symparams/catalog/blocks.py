"""Blocks made of convolutions: separable, factorised, residual, inverted, dense and others.

Sources: Sifre 2014 and Chollet 2017 (separable); Szegedy et al. 2015 and 2016 (inception,
factorised); Dai et al. 2017 (deformable); He et al. 2016 (residual); Iandola et al. 2016 (fire);
Huang et al. 2017 (dense block); Sandler et al. 2018 (inverted residual); Hu et al. 2018
(squeeze and excitation); Ronneberger et al. 2015 (U-Net); Liu et al. 2022 (ConvNeXt).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..axes import axes, axis
from ..declaration import Build, Define, Divides, Key, Layer, Part, bias, part, weight
from ..terms import ONE, ZERO, Ceil, Floor, Num, S, Term, total
from . import keys
from .convolution import conv, depthwise
from .dense import global_pool_dense, linear
from .keys import BIAS, C_IN, C_OUT, SPACE, marks, outs
from .normalization import COUNTER, KEPT, STATISTICS, TRACKED, batch_norm, layer_norm, layer_scale

IMAGE = SPACE[2]
NO_BIAS = Key("b", "bias", default=(ZERO,), kind="switch", least=0, also=("use_bias",))
MIDDLE = Key("C_m", "mid_channels", also=("hidden_channels", "width", "bottleneck_channels"))
STRIDE = Key("s", "stride", default=(ONE,), kind="modifier", also=("strides",))
OUT_SUM = Key("C_out", "out_channels", kind="derived", also=("filters",))
LENET_TABLE = ((6, 3), (9, 4), (1, 6))  # (maps, inputs of each), LeCun et al. 1998, table I


# What people call them besides.
ALSO: Mapping[str, tuple[str, ...]] = {
    "asymmetric_conv": ("factorized convolution", "spatially separable convolution"),
    "deformable_conv2d": ("deformable convolution", "DCN"),
    "residual_block": ("basic block", "resnet block", "skip block"),
    "bottleneck": ("bottleneck block", "resnext block"),
    "inverted_residual": ("MBConv", "inverted bottleneck", "mobilenetv2 block"),
    "fire": ("fire module", "squeezenet block"),
    "inception": ("inception module", "inception block"),
    "densenet_layer": ("dense block layer",),
    "dense_block": ("densenet block",),
    "double_conv": ("double convolution", "u-net block"),
    "connection_table_conv": ("connection table", "lenet c3"),
}


def _window(default: int) -> Key:
    return Key("k", "kernel_size", default=(Num(default),), kind="modifier")


def _strided() -> tuple[Define, ...]:
    return tuple(Define(axis + "_out", Ceil(S(axis) / S("s"))) for axis in IMAGE)


def _sizes(out: bool = False) -> tuple[Term, Term]:
    height, width = outs(IMAGE) if out else IMAGE
    return S(height), S(width)


def _conv(
    name: str, come: Term, go: Term, k: Term | int | tuple[Term | int, Term | int] = 1, *,
    out: bool = False, stride: Term | int = 1, groups: Term | int = 1, b: Term | None = None,
    copies: Term = ONE, each: bool = False, fits: bool = False,
) -> Part:  # fmt: skip
    """A convolution that keeps the size, or divides it by its stride; it is at the block's
    output size where ``out`` says so, and comes to it where ``fits`` does."""
    k_h, k_w = k if isinstance(k, tuple) else (k, k)
    high, wide = _sizes(out)
    end_high, end_wide = _sizes(out or fits)
    bound: dict[str, Any] = {
        "C_in": come, "k_h": k_h, "k_w": k_w, "s_h": stride, "s_w": stride,
        "H": high, "W": wide, "H_out": end_high, "W_out": end_wide,
        "b": S("b") if b is None else b,
    }  # fmt: skip
    if each:
        return part(name, depthwise(2, "same"), copies, m=1, **bound)
    return part(name, conv(2, "same"), copies, C_out=go, g=groups, **bound)


STATS = (TRACKED, COUNTER, KEPT)


def _norm(name: str, channels: Term, out: bool = False, copies: Term = ONE) -> Part:
    """Batch normalisation; what is kept beside it is the block's convention."""
    high, wide = _sizes(out)
    kept: dict[str, Any] = {key.symbol: S(key.symbol) for key in STATS}
    return part(name, batch_norm(2), copies, C=channels, H=high, W=wide, a=1, b=1, **kept)


def _block(identity: str, made: Iterator[Part], family: str = "", **more: Any) -> Layer:
    parts = tuple(made)
    strided = "s" in {key.symbol for key in more["keys"]}
    if strided:
        more["defines"] = (*_strided(), *more.get("defines", ()))
    if any("norm" in piece.name or piece.layer.conventions for piece in parts):
        more |= {"keys": (*more["keys"], *STATS), "conventions": STATISTICS}
    ends = " ".join(("C_out", *(outs(IMAGE) if strided else IMAGE)))
    space = keys.extents(IMAGE)
    more["keys"] = (*more["keys"], *(space if strided else space[:2]))
    return Layer(
        id=identity,
        family=family or identity,
        also=ALSO.get(identity, ()),
        inputs=axes("C_in H W", "in"),
        outputs=axes(ends, "out"),
        parts=parts,
        **more,
    )


# --- convolutions in pieces --------------------------------------------------------------------


def pointwise(n: int) -> Layer:
    """A convolution with a window of one position: a dense layer over the channels."""
    space = SPACE[n]
    inputs, outputs = " ".join(("C_in", *space)), " ".join(("C_out", *space))
    return Layer(
        id=f"pointwise_conv{n}d",
        family="pointwise",
        also=(f"1x1 convolution {n}d", *(("1x1 convolution",) if n == 2 else ())),
        inputs=axes(inputs, "in"),
        outputs=axes(outputs, "out"),
        tensors=(
            weight(outputs, inputs).diagonal(*space).shared_over(*space),
            bias(outputs).shared_over(*space),
        ),
        keys=(C_IN, C_OUT, *keys.extents(space)[:n], BIAS),
    )


def _depthwise(n: int, padding: str) -> Layer:
    """A depthwise convolution whose bias a convention may leave out."""
    whole = depthwise(n, padding)
    switched = axis("b_d", "", "copy", "out")
    shared = bias((*whole.outputs, switched)).shared_over(*outs(SPACE[n]))
    return replace(whole, tensors=(whole.tensors[0], shared), keys=(*whole.keys, FIRST_BIAS))


ONE_BIAS = (("keras", (("b_d", ZERO),)),)
FIRST_BIAS = Key("b_d", "depthwise_bias", default=(ONE,), kind="copies", least=0)


def separable(n: int, padding: str = "number") -> Layer:
    """A depthwise convolution, then a pointwise one over all its channels.

    PyTorch has two layers and so two biases; Keras has one, of the pointwise part.
    """
    space = SPACE[n]
    pads = keys.padding(space, padding)
    names = [base + mark for base in "ksd" for mark in marks(space)]
    names += [letter for key in pads for letter in key.letters]
    same: dict[str, Any] = {name: S(name) for name in (*names, *space, *outs(space))}
    same |= {name: S(name) for name in ("C_in", "m", "b", "b_d")}
    after: dict[str, Any] = {"b": S("b"), **{axis: S(axis + "_out") for axis in space}}
    return Layer(
        id=f"separable_conv{n}d",
        family="separable",
        also=("separable convolution", "depthwise separable convolution") if n == 2 else (),
        inputs=axes(" ".join(("C_in", *space)), "in"),
        outputs=axes(" ".join(("C_out", *outs(space))), "out"),
        parts=(
            part("depthwise", _depthwise(n, padding), **same),
            part("pointwise", pointwise(n), C_in=S("m") * S("C_in"), C_out=S("C_out"), **after),
        ),
        keys=(
            C_IN, C_OUT, keys.MULTIPLIER, keys.kernel(space), *keys.extents(space),
            keys.stride(space), *pads, keys.dilation(space), FIRST_BIAS, BIAS,
        ),
        defines=keys.window_sizes(space, padding),
        options=(("padding", padding),),
        conventions=ONE_BIAS,
    )  # fmt: skip


def asymmetric() -> Layer:
    """A k x k window as k x 1, then 1 x k."""
    middle = replace(MIDDLE, default=(S("C_out"),), kind="modifier")
    tall = _conv("tall", S("C_in"), S("C_m"), (S("k_h"), ONE))
    flat = _conv("wide", S("C_m"), S("C_out"), (ONE, S("k_w")))
    return _block("asymmetric_conv", iter((tall, flat)),
                  keys=(C_IN, C_OUT, middle, keys.kernel(IMAGE), BIAS))  # fmt: skip


def deformable(mask: bool = False) -> Layer:
    """A convolution whose taps are moved; another one works out by how much.

    Each tap has two offsets, and with ``mask`` a weight (Zhu et al. 2019), in each group.
    """
    window = S("k_h") * S("k_w")
    offsets = (3 if mask else 2) * window * S("G")
    groups = Key("G", "offset_groups", default=(ONE,), kind="modifier")
    k = (S("k_h"), S("k_w"))
    parts = (
        _conv("offset", S("C_in"), offsets, k, stride=S("s"), fits=True),
        _conv("conv", S("C_in"), S("C_out"), k, stride=S("s"), groups=S("g"), fits=True),
    )
    return _block(
        "deformable_conv2d", iter(parts), keys=(C_IN, C_OUT, keys.kernel(IMAGE), STRIDE, groups,
                                                keys.GROUPS, BIAS),
        requires=(Divides("g", "C_in"), Divides("g", "C_out")), options=(("mask", mask),),
    )  # fmt: skip


# --- blocks around a sum -----------------------------------------------------------------------


def _shortcut(norm: bool) -> Iterator[Part]:
    """A pointwise convolution on the way round, where sizes or channels change."""
    yield _conv("shortcut", S("C_in"), S("C_out"), stride=S("s"), fits=True)
    if norm:
        yield _norm("shortcut_norm", S("C_out"), out=True)


def residual(projection: bool = False, norm: bool = True) -> Layer:
    """Two convolutions and what goes round them (ResNet-18, -34)."""

    def parts() -> Iterator[Part]:
        yield _conv("conv_1", S("C_in"), S("C_out"), S("k"), stride=S("s"), fits=True)
        if norm:
            yield _norm("norm_1", S("C_out"), out=True)
        yield _conv("conv_2", S("C_out"), S("C_out"), S("k"), out=True)
        if norm:
            yield _norm("norm_2", S("C_out"), out=True)
        if projection:
            yield from _shortcut(norm)

    return _block("residual_block", parts(), keys=(C_IN, C_OUT, _window(3), STRIDE, NO_BIAS),
                  options=(("projection", projection), ("norm", norm)))  # fmt: skip


def bottleneck(projection: bool = False, norm: bool = True) -> Layer:
    """Down to fewer channels, a convolution there, and up again (ResNet-50; in groups ResNeXt)."""

    def parts() -> Iterator[Part]:
        yield _conv("reduce", S("C_in"), S("C_m"))
        if norm:
            yield _norm("norm_1", S("C_m"))
        yield _conv("conv", S("C_m"), S("C_m"), S("k"), stride=S("s"), groups=S("g"), fits=True)
        if norm:
            yield _norm("norm_2", S("C_m"), out=True)
        yield _conv("expand", S("C_m"), S("C_out"), out=True)
        if norm:
            yield _norm("norm_3", S("C_out"), out=True)
        if projection:
            yield from _shortcut(norm)

    out = replace(C_OUT, default=(4 * S("C_m"),), kind="modifier")
    return _block("bottleneck", parts(),
                  keys=(C_IN, MIDDLE, out, _window(3), STRIDE, keys.GROUPS, NO_BIAS),
                  requires=(Divides("g", "C_m"),),
                  options=(("projection", projection), ("norm", norm)))  # fmt: skip


def inverted_residual(expand: bool = True, norm: bool = True) -> Layer:
    """Up to t times the channels, a depthwise convolution there, and down again."""
    wide = S("t") * S("C_in") if expand else S("C_in")

    def parts() -> Iterator[Part]:
        if expand:
            yield _conv("expand", S("C_in"), wide)
            if norm:
                yield _norm("norm_1", wide)
        yield _conv("depthwise", wide, wide, S("k"), stride=S("s"), fits=True, each=True)
        if norm:
            yield _norm("norm_2", wide, out=True)
        yield _conv("project", wide, S("C_out"), out=True)
        if norm:
            yield _norm("norm_3", S("C_out"), out=True)

    ratio = Key("t", "expand_ratio", default=(Num(6),), kind="modifier", also=("expansion",))
    return _block("inverted_residual", parts(),
                  keys=(C_IN, C_OUT, *((ratio,) if expand else ()), _window(3), STRIDE, NO_BIAS),
                  options=(("expand", expand), ("norm", norm)))  # fmt: skip


def squeeze_excitation() -> Layer:
    """A weight for each channel, worked out from the averages of all channels."""
    squeezed = Key("C_s", "squeeze_channels", default=(Floor(S("C") / S("r")),), kind="modifier")
    ratio = Key("r", "reduction", default=(Num(16),), kind="modifier", also=("ratio",))
    space: dict[str, Any] = {name: S(name) for name in IMAGE}
    return Layer(
        id="squeeze_excitation",
        family="squeeze_excitation",
        also=("SE block", "squeeze and excitation"),
        inputs=axes("C H W", "in"),
        outputs=axes("C H W", "out"),
        parts=(
            part("squeeze", global_pool_dense(2), C_in=S("C"), C_out=S("C_s"), b=S("b"), **space),
            part("excite", linear(), C_in=S("C_s"), C_out=S("C"), b=S("b")),
        ),
        keys=(keys.C, squeezed, ratio, *keys.extents(IMAGE)[:2], BIAS),
    )


def convnext(scaled: bool = True) -> Layer:
    """A wide depthwise convolution, a norm, and two pointwise convolutions."""
    ratio = Key("e", "expansion", default=(Num(4),), kind="modifier")
    wide = S("e") * S("C")
    space: dict[str, Any] = {name: S(name) for name in IMAGE}

    def parts() -> Iterator[Part]:
        yield _conv("depthwise", S("C"), S("C"), S("k"), each=True)
        yield part("norm", layer_norm(lead=2), d=S("C"), T_1=S("H"), T_2=S("W"), a=1, b=1)
        yield part("expand", pointwise(2), C_in=S("C"), C_out=wide, b=S("b"), **space)
        yield part("project", pointwise(2), C_in=wide, C_out=S("C"), b=S("b"), **space)
        if scaled:
            yield part("scale", layer_scale(2), C=S("C"), **space)

    return Layer(
        id="convnext_block",
        family="convnext_block",
        also=("convnext",),
        inputs=axes("C H W", "in"),
        outputs=axes("C H W", "out"),
        parts=tuple(parts()),
        keys=(keys.C, ratio, _window(7), *keys.extents(IMAGE)[:2], BIAS),
        options=(("scaled", scaled),),
    )


# --- blocks that put channels side by side ------------------------------------------------------


def fire() -> Layer:
    """Squeeze to few channels, then expand by two windows side by side (SqueezeNet)."""
    squeezed = Key("C_s", "squeeze_channels", also=("squeeze_planes",))
    first = Key("C_1", "expand1x1_channels", also=("expand1x1_planes",))
    second = Key("C_3", "expand3x3_channels", also=("expand3x3_planes",))
    parts = (
        _conv("squeeze", S("C_in"), S("C_s")),
        _conv("expand_1x1", S("C_s"), S("C_1")),
        _conv("expand_3x3", S("C_s"), S("C_3"), 3),
    )
    return _block("fire", iter(parts), keys=(C_IN, squeezed, first, second, OUT_SUM, BIAS),
                  defines=(Define("C_out", S("C_1") + S("C_3")),))  # fmt: skip


def inception() -> Layer:
    """Four ways side by side: 1x1; reduced, then 3x3; reduced, then 5x5; pooled, then 1x1."""
    names = {"C_1": "ch1x1", "R_3": "ch3x3red", "C_3": "ch3x3", "R_5": "ch5x5red",
             "C_5": "ch5x5", "C_p": "pool_proj"}  # fmt: skip
    parts = (
        _conv("conv_1x1", S("C_in"), S("C_1")),
        _conv("reduce_3x3", S("C_in"), S("R_3")),
        _conv("conv_3x3", S("R_3"), S("C_3"), 3),
        _conv("reduce_5x5", S("C_in"), S("R_5")),
        _conv("conv_5x5", S("R_5"), S("C_5"), 5),
        _conv("pool_proj", S("C_in"), S("C_p")),
    )
    widths = tuple(Key(letter, code) for letter, code in names.items())
    joined = total(*(S(letter) for letter in names if letter[0] == "C"))
    return _block("inception", iter(parts), keys=(C_IN, *widths, OUT_SUM, BIAS),
                  defines=(Define("C_out", joined),))  # fmt: skip


def densenet_layer() -> Layer:
    """One layer of a dense block: reads all channels so far, adds k."""
    c, k = S("C_in"), S("k")
    parts = (
        _norm("norm_1", c),
        _conv("reduce", c, 4 * k),
        _norm("norm_2", 4 * k),
        _conv("conv", 4 * k, k, 3),
    )
    return _block("densenet_layer", iter(parts), "dense_block",
                  keys=(C_IN, GROWTH, OUT_SUM, NO_BIAS),
                  defines=(Define("C_out", c + k),))  # fmt: skip


LAYERS_KEY = Key("n", "num_layers", option="layers", kind="structure", also=("layers",))
GROWTH = Key("k", "growth_rate", also=("growth",))


def dense_block(layers: int = 0) -> Layer:
    """Layers that each read the channels of all before them and add k of their own.

    With a number of ``layers`` every layer is listed.  Else a map over joined channels is the
    sum of maps over their pieces: each of n layers reads the block's input, and each of the
    n(n-1)/2 pairs of layers has a piece of its own.
    """
    c, k, n = S("C_in"), S("k"), S("n")
    held = ("H", "W", "b", *(key.symbol for key in STATS))
    same: dict[str, Any] = {name: S(name) for name in held}

    def listed() -> Iterator[Part]:
        for i in range(layers):
            before = c if i == 0 else c + k if i == 1 else c + i * k
            yield part(f"layer_{i + 1}", densenet_layer(), C_in=before, k=k, **same)

    def paired() -> Iterator[Part]:
        pairs = n * (n - 1) / 2
        yield _norm("norm_input", c, copies=n)
        yield _norm("norm_earlier", k, copies=pairs)
        yield _conv("reduce_input", c, 4 * k, copies=n)
        yield _conv("reduce_earlier", k, 4 * k, copies=pairs, b=ZERO)
        yield _norm("norm", 4 * k, copies=n)
        yield _conv("conv", 4 * k, k, 3, copies=n)

    grown = c + (Num(layers) if layers else n) * k
    return _block("dense_block", listed() if layers else paired(),
                  keys=(C_IN, GROWTH, *(() if layers else (LAYERS_KEY,)), OUT_SUM, NO_BIAS),
                  defines=(Define("C_out", grown),), options=(("layers", layers),))  # fmt: skip


def double_conv(norm: bool = False) -> Layer:
    """Two 3x3 convolutions in a row, as at every level of a U-Net."""
    middle = replace(MIDDLE, default=(S("C_out"),), kind="modifier")

    def parts() -> Iterator[Part]:
        yield _conv("conv_1", S("C_in"), S("C_m"), S("k"))
        if norm:
            yield _norm("norm_1", S("C_m"))
        yield _conv("conv_2", S("C_m"), S("C_out"), S("k"))
        if norm:
            yield _norm("norm_2", S("C_out"))

    return _block("double_conv", parts(), options=(("norm", norm),),
                  keys=(C_IN, C_OUT, middle, _window(3), NO_BIAS if norm else BIAS))  # fmt: skip


def connection_table(table: tuple[tuple[int, int], ...] = LENET_TABLE) -> Layer:
    """A convolution whose maps read only some of the maps before them (LeNet's C3).

    The table says how many maps read how many; each group of equal ones is a part.
    """
    parts = tuple(
        _conv(f"maps_of_{come}", Num(come), ONE, S("k"), copies=Num(maps)) for maps, come in table
    )
    out = Define("C_out", Num(sum(maps for maps, _ in table)))
    shown = Key("table", "table", kind="listed", option="table")
    return _block("connection_table_conv", iter(parts), defines=(out,), options=(("table", table),),
                  keys=(C_IN, OUT_SUM, _window(5), shown, BIAS))  # fmt: skip


LAYERS: Mapping[str, Build] = {
    **{f"pointwise_conv{n}d": functools.partial(pointwise, n) for n in (1, 2, 3)},
    **{f"separable_conv{n}d": functools.partial(separable, n) for n in (1, 2)},
    "asymmetric_conv": asymmetric,
    "deformable_conv2d": deformable,
    "residual_block": residual,
    "bottleneck": bottleneck,
    "inverted_residual": inverted_residual,
    "squeeze_excitation": squeeze_excitation,
    "fire": fire,
    "inception": inception,
    "densenet_layer": densenet_layer,
    "dense_block": dense_block,
    "convnext_block": convnext,
    "double_conv": double_conv,
    "connection_table_conv": connection_table,
}
