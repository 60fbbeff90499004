"""The text of one layer or a plain sequence of layers, read into neutral data.

Words are told by tables: a phrase is a layer, a noun is a key, everything else must stand in
a list of words without meaning here, or it is refused.  The room knows no layer: what it
returns are names and keys, and the doors look them up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..errors import UnknownName
from ..terms import Sym, Term
from .values import Tokens, is_letter, refuse, shape

MAX_CALLS = 10  # calls inside one another
MAX_COPIES = 10  # of "two 3x3 convolutions"
MAX_LAYERS = 1_000


@dataclass(frozen=True)
class LayerText:
    """A layer as somebody wrote it: its name, what was given, and where it stands.

    ``style`` is "call" (``Conv2D(64, 3)``), "keys" (``conv2d kernel_size=3``) or "words"; in
    words the name is one of ``PHRASES`` and the keys are the frameworks' usual ones.
    """

    name: str
    style: str
    args: tuple[object, ...] = ()
    keys: Mapping[str, object] = field(default_factory=dict)
    input: tuple[Term, ...] | None = None
    output: tuple[Term, ...] | None = None
    text: str = ""
    span: tuple[int, int] = (0, 0)


# --- the words ------------------------------------------------------------------------------

_DENSE = ("dense", "linear", "fully connected", "fc")

# What a layer is called, in the spelling of _SPELLINGS: a new layer is a row.
PHRASES: Mapping[str, str] = {
    "conv": "conv",
    "pointwise conv": "conv",
    "pointwise": "conv",
    "depthwise conv": "depthwise_conv",
    "depthwise": "depthwise_conv",
    "depthwise separable conv": "separable_conv",
    "depthwise separable": "separable_conv",
    "separable conv": "separable_conv",
    "transposed conv": "conv_transpose",
    "conv transposed": "conv_transpose",
    "deconv": "conv_transpose",
    "locally connected": "locally_connected",
    **dict.fromkeys(_DENSE, "linear"),
    **{f"flatten{join}{dense}": "flatten_dense"
       for join in (" then ", " and ", " and then ", " ") for dense in _DENSE},
    **{f"global avg pool{join}{dense}": "global_pool_dense"
       for join in (" then ", " and ", " and then ", " ") for dense in _DENSE},
    "pool": "max_pool",
    "max pool": "max_pool",
    "avg pool": "avg_pool",
    "global max pool": "global_max_pool",
    "global avg pool": "global_avg_pool",
    "adaptive max pool": "adaptive_max_pool",
    "adaptive avg pool": "adaptive_avg_pool",
    "flatten": "flatten",
    "dropout": "dropout",
    "zero pad": "pad",
    "pad": "pad",
    "crop": "crop",
    "upsample": "upsample",
    "identity": "identity",
    **dict.fromkeys(
        ("activation", "relu", "leaky relu", "relu6", "sigmoid", "tanh", "softmax", "gelu", "elu",
         "selu", "silu", "swish", "mish", "softplus", "hardswish"), "activation"),
}  # fmt: skip

# What a phrase says besides the layer.
_SAYS: Mapping[str, tuple[str, object]] = dict.fromkeys(
    ("pointwise conv", "pointwise"), ("kernel_size", 1)
)

# The one spelling of words that have several.
_SPELLINGS = {
    "conv": "convolution convolutions convolutional convs convolve convolved",
    "deconv": "deconvolution deconvolutions deconvolutional deconvs",
    "transposed": "transpose",
    "pool": "pooling pools poolings pooled",
    "avg": "average averages averaging mean",
    "max": "maximum maximal",
    "pad": "padding paddings padded pads",
    "crop": "cropping cropped crops",
    "upsample": "upsampling upsampled upsamples",
    "flatten": "flattening flattened flattens",
    "activation": "activations",
    "relu": "relus",
    "bias": "biases",
    "channels": "channel",
    "groups": "group",
    "stride": "strides",
    "dilation": "dilations",
    "units": "unit neuron neurons node nodes",
    "features": "feature",
    "maps": "map",
    "image": "images picture pictures",
    "tensor": "tensors volume volumes matrix array",
    "grayscale": "greyscale gray grey monochrome",
    "rgb": "colour color",
    "dilated": "atrous",
    "without": "excluding ignoring",
    "and": "plus",
    "with": "including",
}
_SPELLING = {word: one for one, words in _SPELLINGS.items() for word in words.split()}

# A noun and the key its size belongs to; _Reader.place knows the ones in capitals.
NOUNS: Mapping[str, str] = {
    **dict.fromkeys(("kernel", "kernel size", "kernel_size", "window", "window size", "pool size",
                     "pool window", "pool_size", "filter size"), "kernel_size"),
    "filter": "FILTER",
    **dict.fromkeys(("filters", "kernels"), "FILTERS"),
    **dict.fromkeys(("maps", "features maps"), "MAPS"),
    **dict.fromkeys(("channels", "features", "depth"), "CHANNELS"),
    **dict.fromkeys(("input", "image", "tensor", "input image", "input tensor", "input shape",
                     "input size"), "INPUT"),
    **dict.fromkeys(("output", "output shape", "output size", "output tensor"), "OUTPUT"),
    **dict.fromkeys(("inputs", "input channels", "input features", "input maps", "input depth",
                     "input features maps", "input units", "in channels", "in features",
                     "channels in", "channels input", "channels image", "channels tensor",
                     "channels maps", "kernels of depth", "filters of depth", "in_channels",
                     "in_features"), "in_channels"),
    **dict.fromkeys(("outputs", "output channels", "output features", "output maps", "units",
                     "output features maps", "output units", "output depth", "out channels",
                     "out features", "channels output", "channels out", "out_channels",
                     "out_features"),
                    "out_channels"),
    "stride": "stride",
    **dict.fromkeys(("pad", "zero pad"), "padding"),
    **dict.fromkeys(("dilation", "dilation rate", "dilation_rate"), "dilation"),
    "groups": "groups",
    **dict.fromkeys(("output pad", "output_padding"), "output_padding"),
    **dict.fromkeys(("depth multiplier", "channels multiplier", "depth_multiplier"),
                    "depth_multiplier"),
    **dict.fromkeys(("rate", "dropout rate", "probability"), "rate"),
    **dict.fromkeys(("factor", "scale", "scale factor", "scale_factor"), "scale_factor"),
}  # fmt: skip
_COUNTS = frozenset(("FILTERS", "FILTER", "MAPS", "CHANNELS", "in_channels", "out_channels",
                     "groups", "INPUT", "OUTPUT"))  # fmt: skip
_FILTERS = frozenset(("FILTER", "FILTERS"))
_FRACTIONS = frozenset(("rate", "p", "scale_factor"))
_SCALARS = frozenset(("groups", "depth_multiplier", "rate"))
# Nouns that may stand without a size.
_SILENT = _COUNTS - {"groups"} | {"kernel_size"}

# Settings said in words; None leaves the choice open.
_SETTINGS: Mapping[str, tuple[str, object]] = {
    **dict.fromkeys(("no bias", "without bias", "bias ignored", "bias excluded", "not bias",
                     "bias free", "bias no", "bias none", "bias false", "bias off"),
                    ("bias", False)),
    **dict.fromkeys(("with bias", "bias included", "bias yes", "bias true", "bias on", "bias",
                     "one bias"), ("bias", True)),
    **dict.fromkeys(("with and without bias", "with or without bias"), ("bias", None)),
    **dict.fromkeys(("no pad", "without pad", "no zero pad", "pad none"), ("padding", 0)),
    **{text: ("padding", word) for word in ("same", "valid", "causal")
       for text in (word, f"{word} pad", f"pad {word}", f"{word} size")},
    "rgb": ("in_channels", 3),
    "grayscale": ("in_channels", 1),
}  # fmt: skip

# Adjectives that name a modifier: its letter is left where no number is given.
_ADJECTIVES = {"dilated": ("dilation", "d"), "strided": ("stride", "s"), "grouped": ("groups", "g")}

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SPELLED = {**{word: n for n, word in enumerate(_NUMBERS, start=1)}, "single": 1}
_ON = frozenset(("on", "over", "onto"))
_TO = frozenset(("to", "into"))
_FILLING = """
    a an the with that of are is in by as for and at this each every per any its it which where
    has have having had using use uses used applied takes taking size sized layer layers stacked
    standard regular ordinary plain usual first second third last vector vectors term terms both
    given how many much what does do did there number count counts total parameters parameter
    params trainable learnable learned free weights
