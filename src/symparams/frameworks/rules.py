"""How a framework's argument becomes what a layer takes, where it is not just another name.

A signature names a rule after ``@``; each is a few lines here.  Sources: the class
documentation of PyTorch 2.13, Keras 3.15 and flax.linen 0.12; ``jax.lax.conv_transpose``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from ..algebra import number
from ..errors import ValueRefused
from ..terms import Floor, Num, S, Term, term, total

SPACE = {0: (), 1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


@dataclass(frozen=True)
class Inner:
    """A layer inside another: the part it is (the layer itself where it has none), what the
    names of its tensors begin with, once for each copy, and its ``spelling.Call``."""

    part: str
    names: tuple[str, ...]
    call: Any


@dataclass
class Reading:
    """One call while it is being read.

    ``values`` holds every argument by name, the framework's defaults included; ``order`` says
    whether channels come ``first`` or ``last``, ``sites`` are leading axes beside ``rank``
    positions.  ``shape`` is that of one input without the ``batch``, ``others`` those of further
    inputs, ``fronts`` their batches.  The rules fill in the rest;
    ``layer`` is another id than the row's.  Axes ``ahead``
    come before the channels in any order; ``nest`` reads a layer inside this one, whose calls
    are kept in ``inner``.
    """

    name: str
    order: str
    rank: int
    sites: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    given: dict[str, object] = field(default_factory=dict)
    fixed: dict[str, object] = field(default_factory=dict)
    layout: dict[str, str] = field(default_factory=dict)
    out: str = ""
    frozen: bool = False
    batch: Term | None = None
    shape: Sequence[object] | None = None
    others: tuple[Sequence[object], ...] = ()
    fronts: tuple[Term | None, ...] = ()
    named: tuple[str, ...] | None = None
    layer: str = ""
    ahead: tuple[str, ...] = ()
    nest: Callable[[str, object, Term | None, Sequence[object] | None], Any] | None = None
    inner: list[Inner] = field(default_factory=list)

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of one input, in the framework's order; ``named`` are a layer's own."""
        if self.named is not None:
            return self.named
        space = (*self.sites, *SPACE[self.rank])
        axes = ("C", *space) if self.order == "first" else (*space, "C")
        return (*self.ahead, *axes)

    def index(self, name: str, dim: object) -> int:
        """A dimension counted from either end, batch included, as a place from 0."""
        count = len(self.axes) + 1
        if isinstance(dim, bool) or not isinstance(dim, int) or not -count <= dim < count:
            raise ValueRefused("no_such_dim", layer=self.name, key=name, value=shown(dim),
                               count=count, last=count - 1)  # fmt: skip
        return dim % count

    def per_axis(self, name: str, usual: int = 1) -> list[Term]:
        """A size for each position axis; where none was given, the usual one."""
        value = self.values.get(name)
        if value is None:
            return [Num(usual)] * self.rank
        if not is_list(value):
            value = [value]
        spread = list(value) * (self.rank if len(value) == 1 else 1)
        if len(spread) != self.rank:
            raise ValueRefused("wrong_axes", key=name, given=len(spread), wanted=self.rank,
                               layer=self.name)  # fmt: skip
        return [self.size(name, part) for part in spread]

    def size(self, name: str, value: object) -> Term:
        """One size, whole or with letters."""
        if isinstance(value, Term):
            return value
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueRefused("not_a_size", key=name, value=shown(value))
        return term(value)


Rule = Callable[[Reading, str, str, object], None]


