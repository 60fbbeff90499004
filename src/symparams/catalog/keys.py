"""Keys and output sizes that many layers share: channels, kernels, strides, padding."""

from __future__ import annotations

from ..declaration import Define, Key
from ..terms import ONE, ZERO, Ceil, Floor, Max, Min, S, Term

SPACE = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
SIDES = {
    "L": ("P_left", "P_right"),
    "W": ("P_left", "P_right"),
    "H": ("P_top", "P_bottom"),
    "D": ("P_front", "P_back"),
}

C_IN = Key("C_in", "in_channels", also=("in_features", "input_dim"))
C_OUT = Key("C_out", "out_channels", also=("out_features", "filters", "units", "features"))
BIAS = Key("b", "bias", kind="switch", least=0, also=("use_bias",))
C_OUT_DERIVED = Key("C_out", "out_channels", kind="derived", also=("filters",))
C = Key("C", "channels", also=("C_in", "in_channels", "num_features"))
C_SAME = Key("C_out", "out_channels", kind="derived", also=("filters",))
MULTIPLIER = Key("m", "depth_multiplier", default=(ONE,), kind="modifier")
GROUPS = Key("g", "groups", default=(ONE,), kind="modifier", also=("feature_group_count",))


def marks(space: tuple[str, ...]) -> tuple[str, ...]:
    """How each axis marks its letters: k_h, k_w; a single axis needs no mark."""
    return ("",) if len(space) == 1 else tuple("_" + axis.lower() for axis in space)


def outs(space: tuple[str, ...]) -> tuple[str, ...]:
    """The output sizes' letters."""
    return tuple(axis + "_out" for axis in space)


def extents(space: tuple[str, ...]) -> tuple[Key, ...]:
    """The sizes of the input and, so that they can be given and checked, of the output."""
    names = {"L": "length", "H": "height", "W": "width", "D": "depth"}
    return (
        *(Key(axis, names[axis], kind="extent") for axis in space),
        *(Key(axis + "_out", "out_" + names[axis], kind="derived") for axis in space),
    )


def per_axis(
    symbol: str, code: str, space: tuple[str, ...], default: Term | None, **more: object
) -> Key:
    """A key with a letter for each axis: kernel size, stride, padding, dilation."""
    parts = tuple(symbol + mark for mark in marks(space))
    usual = () if default is None else (default,) * len(parts)
    return Key(symbol, code, parts, usual, **more)  # type: ignore[arg-type]  # Key checks them


def kernel(space: tuple[str, ...]) -> Key:
    """The kernel's sizes."""
    return per_axis("k", "kernel_size", space, None, also=("pool_size", "window"))


def stride(space: tuple[str, ...], window: bool = False) -> Key:
    """The stride: 1, or for pooling the window."""
    if window:
        parts = tuple("s" + mark for mark in marks(space))
        usual = tuple(S("k" + mark) for mark in marks(space))
        return Key("s", "stride", parts, usual, "modifier", also=("strides",))
    return per_axis("s", "stride", space, ONE, kind="modifier", also=("strides",))


def padding(
    space: tuple[str, ...], mode: str, words: str = "same valid causal full"
) -> tuple[Key, ...]:
    """The padding: a number on both sides, one for each side, or a rule by name."""
    if mode == "sides":
        return tuple(
            Key(side, side.lower().replace("p_", "padding_"), (), (ZERO,), "modifier", 0)
            for axis in space
            for side in SIDES[axis]
        )
    named = tuple(word for word in words.split() if word != "causal" or len(space) == 1)
    more = {"kind": "modifier", "least": 0, "words": named, "option": "padding"}
    return (per_axis("P", "padding", space, ZERO, **more),)


def low(space: tuple[str, ...], mode: str) -> dict[str, str]:
    """The letters of the padding at the low side of each axis, where the sides differ."""
    return {axis: SIDES[axis][0] for axis in space} if mode == "sides" else {}


def output_padding(space: tuple[str, ...]) -> Key:
    """What a transposed convolution adds at one side."""
    return per_axis("op", "output_padding", space, ZERO, kind="modifier", least=0)


def multiplied() -> Define:
    """A depthwise convolution's output channels."""
    return Define("C_out", S("m") * S("C_in"))


def dilation(space: tuple[str, ...]) -> Key:
    """The dilation."""
    also = ("dilation_rate", "kernel_dilation")
    return per_axis("d", "dilation", space, ONE, kind="modifier", also=also)


def scaled(space: tuple[str, ...]) -> tuple[Define, ...]:
    """The output size along each axis where a factor is given: floor(f n)."""
    return tuple(
        Define(axis + "_out", Floor(S("f" + mark) * S(axis)))
        for axis, mark in zip(space, marks(space), strict=True)
    )


def window_sizes(space: tuple[str, ...], mode: str) -> tuple[Define, ...]:
    """The output size of a sliding window along each axis, and its effective kernel size.

    floor((n + 2P - k_eff)/s) + 1 with k_eff = d(k - 1) + 1; "same" makes it ceil(n/s);
    "ceil" rounds up, but the last window still starts left of the right padding.
    Source: Dumoulin & Visin 2016, relationships 6 and 15; PyTorch MaxPool2d, ceil_mode.
    """
    out = []
    for axis, mark in zip(space, marks(space), strict=True):
        n, k_eff, s = S(axis), S("k_eff" + mark), S("s" + mark)
        k, d, p = S("k" + mark), S("d" + mark), S("P" + mark)
        rules: dict[str, Term] = {
            "number": Floor((n + 2 * p - k_eff) / s) + 1,
            "valid": Floor((n - k_eff) / s) + 1,
            "full": Floor((n + 2 * (k_eff - 1) - k_eff) / s) + 1,
            "same": Ceil(n / s),
            "causal": Ceil(n / s),
            "ceil": Min((Ceil((n + 2 * p - k_eff) / s), Floor((n + p - 1) / s))) + 1,
        }
        low, high = SIDES[axis]
        rules["sides"] = Floor((n + S(low) + S(high) - k_eff) / s) + 1
        out.append(Define(axis + "_out", rules[mode]))
        out.append(Define("k_eff" + mark, d * (k - 1) + 1))
    return tuple(out)


def transposed_sizes(space: tuple[str, ...], mode: str) -> tuple[Define, ...]:
    """The output size of a transposed convolution along each axis.

    s(n - 1) + k_eff - 2P + output padding.  Source: Dumoulin & Visin 2016, section 4;
    PyTorch ConvTranspose.  "same" makes it s*n; "gaps" is Keras' and Flax' "valid" where the
    stride may exceed the kernel: what lies between two windows stays, after the last one too.
    """
    out = []
    for axis, mark in zip(space, marks(space), strict=True):
        n, k_eff, s = S(axis), S("k_eff" + mark), S("s" + mark)
        k, d, p, extra = S("k" + mark), S("d" + mark), S("P" + mark), S("op" + mark)
        rules: dict[str, Term] = {
            "number": s * (n - 1) + k_eff - 2 * p + extra,
            "valid": s * (n - 1) + k_eff + extra,
            "gaps": s * (n - 1) + Max((k_eff, s)),
            "same": s * n,
        }
        low, high = (S(side) for side in SIDES[axis])
        rules["sides"] = s * (n - 1) + k_eff - low - high + extra
        out.append(Define(axis + "_out", rules[mode]))
        out.append(Define("k_eff" + mark, d * (k - 1) + 1))
    return tuple(out)