"""
_STOP = frozenset(_FILLING.split())

# What a question may end with, and the quantity it asks for.
ASKED: Mapping[str, str] = {
    **dict.fromkeys(("output shape", "output size", "output dimensions", "output tensor",
                     "resulting dimensions", "resulting size", "size after conv",
                     "shape of the output", "size of the output", "shape of the maps",
                     "shape of the features maps", "size of the features maps",
                     "size of the conv tensor", "size of the conv image",
                     "dimensions passed to the next layer", "dimensions the next layer receives"),
                    "shape"),
    **dict.fromkeys(("multiplications", "macs", "multiply accumulates"), "macs"),
    "flops": "flops",
    **dict.fromkeys(("receptive field", "receptive field on the input"), "receptive_field"),
}  # fmt: skip
# k3 s2 p1, as many network tables have it.
_SHORT = {"k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation", "g": "groups"}
_SHORT_KEY = re.compile(r"([kspdg])([0-9]+)")

# name -> where a bare 3x3 goes, and where bare numbers go, in order.
_WINDOW = ("kernel_size", ("kernel_size", "out_channels"))
_POOL = ("kernel_size", ("kernel_size",))
_UNITS = (None, ("out_channels",))
_BARE: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    **dict.fromkeys(("conv", "conv_transpose", "locally_connected", "separable_conv"), _WINDOW),
    **dict.fromkeys(("depthwise_conv", "max_pool", "avg_pool"), _POOL),
    **dict.fromkeys(("linear", "flatten_dense", "global_pool_dense", "flatten"), _UNITS),
    **dict.fromkeys(("adaptive_max_pool", "adaptive_avg_pool"), ("output_size", ("output_size",))),
    **dict.fromkeys(("pad", "crop"), ("padding", ("padding",))),
    "upsample": ("scale_factor", ("scale_factor",)),
    "dropout": (None, ("rate",)),
}
_NOTHING_BARE: tuple[None, tuple[str, ...]] = (None, ())
_CHANGES_CHANNELS = frozenset(n for n, (_, keys) in _BARE.items() if "out_channels" in keys)
_HAS_AXES = frozenset(n for n, (dims, _) in _BARE.items() if dims) | {
    "global_max_pool", "global_avg_pool",
}  # fmt: skip


def _by_first(table: Collection[str]) -> dict[str, list[tuple[str, ...]]]:
    """Rows of words by their first word, the longest row first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for row in sorted((tuple(text.split()) for text in table), key=len, reverse=True):
        found.setdefault(row[0], []).append(row)
    return found


_PHRASE_ROWS = _by_first(PHRASES)
_NOUN_ROWS = _by_first(NOUNS)
_SETTING_ROWS = _by_first(_SETTINGS)
_ASKED_ROWS = _by_first(ASKED)
_FUSED = {phrase.replace(" ", ""): tuple(phrase.split()) for phrase in PHRASES}
_FUSING = tuple((long, short) for short, longs in _SPELLINGS.items() for long in longs.split())
_KNOWN = frozenset(
    {word for table in (PHRASES, NOUNS, _SETTINGS, ASKED) for text in table
     for word in text.split()} | _STOP | _ON | _TO | _ADJECTIVES.keys()
    | {"from", "then", "no"}
)  # fmt: skip
_PARTS = re.compile(r"_?([123])d_?")


def _fused(word: str) -> tuple[tuple[str, ...], int | None] | None:
    """A phrase written as one word, and its number of axes: conv2d, GlobalAveragePooling2D."""
    found = _PARTS.search(word)
    core = (word[: found.start()] + word[found.end() :] if found else word).replace("_", "")
    rows = (core,) if core in _FUSED else _respelled(core)
    for row in rows:
        if row in _FUSED:
            return _FUSED[row], int(found[1]) if found else None
    return None


def _respelled(core: str) -> tuple[str, ...]:
    if len(core) > 40:
        return ()
    for long, short in _FUSING:
        if long in core and short != "without" and short != "with":
            core = core.replace(long, short)
    return (core,)


# --- items ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Item:
    """A word, size, setting, call, axes, phrase or cut, and where it stands.

    ``more`` is a size as one value, the axes or calls' keys; ``tag`` marks a number written
    as a word, a plural, a hard cut.
    """

    kind: str
    value: Any
    start: int
    end: int
    more: Any = None
    tag: str = ""