def shown(value: object) -> str:
    """A value as a refusal quotes it: never longer than a line."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 200:
        return "..."
    if is_list(value):
        inside = ", ".join(shown(part) for part in value[:8]) + (", ..." if len(value) > 8 else "")
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    text = getattr(value, "name", None) or (value if isinstance(value, str) else repr(value))
    return str(text) if len(str(text)) <= 60 else str(text)[:57] + "..."


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is a sequence with a part for each axis."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def effective(reading: Reading, kernel: str, dilation: str) -> list[Term]:
    """The effective kernel size of each axis, d(k - 1) + 1; a kernel left out stays k."""
    if reading.values.get(kernel) is None:
        return [S("k_eff" + mark) for mark in marks(reading.rank)]
    sizes = zip(reading.per_axis(kernel), reading.per_axis(dilation), strict=True)
    return [_whole(d * (k - 1) + 1) for k, d in sizes]


def marks(rank: int) -> tuple[str, ...]:
    """How each axis marks its letters: k_h, k_w; a single axis needs no mark."""
    space = SPACE[rank]
    return ("",) if len(space) == 1 else tuple("_" + axis.lower() for axis in space)


def _whole(size: Term) -> Term:
    found = number(size)
    return size if found is None else term(int(found))


# --- the rules --------------------------------------------------------------------------------


def _data_format(reading: Reading, name: str, key: str, value: object) -> None:
    orders = {"channels_first": "first", "channels_last": "last"}
    if not isinstance(value, str) or value not in orders:
        raise ValueRefused("not_accepted", layer=reading.name, key=name, value=shown(value),
                           wanted=" or ".join(sorted(orders)))  # fmt: skip
    reading.order = orders[value]


def _frozen(reading: Reading, name: str, key: str, value: object) -> None:
    reading.frozen = not value


def _only_one(reading: Reading, name: str, key: str, value: object) -> None:
    parts = value if is_list(value) else [value]
    if any(part != 1 for part in parts):
        raise ValueRefused("only_one", layer=reading.name, key=name, value=shown(value))


def _lora(reading: Reading, name: str, key: str, value: object) -> None:
    reading.fixed["lora"] = True
    reading.given[key] = value


def _ceil_mode(reading: Reading, name: str, key: str, value: object) -> None:
    if value:
        reading.fixed["padding"] = "ceil"


def _indices(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: where each maximum stood, a second output of the same shape."""
    if value:
        reading.out = "[*, *]"