class _Items:
    """Tokens put together to items."""

    def __init__(self, tokens: Tokens, ids: Collection[str]) -> None:
        self.tokens = tokens
        self.ids = ids
        self.items: list[_Item] = []
        self.cuts: set[int] = set()  # brackets around words

    def all(self) -> list[_Item]:
        """Every item of the text, in order."""
        at = 0
        kinds = self.tokens.kinds
        while kinds[at] != "end":
            at = _READ.get(kinds[at], _Items.other)(self, at)
        return self.items

    def add(self, kind: str, value: object, at: int, end: int, more: object = None,
            tag: str = "") -> int:  # fmt: skip
        tokens = self.tokens
        self.items.append(_Item(kind, value, tokens.starts[at], tokens.ends[end - 1], more, tag))
        return end

    # --- words ---

    def word(self, at: int) -> int:
        tokens = self.tokens
        raw = tokens.texts[at]
        lower = raw.lower()
        following = tokens.kinds[at + 1]
        if following == "=":
            value, end = tokens.value(at + 2)
            return self.add("set", raw, at, end, value)
        if following == "(" and tokens.glued(at + 1) and lower not in _WORDS:
            return self.call(at)
        if lower in _SPELLED:
            return self.add("size", (_SPELLED[lower],), at, at + 1, _SPELLED[lower], "spelled")
        if lower == "followed" and tokens.texts[at + 1].lower() == "by":
            return self.add("word", "then", at, at + 2)
        lower = _SPELLING.get(lower, lower)
        if lower in _KNOWN:
            plural = "plural" if raw[-1] in "sS" else ""
            return self.add("word", lower, at, at + 1, self.is_id(raw), plural)
        if is_letter(raw):
            return self.size(at)
        return self.name(at, raw, lower)

    def name(self, at: int, raw: str, lower: str) -> int:
        """A phrase in one word, or a name for the doors to know."""
        found = _fused(lower)
        if found is not None:
            words, axes = found
            for word in words:
                self.add("word", word, at, at + 1, self.is_id(raw))
            if axes is not None:
                self.add("axes", axes, at, at + 1)
            return at + 1
        tokens = self.tokens
        named = tokens.kinds[at + 1] == "word" and tokens.kinds[at + 2] == "="
        if self.is_id(raw) or named:
            return self.add("name", raw, at, at + 1)
        self.unknown(at, raw)

    def is_id(self, raw: str) -> bool:
        return raw in self.ids or raw.lower() in self.ids

    def unknown(self, at: int, raw: str) -> NoReturn:
        import difflib  # only a refusal needs it, and it is slow to import

        known = sorted(_KNOWN | _SPELLING.keys() | set(self.ids))
        close = difflib.get_close_matches(raw.lower(), known, 1, 0.7)
        near = close[0] if close else None
        column = self.tokens.starts[at]
        raise UnknownName("unknown_word", text=self.tokens.text, column=column, word=raw, near=near)

    # --- sizes and brackets ---

    def size(self, at: int) -> int:
        tokens = self.tokens
        if self.axes_mark(at):
            return self.add("axes", int(tokens.texts[at]), at, at + 2)
        if self.fold(at):
            return self.add("size", (tokens.number(at),), at, at + 1, tokens.number(at)) + 1
        extents, value, end = tokens.size(at)
        if tokens.kinds[end] == "%" and isinstance(value, int | float):
            return self.add("size", (value / 100,), at, end + 1, value / 100)
        return self.add("size", extents, at, end, value)

    def fold(self, at: int) -> bool:
        """Whether this is the 2x of a 2x upsampling, or of upsampling 2x."""
        tokens = self.tokens
        letter = tokens.texts[at + 1] in ("x", "X") and tokens.kinds[at + 1] == "word"
        if not letter or tokens.kinds[at] != "number":
            return False
        named = any(item.value == "upsample" for item in self.items[-4:])
        word = tokens.kinds[at + 2] == "word" and not is_letter(tokens.texts[at + 2])
        return tokens.glued(at + 1) and (word or named)

    def axes_mark(self, at: int) -> bool:
        """Whether this is the 2D of a 2D convolution, and not twice d."""
        tokens = self.tokens
        if tokens.texts[at + 1] not in ("d", "D") or not tokens.glued(at + 1):
            return False
        if tokens.texts[at] not in ("1", "2", "3"):
            return False
        after = _SPELLING.get(tokens.texts[at + 2].lower(), tokens.texts[at + 2].lower())
        before = self.items[-1].value if self.items else None
        return after in _BEFORE_AXES or (isinstance(before, str) and before in _SPATIAL)

    def bracket(self, at: int) -> int:
        tokens = self.tokens
        close = tokens.closes[at]
        if tokens.kinds[at] == "{":
            tokens.refuse("layer_stray", at, shown="{")
        if not self.holds_values(at, close):
            self.cuts.add(close)
            return self.add("cut", "(", at, at + 1)
        value, end = tokens.value(at)
        if end <= close:  # (C + 1)*2 and the like
            return self.size(at)
        extents = value if isinstance(value, tuple) else (value,)
        return self.add("size", extents, at, end, value)

    def holds_values(self, at: int, close: int) -> bool:
        tokens = self.tokens
        return close > at + 1 and all(
            tokens.kinds[i] not in ("arrow", "string", "axes", "=", ":", ";", "?", "@", "%", "dot")
            and (
                tokens.kinds[i] != "word" or is_letter(tokens.texts[i]) or tokens.texts[i] == "None"
            )
            for i in range(at + 1, close)
        )

    # --- signs ---

    def cut(self, at: int) -> int:
        sign = self.tokens.texts[at]
        return self.add("cut", sign, at, at + 1, tag="hard" if sign == ";" else "")

    def axes(self, at: int) -> int:
        return self.add("axes", int(self.tokens.texts[at][0]), at, at + 1)

    def arrow(self, at: int) -> int:
        return self.add("arrow", "->", at, at + 1)

    def other(self, at: int) -> int:
        """Closing brackets, quotation, hyphens; the rest has no place among words."""
        tokens = self.tokens
        kind, word = tokens.kinds[at], tokens.texts[at]
        if at in self.cuts:
            return self.add("cut", ")", at, at + 1)
        if kind == "string" and word[1:-1].lower() in _KNOWN:
            return self.add("word", word[1:-1].lower(), at, at + 1)
        if kind == "+" and self.items:
            return self.add("word", "and", at, at + 1)
        hyphen = kind == "-" and tokens.glued(at) and tokens.glued(at + 1)
        if hyphen and tokens.kinds[at + 1] == "word":
            return at + 1
        if kind == "@":
            return self.add("at", "@", at, at + 1)
        tokens.refuse("layer_stray", at, shown=tokens.shown(at))

    # --- calls ---

    def call(self, at: int) -> int:
        args, keys, end = _call(self.tokens, at, 0)
        return self.add("call", self.tokens.texts[at], at, end, (args, keys))


_READ = {
    "word": _Items.word,
    "number": _Items.size,
    "greek": _Items.size,
    "(": _Items.bracket,
    "[": _Items.bracket,
    "{": _Items.bracket,
    "axes": _Items.axes,
    "arrow": _Items.arrow,
    **dict.fromkeys((",", ";", ":", "?", "dot"), _Items.cut),
}
_SPATIAL = frozenset(("conv", "deconv", "pool", "pad", "crop", "upsample", "transposed"))
_BEFORE_AXES = _SPATIAL | frozenset(
    ("max", "avg", "global", "adaptive", "depthwise", "separable", "locally", "zero", "dilated",
     "strided", "grouped", "pointwise", "kernel", "kernels", "filter", "filters")
)  # fmt: skip
# Words that a bracket may follow without making a call of it.
_WORDS = frozenset(word for text in NOUNS for word in text.split()) | _STOP | _ON | _TO


def _call(tokens: Tokens, at: int, depth: int) -> tuple[tuple[object, ...], dict[str, object], int]:
    """The arguments of the call whose name stands here, and the token after it."""
    if depth >= MAX_CALLS:
        tokens.refuse("too_deep", at, limit=MAX_CALLS)
    close = tokens.closes[at + 1]
    args: list[object] = []
    keys: dict[str, object] = {}
    here = at + 2
    while here < close:
        begun = here
        key, value, here = _argument(tokens, here, depth)
        if key in keys:
            tokens.refuse("key_twice", begun, key=key)
        if key:
            keys[key] = value
        elif keys.keys() - _FROM_WORDS:
            tokens.refuse("positional_late", begun)
        else:
            args.append(value)
        if here < close:
            if tokens.kinds[here] != ",":
                tokens.refuse("comma_expected", here, shown=tokens.shown(here))
            here += 1
    return tuple(args), keys, close + 1


_FROM_WORDS = frozenset(("padding",))


def _argument(tokens: Tokens, at: int, depth: int) -> tuple[str, object, int]:
    """One argument: its keyword or "", its value, and the token after it."""
    word = tokens.texts[at]
    if tokens.kinds[at] == "word":
        if tokens.kinds[at + 1] == "=":
            value, end = _literal(tokens, at + 2, depth)
            return word, value, end
        lower = _SPELLING.get(word.lower(), word.lower())
        if lower in ("same", "valid", "causal") and tokens.kinds[at + 1] in (",", ")"):
            return "padding", lower, at + 1
        noun = NOUNS.get(lower, "")
        if noun.islower() and tokens.kinds[at + 1] in ("number", "(", "word", "["):
            value, end = tokens.value(at + 1)
            return (word if word == noun + "s" else noun), value, end  # Keras says strides
    value, end = _literal(tokens, at, depth)
    return "", value, end


def _literal(tokens: Tokens, at: int, depth: int) -> tuple[object, int]:
    """A value, a call inside a call, or a list of calls."""
    if tokens.kinds[at] == "word" and tokens.kinds[at + 1] == "(" and tokens.glued(at + 1):
        if tokens.starts_operand(at) and not is_letter(tokens.texts[at]):
            return tokens.value(at)
        args, keys, end = _call(tokens, at, depth + 1)
        span = (tokens.starts[at], tokens.ends[end - 1])
        return LayerText(tokens.texts[at], "call", args, keys, text=tokens.text, span=span), end
    if tokens.kinds[at] == "[" and _holds_calls(tokens, at):
        found: list[object] = []
        here, close = at + 1, tokens.closes[at]
        while here < close:
            value, here = _literal(tokens, here, depth + 1)
            found.append(value)
            if here < close and tokens.kinds[here] != ",":
                tokens.refuse("comma_expected", here, shown=tokens.shown(here))
            here += here < close
        return tuple(found), close + 1
    return tokens.value(at)


def _holds_calls(tokens: Tokens, at: int) -> bool:
    return tokens.kinds[at + 1] == "word" and tokens.kinds[at + 2] == "("


# --- phrases and layers ---------------------------------------------------------------------


def _matched(items: list[_Item], at: int, row: tuple[str, ...], loose: bool) -> list[int]:
    """Where the words of a row stand from here on, or nothing.

    ``loose`` lets sizes, axes and articles stand between, as in "depthwise 3x3 convolution".
    """
    places = [at]
    for word in row[1:]:
        here = places[-1] + 1
        while loose and here < len(items) and here - places[-1] < 4 and (
            items[here].kind in ("size", "axes") or items[here].value in ("a", "the", "layer")
            or items[here].value in _ADJECTIVES
        ):  # fmt: skip
            here += 1
        if here >= len(items) or items[here].kind != "word" or items[here].value != word:
            return []
        places.append(here)
    return places


def _find(
    items: list[_Item], at: int, rows: Mapping[str, list[tuple[str, ...]]], loose: bool = False
) -> tuple[str, list[int]] | None:
    """The longest row of a table that stands here, and its places."""
    if items[at].kind != "word" or items[at].value not in rows:
        return None
    following = [item.value for item in items[at + 1 : at + 5]]
    for row in rows[items[at].value]:
        if len(row) > 1 and row[1] not in following:
            continue
        places = _matched(items, at, row, loose)
        if places:
            return " ".join(row), places
    return None