def _flat_pads(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch's pads: last axis first, (left, right, top, bottom, front, back)."""
    if is_list(value):
        flat = list(value)
        if len(flat) != 2 * reading.rank:
            raise ValueRefused("pad_count", layer=reading.name, key=name, given=len(flat),
                               wanted=2 * reading.rank, rank=reading.rank)  # fmt: skip
        value = [flat[i : i + 2] for i in range(len(flat) - 2, -1, -2)]
    reading.given[key] = value


def _pair(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras' one-axis pads: a number, or (left, right)."""
    reading.given[key] = [value] if is_list(value) else value


def _lax_pads(reading: Reading, name: str, key: str, value: object) -> None:
    """Flax: a name, a number, or a number or pair for each axis; periodic and mirrored
    borders keep the size as SAME does."""
    if isinstance(value, str):
        word = value.lower()
        reading.given[key] = "same" if word in ("circular", "reflect") else word
    elif is_list(value) and any(is_list(part) for part in value):
        reading.given[key] = [part if is_list(part) else (part, part) for part in value]
    else:
        reading.given[key] = value


def _lax_transposed(reading: Reading, name: str, key: str, value: object) -> None:
    """Flax' transposed convolution: pads are those of the dilated input, so that
    k_eff - 1 - P takes the place of P (``jax.lax.conv_transpose``)."""
    if isinstance(value, str):
        _spread(reading, name, key, "same" if value.lower() == "circular" else value)
        return
    parts = list(value) if is_list(value) else [value] * reading.rank
    if len(parts) != reading.rank:
        raise ValueRefused("wrong_axes", key=name, given=len(parts), wanted=reading.rank,
                           layer=reading.name)  # fmt: skip
    kernels = effective(reading, "kernel_size", "kernel_dilation")
    reading.given["P"] = [_whole(k - 1) for k in kernels]
    reading.given["op"] = [_whole(_both(reading, name, part)) for part in parts]


def _both(reading: Reading, name: str, part: object) -> Term:
    """What is added along an axis, left and right together."""
    pair = part if is_list(part) else (part, part)
    if len(pair) != 2:
        raise ValueRefused("not_a_size", key=name, value=shown(part))
    return total(*(reading.size(name, side) for side in pair))


def _spread(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras' and Flax' transposed padding by name.

    "valid" keeps the gaps between windows where the stride exceeds the kernel.  With Keras'
    output_padding the size is PyTorch's, and "same" pads by half the kernel.
    """
    dilation = "dilation_rate" if "dilation_rate" in reading.values else "kernel_dilation"
    kernels = effective(reading, "kernel_size", dilation)
    extra = reading.values.get("output_padding")
    if extra is not None and str(value).lower() in ("same", "valid"):
        half = [_whole(Floor(k / 2)) for k in kernels]
        reading.given[key] = half if str(value).lower() == "same" else 0
        reading.given["op"] = extra
        return
    strides = zip(reading.per_axis("strides"), kernels, strict=True)
    if str(value).lower() == "valid" and not all(_within(s, k) for s, k in strides):
        reading.fixed["padding"] = "gaps"
        return
    reading.given[key] = value


def _within(stride: Term, kernel: Term) -> bool:
    s, k = number(stride), number(kernel)
    return s == 1 or (s is not None and k is not None and s <= k)


def _output_size(reading: Reading, name: str, key: str, value: object) -> None:
    """Adaptive pooling: None keeps the input's size."""
    names = SPACE[reading.rank]
    if is_list(value) and len(value) == len(names):
        value = [S(n) if part is None else part for part, n in zip(value, names, strict=True)]
    reading.given[key] = value


def _instead_of(reading: Reading, name: str, other: str) -> None:
    if reading.values.get(other) is not None:
        raise ValueRefused("either", layer=reading.name, key=name, other=other)


def _ratio(reading: Reading, name: str, key: str, value: object) -> None:
    _instead_of(reading, name, "output_size")
    reading.fixed["by"] = "ratio"
    reading.given[key] = value


def _to_size(reading: Reading, name: str, key: str, value: object) -> None:
    _instead_of(reading, name, "scale_factor")
    reading.fixed["to"] = "size"
    reading.given[key] = value


def _keepdims(reading: Reading, name: str, key: str, value: object) -> None:
    if value:
        ones = ("1",) * reading.rank
        axes = ("C", *ones) if reading.order == "first" else (*ones, "C")
        reading.out = " ".join(("N", *axes))


def _halve(reading: Reading, name: str, key: str, value: object) -> None:
    """A gated linear unit halves one axis."""
    at = reading.index(name, value)
    if at == 0:
        raise ValueRefused("batch_dim", layer=reading.name, key=name, value=shown(value))
    reading.fixed["halved"] = halved = reading.axes[at - 1]
    axes = (axis + "_out" if axis == halved else axis for axis in reading.axes)
    reading.out = " ".join(("N", *axes))


def _merge(reading: Reading, name: str, key: str, value: object) -> None:
    """Flatten from start_dim to end_dim; from 0 on the batch is merged in as well."""
    first = reading.index(name, value)
    last = reading.index("end_dim", reading.values["end_dim"])
    if last < first:
        raise ValueRefused("dims_crossed", layer=reading.name, first=first, last=last)
    if (first, last) == (1, len(reading.axes)):  # all but the batch, as usual
        return
    start, stop = max(first - 1, 0), max(last, 1)
    axes = tuple("C_in" if axis == "C" else axis for axis in reading.axes)
    head = ("(N C_out)",) if first == 0 and last else ("N", *axes[:start], "C_out")
    reading.fixed |= {"start": start, "stop": stop}
    reading.out = " ".join((*head, *axes[stop:]))


def _transpose_kernel(reading: Reading, name: str, key: str, value: object) -> None:
    if value:
        reading.layout["weight"] = "k C_out C_in"


# --- normalisations and embeddings --------------------------------------------------------------


def _axis(reading: Reading, name: str, key: str, value: object) -> None:
    """The axis of the channels: the last, or the first after the batch."""
    if is_list(value) and len(value) == 1:
        value = value[0]
    at, last = reading.index(name, value), len(reading.axes)
    if at not in (1, last):
        raise ValueRefused("not_accepted", layer=reading.name, key=name, value=shown(value),
                           wanted="1 or -1")  # fmt: skip
    reading.order = "last" if at == last else "first"


def _over(reading: Reading, name: str, key: str, value: object) -> None:
    """The axes that are normalised over and have parameters of their own, by their places."""
    parts = list(value) if is_list(value) else [value]
    if reading.shape is None:
        _last_axes(reading, len(parts))
        return
    places = sorted({reading.index(name, part) - 1 for part in parts})
    if places and places[0] < 0:
        raise ValueRefused("batch_dim", layer=reading.name, key=name, value=shown(value))
    _normalised(reading, tuple(reading.axes[place] for place in places))


def _normalized_shape(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: the sizes of the last axes, which have parameters of their own."""
    sizes = list(value) if is_list(value) else [value]
    _last_axes(reading, len(sizes))
    axes = reading.axes[-len(sizes) :]
    reading.given |= {"C_in" if a == "C" else a: s for a, s in zip(axes, sizes, strict=True)}


def _last_axes(reading: Reading, count: int) -> None:
    if reading.shape is None and count > 1:
        reading.sites = leading(count - 1)
        reading.fixed["lead"] = count - 1
    _normalised(reading, reading.axes[max(len(reading.axes) - count, 0) :])


def _normalised(reading: Reading, over: tuple[str, ...]) -> None:
    """Names the axes as the layer does; all of an image's axes are its channels and positions."""
    if over == reading.axes and len(over) in (3, 4) and reading.name.startswith("LayerNorm"):
        _whole_image(reading, "first" if "normalized_shape" in reading.values else "last")
    elif over != ("C",):
        reading.fixed["over"] = " ".join("d" if axis == "C" else axis for axis in over)
    axes = reading.axes if reading.layer else over
    pattern = " ".join("d" if a == "C" and not reading.layer else a for a in axes)
    reading.layout |= {"scale": pattern, "shift": pattern}


def _whole_image(reading: Reading, order: str) -> None:
    reading.layer, reading.order = "layer_norm_chw", order
    reading.rank, reading.sites = len(reading.sites), ()
    reading.fixed = {"rank": reading.rank}


def leading(count: int) -> tuple[str, ...]:
    """The names of leading axes."""
    return ("T",) if count == 1 else tuple(f"T_{i + 1}" for i in range(count))


def _affine(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: no scale and no shift, or a scale and, unless ``bias`` says no, a shift."""
    bias = reading.values.get("bias")
    reading.given |= {"a": value, "b": value if not value or bias is None else bias}


def _tracked(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: running statistics, and a count of the batches seen, or none of them."""
    reading.given |= {"tracked": value, "counter": value}


def _renorm(reading: Reading, name: str, key: str, value: object) -> None:
    if value:
        reading.fixed["renorm"] = True


def _norm_groups(reading: Reading, name: str, key: str, value: object) -> None:
    """-1 groups are as many as channels; they count nothing."""
    if value != -1:
        reading.given[key] = value


def _group_size(reading: Reading, name: str, key: str, value: object) -> None:
    """Flax: how many channels a group has, instead of how many groups there are."""
    _instead_of(reading, name, "num_groups")


def _slopes(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: one slope for all, or one for each channel."""
    if value == 1:
        reading.fixed["over"] = ""
        reading.layout["slope"] = "1"
    else:
        reading.given["C_in"] = value


def _one_slope(reading: Reading, name: str, key: str, value: object) -> None:
    reading.fixed["over"] = ""


def _shared_axes(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras: a slope for every value of the input, but for the axes shared over."""
    shared = reading.values.get("shared_axes")
    parts = [] if shared is None else list(shared) if is_list(shared) else [shared]
    for part in parts:
        reading.index("shared_axes", part)
    # Keras takes one off before it counts from the end: -1 is the last axis but one.
    places = {(part - 1) % len(reading.axes) for part in parts if isinstance(part, int)}
    kept = [axis for place, axis in enumerate(reading.axes) if place not in places]
    reading.fixed["over"] = " ".join(kept)
    reading.layout["slope"] = " ".join(a if a in kept else "1" for a in reading.axes)


def _tokens(reading: Reading, name: str, key: str, value: object) -> None:
    """Indices of any shape: each is a site."""
    reading.given[key], reading.order = value, "last"
    if reading.shape is not None:
        reading.named = leading(len(reading.shape))
        reading.fixed["lead"] = len(reading.shape)


def _bag(reading: Reading, name: str, key: str, value: object) -> None:
    """Indices of several bags, one row each."""
    reading.given[key] = value
    reading.named = ("T",)


def _frozen_if(reading: Reading, name: str, key: str, value: object) -> None:
    reading.frozen = bool(value)


def _tied(reading: Reading, name: str, key: str, value: object) -> None:
    reading.fixed["tied"] = bool(value)


RULES: Mapping[str, Rule] = {
    "data_format": _data_format,
    "frozen": _frozen,
    "only_one": _only_one,
    "lora": _lora,
    "ceil_mode": _ceil_mode,
    "indices": _indices,
    "flat_pads": _flat_pads,
    "pair": _pair,
    "lax_pads": _lax_pads,
    "lax_transposed": _lax_transposed,
    "spread": _spread,
    "output_size": _output_size,
    "ratio": _ratio,
    "to_size": _to_size,
    "keepdims": _keepdims,
    "halve": _halve,
    "merge": _merge,
    "transpose_kernel": _transpose_kernel,
    "axis": _axis,
    "over": _over,
    "normalized_shape": _normalized_shape,
    "affine": _affine,
    "tracked": _tracked,
    "renorm": _renorm,
    "norm_groups": _norm_groups,
    "slopes": _slopes,
    "group_size": _group_size,
    "one_slope": _one_slope,
    "shared_axes": _shared_axes,
    "tokens": _tokens,
    "bag": _bag,
    "tied": _tied,
    "frozen_if": _frozen_if,
}