class _Grouping:
    """Items grouped to layers: phrases found, cuts between layers told from other commas."""

    def __init__(self, text: str, items: list[_Item]) -> None:
        self.text = text
        self.items = items
        self.layers: list[list[_Item]] = []
        self.prefix: list[_Item] = []
        self.padded: bool | None = None
        self.called = False
        self.named = 0

    def all(self) -> list[list[_Item]]:
        self.mark()
        hard: _Item | None = None
        for cut, chunk in self.chunks():
            if cut is not None and cut.tag == "hard":
                hard = cut
            if chunk:
                self.take(cut, hard, chunk)
                hard = None
        if not self.layers:
            self.implied()
        return self.layers

    def mark(self) -> None:
        """Phrases become one item each; settings such as "no padding" are no phrases."""
        fresh: list[_Item] = []
        taken: set[int] = set()
        at = 0
        while at < len(self.items):
            step = 1
            if at in taken or (step := self.asked(at)):
                at += step
                continue
            found = self.phrase(at)
            if found is None:
                step = self.untouched(at)
                fresh += self.items[at : at + step]
                self.passed(self.items[at])
                at += step
                continue
            item, last = self.items[at], self.items[found[1][-1]]
            fresh.append(_Item("phrase", found[0], item.start, last.end, item.more, last.tag))
            self.passed(fresh[-1])
            taken.update(found[1])
            at += 1
        self.items = fresh

    def asked(self, at: int) -> int:
        """How many items from here only say what is asked."""
        found = _find(self.items, at, _ASKED_ROWS)
        return len(found[1]) if found and self.ends(found[1][-1] + 1) else 0

    def ends(self, at: int) -> bool:
        """Whether nothing more is said up to the next cut."""
        while at < len(self.items) and self.items[at].value in _STOP:
            at += 1
        return at >= len(self.items) or self.items[at].kind == "cut"

    def untouched(self, at: int) -> int:
        """How many items from here are a setting or a noun, to be left as they are."""
        found = _find(self.items, at, _SETTING_ROWS) or _find(self.items, at, _NOUN_ROWS)
        return len(found[1]) if found else 1

    def phrase(self, at: int) -> tuple[str, list[int]] | None:
        found = _find(self.items, at, _PHRASE_ROWS, loose=True)
        if found is None:
            return None
        noun = _find(self.items, at, _NOUN_ROWS)
        if noun is not None and len(noun[1]) >= len(found[1]) and noun[0] not in PHRASES:
            return None  # "pool size"
        if PHRASES[found[0]] == "pad" and self.is_key(at, found[0]):
            return None
        return found

    def is_key(self, at: int, phrase: str) -> bool:
        """Whether "padding 1" says something about another layer, before or after it."""
        before = self.items[at - 1].value if at else None
        if before in ("same", "valid", "causal", "no", "without"):
            return True
        if self.padded is None:  # no layer yet: is one with a window spoken of?
            return any(item.value in _OF_WINDOWS for item in self.items[max(at - 60, 0) : at])
        return self.padded or (self.called and phrase == "pad")

    def passed(self, item: _Item) -> None:
        """Remember whether the layer that was named last can be padded."""
        self.named += item.kind in _HEADS
        if self.named > MAX_LAYERS:
            refuse("too_many_layers", self.text, item.start, limit=MAX_LAYERS)
        if item.kind == "phrase":
            name = PHRASES[item.value]
            self.padded = name in _CHANGES_CHANNELS - {"flatten", *_DENSE_NAMES} or name in _POOLS
            self.called = False
        elif item.kind in _HEADS:
            self.padded, self.called = False, True
        elif item.tag == "hard" or item.value == "then":
            self.padded = False if self.padded is not None else None

    def chunks(self) -> list[tuple[_Item | None, list[_Item]]]:
        """The items between cuts, each with the cut before it."""
        found: list[tuple[_Item | None, list[_Item]]] = [(None, [])]
        phrased = False  # a layer stands in this chunk already
        for at, item in enumerate(self.items):
            if item.value == "then" or (item.kind == "arrow" and self.separates(at, phrased)):
                item = _Item("cut", item.value, item.start, item.end, tag="hard")
            if item.kind == "cut":
                found.append((item, []))
                phrased = False
            else:
                phrased = phrased or item.kind in _HEADS
                found[-1][1].append(item)
        return found

    def separates(self, at: int, phrased: bool) -> bool:
        """Whether this arrow leads to the next layer, and not from size to size."""
        here = at + 1
        sizes = 0
        while here < len(self.items):
            item = self.items[here]
            if item.kind in _HEADS:
                return phrased or not sizes
            if item.kind == "size":
                sizes += 1
            elif item.kind != "axes" and not (item.kind == "word" and item.value in _STOP):
                return False
            if sizes > 1:
                return False
            here += 1
        return False

    def take(self, cut: _Item | None, hard: _Item | None, chunk: list[_Item]) -> None:
        heads = [at for at, item in enumerate(chunk) if item.kind in _HEADS]
        if not heads:
            if not self.layers:
                self.prefix += [*([cut] if cut else []), *chunk]
            elif hard is not None and any(item.kind == "size" for item in chunk):
                refuse("no_layer_here", self.text, chunk[0].start)
            else:
                self.layers[-1] += [*([cut] if cut else []), *chunk]
            return
        begin = 0
        for head in heads[1:]:
            split = self.split(chunk, begin, head)
            self.start(cut, chunk[begin:split])
            begin = split
        self.start(cut, chunk[begin:])

    def split(self, chunk: list[_Item], begin: int, head: int) -> int:
        """Where a second layer of one chunk begins: after the last "and", else at its name."""
        for at in range(head - 1, begin, -1):
            if chunk[at].kind in _HEADS:
                break
            if chunk[at].value == "and" and chunk[at - 1].value != "with":
                return at
        return head

    def start(self, cut: _Item | None, chunk: list[_Item]) -> None:
        if self.prefix:
            for item in self.prefix:
                item.tag = item.tag or "prefix"
            chunk = [*self.prefix, *([cut] if cut else []), *chunk]
            self.prefix = []
        self.layers.append(chunk)

    def implied(self) -> None:
        """Filters and kernels without a layer's name are a convolution's."""
        said = {item.value for item in self.prefix}
        if not said & {"filter", "filters", "kernel", "kernels", "maps"}:
            column = next((i.start for i in self.prefix if not _means_nothing(i)), 0)
            refuse("no_layer", self.text, column)
        end = self.prefix[-1].end
        self.layers.append([*self.prefix, _Item("phrase", "conv", end, end)])


_HEADS = frozenset(("phrase", "call", "name"))
_OF_WINDOWS = frozenset(
    ("kernel", "kernels", "filter", "filters", "stride", "dilation", "groups", "maps")
)
_DENSE_NAMES = ("linear", "flatten_dense", "global_pool_dense")
_POOLS = ("depthwise_conv", "max_pool", "avg_pool")


def _means_nothing(item: _Item) -> bool:
    return item.kind == "cut" or (item.kind == "word" and item.value in _STOP)


# --- one layer ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Said:
    """A size that was said, with its noun and how it stands to the others."""

    item: _Item
    noun: str = ""
    role: str = ""
    noun_first: bool = False
    named: bool = False  # after the layer's name


class _Reader:
    """The items of one layer read into its keys and shapes."""

    def __init__(self, text: str, items: list[_Item]) -> None:
        self.text = text
        self.items = items
        self.head = next(item for item in items if item.kind in _HEADS)
        self.style = "call" if self.head.kind == "call" else "words"
        self.name = str(self.head.value)
        self.args: tuple[object, ...] = ()
        self.keys: dict[str, object] = {}
        self.shapes: dict[str, tuple[Term, ...]] = {}
        self.places: dict[str, int] = {}
        self.said: list[_Said] = []
        self.bare: list[_Said] = []
        self.open: set[str] = set()  # said both ways
        self.adjectives: list[str] = []
        self.copies = 1
        self.role = ""
        self.last: _Said | None = None
        self.source: _Said | None = None
        self.named = False

    def layers(self) -> list[LayerText]:
        """The layer, as often as it is there."""
        rest = [item for item in self.items if item is not self.head]
        if self.head.kind != "call" and self.is_keys(rest):
            return [self.by_keys(rest)]
        if self.head.kind == "phrase":
            self.name = PHRASES[str(self.head.value)]
            if str(self.head.value) in _SAYS:
                self.put(*_SAYS[str(self.head.value)], self.head.start)
        elif self.head.kind == "call":
            self.args, keys = self.head.more
            self.keys.update(keys)
        else:
            self.style = "keys"
        self.gather()
        for said in sorted(self.said, key=lambda said: said.noun == "CHANNELS"):
            self.place(said)
        self.place_bare()
        self.usual()
        return [self.built()] * self.copies

    def is_keys(self, rest: list[_Item]) -> bool:
        """Whether this is a name and assignments only."""
        sets = [item for item in rest if item.kind == "set"]
        others = [i for i in rest if i.kind not in ("set", "cut") and i.start != self.head.start]
        known = bool(sets) or self.head.kind == "name" or self.head.more is True
        return not others and known and " " not in self.written(self.head)

    def written(self, item: _Item) -> str:
        return self.text[item.start : item.end]

    def by_keys(self, rest: list[_Item]) -> LayerText:
        for item in rest:
            if item.kind == "set":
                self.put(str(item.value), item.more, item.start)
        self.style, self.name = "keys", self.written(self.head)
        return self.built()

    def built(self) -> LayerText:
        meant = [item for item in self.items if not _means_nothing(item)]
        start, end = min(i.start for i in meant), max(i.end for i in meant)
        return LayerText(
            self.name, self.style, self.args, dict(self.keys),
            self.shapes.get("input"), self.shapes.get("output"), self.text, (start, end),
        )  # fmt: skip

    # --- gather what is said ---

    def gather(self) -> None:
        at = 0
        while at < len(self.items):
            item = self.items[at]
            if item.kind == "word":
                at = self.word(at)
                continue
            if item.kind == "size":
                at = self.size(at)
                continue
            if item.kind == "cut":
                self.role, self.last, self.source = "", None, None
            elif item.kind == "arrow":
                self.towards()
            elif item.kind == "axes":
                self.put("axes", item.value, item.start)
            elif item.kind == "set":
                self.put(self.key(str(item.value)), item.more, item.start)
            elif item is self.head:
                self.named, self.last = True, None
            elif item.kind == "at":
                refuse("layer_stray", self.text, item.start, shown="@")
            at += 1

    def key(self, written: str) -> str:
        """An assignment's key; among words it is one with the noun it stands for."""
        if self.style != "words":
            return written
        noun = NOUNS.get(_SPELLING.get(written, written), written)
        if noun in ("FILTERS", "FILTER"):
            return "out_channels"
        return written if noun.isupper() else noun

    def word(self, at: int) -> int:
        """A word and those that belong to it; the item after them."""
        item = self.items[at]
        word = str(item.value)
        setting = self.setting(at)
        if setting:
            return setting
        noun = self.noun(at)
        if noun:
            return noun
        if word in _ON:
            self.role = "on"
        elif word in _TO:
            if self.items[at - 1].value == "applied" and at:
                self.role = "on"
            else:
                self.towards()
        elif word == "from":
            self.role = "from"
        elif word in _ADJECTIVES:
            self.adjectives.append(word)
        elif word not in _STOP:
            refuse("word_out_of_place", self.text, item.start, word=self.written(item))
        return at + 1

    def towards(self) -> None:
        """What was said last may be where it comes from, what follows is where it goes."""
        self.source = self.last
        self.role = "to"

    def setting(self, at: int) -> int:
        """A setting in words, its articles skipped; the item after it, or 0."""
        if self.items[at].value not in _SETTING_ROWS:
            return 0
        found = _find(self.items, at, _SETTING_ROWS, loose=True)
        if found is None:
            plain = [i for i in range(at, min(at + 5, len(self.items)))
                     if self.items[i].value not in ("a", "the", "any", "of")]  # fmt: skip
            spoken = [self.items[i] for i in plain]
            inner = _find(spoken, 0, _SETTING_ROWS) if spoken and plain[0] == at else None
            if inner is None:
                return 0
            found = inner[0], [plain[i] for i in inner[1]]
        key, value = _SETTINGS[found[0]]
        if any(self.items[i].kind == "size" for i in range(at, found[1][-1])):
            return 0
        if value is None:
            self.open.add(key)
        else:
            self.put(key, value, self.items[at].start)
        return found[1][-1] + 1

    def noun(self, at: int) -> int:
        """A noun and the size after it; the item after them, or 0."""
        found = _find(self.items, at, _NOUN_ROWS)
        if found is None:
            return 0
        noun, here = NOUNS[found[0]], found[1][-1] + 1
        value = self.value_after(here)
        if value is not None:
            self.say(_Said(self.items[value], noun, noun_first=True))
            return value + 1
        if noun not in _SILENT or "_" in found[0]:
            item = self.items[at]
            refuse("noun_needs_value", self.text, item.start, noun=self.written(item))
        return here

    def value_after(self, at: int) -> int | None:
        """Where the size stands that a noun at the left takes, or None."""
        while at < len(self.items) and self.items[at].value in (
            "of",
            "is",
            "size",
            "are",
            "at",
            ":",
        ):
            at += 1
        if at >= len(self.items) or self.items[at].kind != "size":
            return None
        return at

    def size(self, at: int) -> int:
        """A size and the noun after it, if that noun takes no size of its own."""
        item = self.items[at]
        if at + 1 == len(self.items):
            self.say(_Said(item))
            return at + 1
        if self.items[at + 1].kind == "at":
            return self.count_at(at)
        if item.more == 1 and self.items[at + 1].value == "bias":
            return at + 1
        found = _find(self.items, at + 1, _NOUN_ROWS)
        if found is None:
            self.say(_Said(item))
            return at + 1
        noun, here = NOUNS[found[0]], found[1][-1] + 1
        if (noun not in _COUNTS or noun == "FILTER") and self.takes_value(here):
            self.say(_Said(item))
            return at + 1
        if noun in ("FILTER", "FILTERS", "kernel_size") and self.counts(item):
            self.last.noun = "FILTERS"  # type: ignore[union-attr]  # 32 3x3 kernels
        self.say(_Said(item, noun))
        return here

    def takes_value(self, at: int) -> bool:
        """Whether the noun before takes the size here: not in "5x5 kernel 64 filters"."""
        value = self.value_after(at)
        if value is None or value + 1 >= len(self.items):
            return value is not None
        found = _find(self.items, value + 1, _NOUN_ROWS)
        return found is None or NOUNS[found[0]] not in _COUNTS or NOUNS[found[0]] == "INPUT"

    def counts(self, item: _Item) -> bool:
        """Whether a number stands just before a size with its noun: 32 3x3 kernels."""
        last = self.last
        return (
            last is not None and last.noun == "" and last.role == "" and len(_extents(item)) > 1
            and len(_extents(last.item)) == 1 and last.item.end + 2 > item.start
        )  # fmt: skip

    def count_at(self, at: int) -> int:
        """The notation 16@5x5: filters, then their kernel."""
        if at + 2 >= len(self.items) or self.items[at + 2].kind != "size":
            refuse("layer_stray", self.text, self.items[at + 1].start, shown="@")
        self.say(_Said(self.items[at], "FILTERS"))
        self.say(_Said(self.items[at + 2], "kernel_size"))
        return at + 3

    def say(self, said: _Said) -> None:
        many = len(_extents(said.item)) > 1
        said.role, self.role = self.role, ""
        said.named = self.named
        last = self.last
        if said.role == "to" and self.source is not None and self.source.role == "":
            alike = many == (len(_extents(self.source.item)) > 1)
            if alike or _BARE.get(self.name, _NOTHING_BARE)[0] is None:
                self.source.role = "from"
        elif said.noun == said.role == "" and many and last and last.noun in _FILTERS:
            said.noun = "FILTER"  # 64 filters, each 5x5
        self.source = None
        self.said.append(said)
        self.last = said

    # --- place it ---

    def put(self, key: str, value: object, column: int) -> None:
        """A key's value; said twice it must be the same."""
        if isinstance(value, float) and key not in _FRACTIONS and self.style == "words":
            refuse("not_whole", self.text, column, key=key, value=value)
        place = self.places.setdefault(key, column)
        held = self.keys.setdefault(key, value)
        if held != value or isinstance(held, bool) != isinstance(value, bool):
            refuse("said_twice", self.text, max(place, column), key=key)

    def put_shape(self, side: str, said: _Said) -> None:
        column = said.item.start
        found = shape(_extents(said.item), self.text, column)
        place = self.places.setdefault(side, column)
        if self.shapes.setdefault(side, found) != found:
            refuse("said_twice", self.text, max(place, column), key=side)

    def put_count(self, key: str, said: _Said) -> None:
        value = said.item.more
        if isinstance(value, tuple):
            shown = self.written(said.item)
            refuse("one_number", self.text, said.item.start, key=key, shown=shown)
        self.put(key, value, said.item.start)

    def place(self, said: _Said) -> None:
        """A size where its noun and its role put it; a bare one waits."""
        placer = _PLACE.get(said.noun)
        if placer is not None:
            placer(self, said)
        elif said.noun in ("in_channels", "out_channels"):
            if said.noun == "in_channels" or said.role in ("from", "on"):  # from 128 units
                self.put_side("input", said, "in_channels")
            else:
                self.put_side("output", said, "out_channels")
        elif said.noun in _SCALARS:
            self.put_count(said.noun, said)
        else:
            self.put_window(said.noun, said)

    def put_window(self, key: str, said: _Said) -> None:
        """A window's extents; 3x3x64 is neither cubic nor said to be 3-D."""
        extents = _extents(said.item)
        flat = len(extents) == 3 and len(set(extents)) > 1 and self.keys.get("axes") != 3
        if key == "kernel_size" and flat and self.name in _CHANGES_CHANNELS:
            shown = self.written(said.item)
            refuse("window_depth", self.text, said.item.start, shown=shown)
        self.put(key, _window(said.item), said.item.start)

    def put_side(self, side: str, said: _Said, key: str) -> None:
        """Several extents are a shape, one number is a number of channels."""
        if len(_extents(said.item)) > 1:
            if side == "output" and self.name.startswith("adaptive"):
                self.put("output_size", _window(said.item), said.item.start)
            else:
                self.put_shape(side, said)
        else:
            self.put_count(key, said)

    def place_plain(self, said: _Said) -> None:
        many = len(_extents(said.item)) > 1
        if said.role == "" and said.item.tag == "prefix" and self.style == "words":
            said.role = "on" if many or self.name in _CHANGES_CHANNELS else ""
        short = _SHORT_KEY.fullmatch(self.written(said.item))
        if short and said.role == "" and _BARE.get(self.name, _NOTHING_BARE)[0] == "kernel_size":
            self.put(_SHORT[short[1]], int(short[2]), said.item.start)
        elif said.role in ("from", "on"):
            self.put_side("input", said, "in_channels")
        elif said.role == "to":
            adaptive = self.name.startswith("adaptive")
            self.put_side("output", said, "output_size" if adaptive else "out_channels")
        else:
            self.bare.append(said)

    def place_filter(self, said: _Said) -> None:
        extents = _extents(said.item)
        if len(extents) > 1 or (said.noun == "FILTER" and said.noun_first):
            if len(extents) == 3 and self.keys.get("axes") != 3:  # 11x11x3: the depth is last
                self.put("kernel_size", extents[:2], said.item.start)
                self.put("in_channels", extents[2], said.item.start)
            else:
                self.put("kernel_size", _window(said.item), said.item.start)
        elif said.role in ("from", "on"):
            self.put_count("in_channels", said)
        else:
            self.put_count("out_channels", said)

    def place_maps(self, said: _Said) -> None:
        if said.role in ("on", "from"):
            self.put_side("input", said, "in_channels")
        elif len(_extents(said.item)) > 1:
            self.put_shape("input", said)
        else:
            self.put_count("out_channels", said)

    def place_channels(self, said: _Said) -> None:
        if said.role == "to":
            self.put_side("output", said, "out_channels")
        elif said.role or self.name not in _CHANGES_CHANNELS:
            self.put_side("input", said, "in_channels")
        elif "in_channels" in self.keys and "out_channels" not in self.keys:
            self.put_count("out_channels", said)
        elif "out_channels" in self.keys and "in_channels" not in self.keys:
            self.put_count("in_channels", said)
        else:
            refuse("channels_which", self.text, said.item.start, shown=self.written(said.item))

    def place_input(self, said: _Said) -> None:
        if said.role == "to":
            self.place_output(said)
        elif len(_extents(said.item)) == 1 and self.name in _CHANGES_CHANNELS:
            self.put_count("in_channels", said)
        else:
            self.put_shape("input", said)

    def place_output(self, said: _Said) -> None:
        if self.name.startswith("adaptive"):
            self.put("output_size", said.item.more, said.item.start)
        elif len(_extents(said.item)) == 1 and self.name in _CHANGES_CHANNELS:
            self.put_count("out_channels", said)
        else:
            self.put_shape("output", said)

    # --- sizes without a noun ---

    def place_bare(self) -> None:
        sized, counted = _BARE.get(self.name, _NOTHING_BARE)
        numbers: list[_Said] = []
        for said in self.bare:
            if len(_extents(said.item)) == 1:
                numbers.append(said)
        for said in self.in_order(sized):
            if sized and not self.is_input(said, sized):
                self.put_window(sized, said)
            else:
                self.put_shape("input", said)
        numbers = [said for said in numbers if not self.is_copies(said)]
        left = [key for key in counted if key not in self.keys]
        if len(numbers) > len(left):
            shown = self.written(numbers[len(left)].item)
            refuse("number_unplaced", self.text, numbers[len(left)].item.start, shown=shown)
        if len(numbers) == 1 and len(left) == 2:
            shown = self.written(numbers[0].item)
            refuse("number_ambiguous", self.text, numbers[0].item.start, shown=shown)
        for said, key in zip(numbers, left, strict=False):
            self.put_count(key, said)

    def in_order(self, sized: str | None) -> list[_Said]:
        """Bare sizes with several extents, the window before the input."""
        found = [said for said in self.bare if len(_extents(said.item)) > 1]
        if sized == "kernel_size" and self.keys.get("axes") != 3:
            found.sort(key=lambda said: len(_extents(said.item)) > 2)
        return found

    def is_input(self, said: _Said, sized: str) -> bool:
        """Whether a bare size is the input: not beside the layer's name, as its window is."""
        beside = min(
            abs(said.item.end - self.head.start), abs(said.item.start - self.head.end)
        ) < 2  # fmt: skip
        if len(_extents(said.item)) > 2 and self.keys.get("axes") != 3:
            return sized in self.keys or not beside
        return sized in self.keys and not beside

    def is_copies(self, said: _Said) -> bool:
        """Whether a number in front of a plural counts layers: two 3x3 convolutions."""
        if said.named or self.head.kind != "phrase":
            return False
        value = said.item.more
        if said.item.tag == "spelled" and isinstance(value, int) and value <= MAX_COPIES:
            self.copies = value
            return True
        if self.head.tag == "plural" and self.name in _BARE:
            shown = self.written(said.item)
            refuse("number_ambiguous_layers", self.text, said.item.start, shown=shown)
        return False

    # --- what follows from the rest ---

    def usual(self) -> None:
        for word in self.adjectives:
            key, letter = _ADJECTIVES[word]
            self.keys.setdefault(key, Sym(letter))
        if self.open & self.keys.keys():
            key = min(self.open & self.keys.keys())
            refuse("said_twice", self.text, self.places[key], key=key)
        if self.name in ("pad", "crop") and not (self.keys.keys() - {"axes"} or self.shapes):
            noun = self.written(self.head)
            refuse("noun_needs_value", self.text, self.head.start, noun=noun)
        if self.style == "words" and self.name in _HAS_AXES and "axes" not in self.keys:
            axes = self.axes()
            if axes:
                self.keys["axes"] = axes

    def axes(self) -> int | None:
        """The number of axes that a window or a shape shows."""
        for key in ("kernel_size", "padding", "scale_factor", "output_size", "stride"):
            value = self.keys.get(key)
            if isinstance(value, tuple) and 2 <= len(value) <= 3:
                return len(value)
        for found in self.shapes.values():
            if len(found) in (3, 4):
                return len(found) - 1
        return None


_PLACE = {
    "": _Reader.place_plain,
    "FILTER": _Reader.place_filter,
    "FILTERS": _Reader.place_filter,
    "MAPS": _Reader.place_maps,
    "CHANNELS": _Reader.place_channels,
    "INPUT": _Reader.place_input,
    "OUTPUT": _Reader.place_output,
}


def _extents(item: _Item) -> tuple[object, ...]:
    extents: tuple[object, ...] = item.value
    return extents


def _window(item: _Item) -> object:
    """A size as a window: 3*3 is meant as 3x3."""
    extents = _extents(item)
    return extents if len(extents) > 1 else item.more


def read_layers(text: str, ids: Collection[str] = ()) -> tuple[LayerText, ...]:
    """The layers somebody wrote down, one or more.

    ``ids`` are names that the caller knows besides the phrases.

    >>> conv = read_layers("3x3 conv from 128 to 256 channels, no bias")[0]
    >>> conv.name, dict(conv.keys)["in_channels"], dict(conv.keys)["bias"]
    ('conv', 128, False)
    >>> [layer.name for layer in read_layers("conv 5x5 6, relu, maxpool 2, flatten, dense 10")]
    ['conv', 'activation', 'max_pool', 'flatten', 'linear']
    >>> read_layers("nn.Conv2d(3, 12, 3, groups=3)")[0].keys
    {'groups': 3}

    Raises:
        UnreadableError: the text cannot be read; the place is said.
        UnknownName: a word is not known; the nearest one is suggested.
    """
    items = _Items(Tokens(text), ids).all()
    if not items:
        refuse("layer_expected", text, 0)
    return tuple(
        layer for group in _Grouping(text, items).all() for layer in _Reader(text, group).layers()
    )


_ENDS = frozenset((",", ";", ":", "?", "dot", "end"))


def read_quantity(text: str) -> str | None:
    """The quantity a question asks for, or None where the text does not ask.

    >>> read_quantity("how many parameters does a 3x3 convolution have?")
    'params'
    >>> read_quantity("64 filters 5x5 on 256x256x3, stride 1: output shape?")
    'shape'
    """
    tokens = Tokens(text)
    items: list[_Item] = []
    for kind, raw in zip(tokens.kinds, tokens.texts, strict=True):
        lower = raw.lower()
        kind = "cut" if kind in _ENDS else kind
        items.append(_Item(kind, _SPELLING.get(lower, lower), 0, 0))
    for at, item in enumerate(items):
        found = _find(items, at, _ASKED_ROWS)
        if found is not None and items[found[1][-1] + 1].kind == "cut":
            return ASKED[found[0]]
        if item.value in ("parameters", "params"):
            return "params"
    return None
