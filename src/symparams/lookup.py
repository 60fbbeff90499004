"""From what somebody wrote - a name, a call, words - to layers with their values bound.

The one place that knows both how layers are written and which layers there are.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeGuard

from . import catalog
from .algebra import number
from .axes import SITES
from .chain import Chain, Request, chain
from .declaration import Build, Layer
from .errors import Error, UnknownName, UnreadableError
from .reading.layers import PHRASES, LayerText, read_layers, read_quantity
from .terms import Num, Term, letters, substitute, term

if TYPE_CHECKING:
    from .frameworks import Spelling

QUANTITIES = ("params", "shape", "macs", "flops", "activations")
DIMENSIONAL = ("conv", "depthwise_conv", "conv_transpose", "locally_connected", "max_pool",
               "avg_pool", "global_max_pool", "global_avg_pool", "adaptive_max_pool",
               "adaptive_avg_pool", "pad", "crop", "upsample", "batch_norm", "conv_lstm",
               "instance_norm")  # fmt: skip
WITHOUT_SIZES = ("dropout", "activation", "identity")  # a rate changes no size
RANKED = ("flatten", "flatten_dense", "global_pool_dense", "activation", "dropout", "identity",
          "group_norm", "prelu", "local_response_norm", "unit_norm")  # fmt: skip
ON_LAST = ("layer_norm", "rms_norm")  # all axes before the last are sites


@dataclass(frozen=True)
class Found:
    """A layer under some name: its id and, for a framework's name, that framework's spelling."""

    id: str
    spelling: Spelling | None = None


def find(name: str) -> Found:
    """A layer by its id, its id in CamelCase, a phrase, or a framework's class name.

    Raises:
        UnknownName: no layer has this name; the nearest one is suggested.

    >>> find("conv2d").id, find("torch.nn.Linear").id
    ('conv2d', 'linear')
    """
    if name in catalog.ids():
        return Found(name)
    folded = _fold(name)
    if name.islower() and folded in _names():
        return Found(_names()[folded])
    from . import frameworks  # only where a name may be a framework's

    spellings = frameworks.find(name)
    if spellings:
        first = spellings[0]
        return Found(first.layer.format(n=first.rank or 2), first)
    if folded in _names():
        return Found(_names()[folded])
    if folded in _every_name():
        return Found(_every_name()[folded])
    raise UnknownName("unknown_layer", name=name, near=_nearest(folded))


def _nearest(folded: str) -> str | None:
    """The layer whose name is nearest, if one is near."""
    from . import frameworks

    names = dict(_every_name())
    for spelling in frameworks.spellings():
        names.setdefault(_fold(spelling.name), spelling.layer.format(n=spelling.rank or 2))
    for short, long in (("conv", "convolution"), ("pool", "pooling"), ("norm", "normalization")):
        for name, identity in list(names.items()):
            if short in name and long not in name:
                names.setdefault(name.replace(short, long), identity)
    near = difflib.get_close_matches(folded[:60], list(names), 1, 0.6)
    return names[near[0]] if near else None


@functools.cache
def _every_name() -> Mapping[str, str]:
    """What else the declarations say that layers are called: it takes all of them."""
    names = dict(_names())
    for identity in catalog.ids():
        for name in catalog.layer(identity).also:
            names.setdefault(_fold(name), identity)
    return names


def _fold(name: str) -> str:
    plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    for long, short in (("convolutional", "conv"), ("convolution", "conv"), ("pooling", "pool")):
        plain = plain.replace(long, short)
    return plain


@functools.cache
def _names() -> Mapping[str, str]:
    """Every usual name, folded: ids, phrases (two-dimensional unless said), class names."""
    names = {_fold(identity): identity for identity in catalog.ids()}
    for phrase, spelled in PHRASES.items():
        identity = spelled + "2d" if spelled in DIMENSIONAL else spelled
        if identity in catalog.ids():
            names.setdefault(_fold(phrase), identity)
    return names


# --- texts ----------------------------------------------------------------------------------


def read(
    text: str,
    more: Mapping[str, object] | None = None,
    where: Mapping[str, object] | None = None,
    convention: str = "",
    **force: object,
) -> Chain:
    """A layer or sequence as somebody wrote it, with further values for all of it.

    ``where`` puts numbers in for letters, also for those inside what is given; a ``convention``
    goes before the one that the text is spelled in.

    Raises:
        UnreadableError, UnknownName, ValueRefused: with the place in the text where known.
    """
    (requests,), shared = put_in([requests_in(text)], more or {}, where or {})
    return chain(requests, {**shared, **force}, convention)


def asked(text: str) -> str:
    """The quantity that a text asks for, parameters where it does not say.

    Raises:
        UnreadableError: it asks for one that is not derived here.
    """
    found = read_quantity(text) or "params"
    if found not in QUANTITIES:
        raise UnreadableError("not_derived", quantity=found.replace("_", " "))
    return found


def requests_in(text: str) -> list[Request]:
    """The layers that a text asks for."""
    return [one for written in read_layers(text, catalog.ids()) for one in requests_of(written)]


def put_in(
    sides: Sequence[list[Request]], more: Mapping[str, object], where: Mapping[str, object]
) -> tuple[list[list[Request]], dict[str, object]]:
    """Numbers for letters, in all that is given; a name that is no such letter is a key."""
    if not where:
        return list(sides), dict(more)
    numbers = {name: term(value) for name, value in where.items() if isinstance(value, int | Term)}
    met: set[str] = set()

    def put(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(put(one) for one in value)
        if not isinstance(value, Term) or not letters(value) & set(numbers):
            return value
        met.update(letters(value))
        found = substitute(value, numbers)
        worked = None if letters(found) else number(found)
        return int(worked) if worked is not None and worked == int(worked) else found

    filled = [
        [replace(one, given={k: put(v) for k, v in one.given.items()}) for one in side]
        for side in sides
    ]
    shared = {key: put(value) for key, value in more.items()}
    keys = {k: v for k, v in where.items() if k not in met or _open(k, filled, shared)}
    return filled, {**shared, **keys}


def _open(name: str, sides: Sequence[list[Request]], more: Mapping[str, object]) -> bool:
    """Whether a letter is also a key that was left open."""
    for request in (one for side in sides for one in side):
        layer = request.build(**request.fixed)
        key = layer.key(name)
        taken = {k.symbol for g in (*request.given, *more) if (k := layer.key(g)) is not None}
        if key is not None and key.symbol not in taken:
            return True
    return False


def requests_of(written: LayerText) -> list[Request]:
    """What one written layer asks for."""
    try:
        if written.style == "call":
            return [_called(written)]
        if written.style == "keys":
            return [_keyed(written)]
        return _worded(written)
    except Error as error:
        if error.text is None and written.text:
            start = written.span[0]
            raise error.at(written.text, start) if error.id == "unknown_layer" else error from None
        raise


def _called(written: LayerText) -> Request:
    found = find(written.name)
    kwargs = dict(written.keys)
    if found.spelling is None:
        given, fixed = _shaped(catalog.builder(found.id), written, kwargs)
        if written.args:
            raise UnknownName("no_positions", layer=found.id)
        return Request(catalog.builder(found.id), given, fixed)
    from . import frameworks

    args = tuple(_nested(value) for value in written.args)
    call = frameworks.read(written.name, args, {k: _nested(v) for k, v in kwargs.items()})
    build = catalog.builder(call.layer_id)
    given, fixed = _shaped(build, written, dict(call.given), dict(call.fixed))
    return Request(build, given, fixed, call.spelling.convention)


def _nested(value: object) -> object:
    """A call inside a call, or a list of them, as a framework's configuration has it."""
    if isinstance(value, LayerText):
        config = {key: _nested(one) for key, one in value.keys.items()}
        args = tuple(_nested(one) for one in value.args)
        return {"class_name": value.name.rpartition(".")[2], "args": args, "config": config}
    return [_nested(one) for one in value] if _holds_calls(value) else value


def _holds_calls(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple) and any(isinstance(one, LayerText) for one in value)


def _keyed(written: LayerText) -> Request:
    found = find(written.name)
    build = catalog.builder(found.id)
    layer, keys = build(), dict(written.keys)
    if found.spelling is not None and not all(layer.key(name) for name in keys):
        from . import frameworks

        call = frameworks.read(written.name, (), keys)
        return Request(catalog.builder(call.layer_id), dict(call.given), dict(call.fixed),
                       call.spelling.convention)  # fmt: skip
    given, fixed = _shaped(build, written, keys)
    return Request(build, given, fixed)


def _worded(written: LayerText) -> list[Request]:
    keys = dict(written.keys)
    name = written.name
    if name == "separable_conv":
        return _separable(written, keys)
    axes = keys.pop("axes", None)
    n = axes if isinstance(axes, int) else _axes_of(written, keys, name)
    identity = f"{name}{n}d" if name in DIMENSIONAL else name
    if name in WITHOUT_SIZES:
        keys = {key: value for key, value in keys.items() if key != "rate"}
    if identity not in catalog.ids():
        raise UnknownName("unknown_layer", name=name, near=None)
    build = catalog.builder(identity)
    fixed: dict[str, object] = {}
    if name in RANKED:
        shape = written.input or ()
        fixed["rank"] = min(max(len(shape) - 1, 0), 3) if shape else 2
        if name in ("flatten_dense", "global_pool_dense"):
            fixed["rank"] = max(int(str(fixed["rank"])), 1)
    given, fixed = _shaped(build, written, keys, fixed)
    return [Request(build, given, fixed)]


def _separable(written: LayerText, keys: dict[str, object]) -> list[Request]:
    """A depthwise convolution, then a pointwise one: 1x1, with the filters and the bias."""
    axes = keys.pop("axes", None)
    n = axes if isinstance(axes, int) else _axes_of(written, keys, "conv")
    names = ("out_channels", "filters", "units")
    point: dict[str, object] = {name: keys.pop(name) for name in names if name in keys}
    if "bias" in keys:
        point["bias"] = keys["bias"]
    output = written.output
    depth = catalog.builder(f"depthwise_conv{n}d")
    given, fixed = _shaped(depth, LayerText(written.name, "words", input=written.input), keys)
    if output is not None:
        given.update(_extents(depth(**fixed), output[:-1], out=True))
        point["C_out"] = output[-1]
    return [
        Request(depth, given, fixed),
        Request(catalog.builder(f"conv{n}d"), {**point, "kernel_size": 1}, {}),
    ]


def _axes_of(written: LayerText, keys: Mapping[str, object], name: str) -> int:
    """How many axes: as many as the kernel has, as the shapes have, else two."""
    for key in ("kernel_size", "stride", "padding", "output_size", "scale_factor"):
        value = keys.get(key)
        if isinstance(value, tuple) and 1 < len(value) <= 3:
            return len(value)
    for shape in (written.input, written.output):
        if shape and 2 <= len(shape) <= 4 and not (name.startswith("global") and len(shape) == 1):
            return len(shape) - 1
    return 2


Shape = tuple[Term, ...]


def _shaped(
    build: Build,
    written: LayerText,
    keys: dict[str, object],
    fixed: dict[str, object] | None = None,
) -> tuple[dict[str, object], dict[str, object]]:
    """The shapes of a text as values of the layer's axes: positions first, channels last."""
    fixed = dict(fixed or {})
    layer = build(**fixed)
    given = dict(keys)
    if written.input is not None:
        if (layer.id == "linear" and len(written.input) > 1) or layer.id in ON_LAST:
            fixed["lead"] = len(written.input) - 1
            layer = build(**fixed)
        given.update(_read_shape(layer, written.input, given, out=False))
    if written.output is not None:
        given.update(_read_shape(layer, written.output, given, out=True))
    return given, fixed


def _read_shape(
    layer: Layer, shape: Shape, given: Mapping[str, object], out: bool
) -> dict[str, object]:
    box = layer.outputs if out else layer.inputs
    sites = [a for a in box if a.role in SITES]
    shape = _channels_last(shape)
    taken = {k.symbol for g in given if (k := layer.key(g)) is not None}
    channel = "C_out" if out else _input_channel(layer)
    if len(shape) == len(sites) and sites:
        return _extents(layer, shape, out)
    if len(shape) != len(sites) + 1:
        raise Error("shape_axes", layer=layer.id, have=len(shape), want=len(sites) + 1)
    values = _extents(layer, shape[:-1], out)
    key = layer.key(channel)
    if key is not None and key.symbol not in taken:
        values[channel] = shape[-1]
    return values


def _channels_last(shape: Shape) -> Shape:
    """A shape with its channels at the end; 3x224x224 can only mean channels first."""
    sizes = [size.value if isinstance(size, Num) else 0 for size in shape]
    first = len(sizes) > 2 and 0 < sizes[0] <= 4 and min(sizes[1:]) > 8 * sizes[0]
    return (*shape[1:], shape[0]) if first and sizes[1] == sizes[-1] else shape


def _input_channel(layer: Layer) -> str:
    return next((a.name for a in layer.inputs if a.role not in SITES), "C_in")


def _extents(layer: Layer, sizes: Sequence[Term], out: bool) -> dict[str, object]:
    box = layer.outputs if out else layer.inputs
    sites = [a.name for a in box if a.role in SITES]
    if len(sizes) != len(sites):
        raise Error("shape_axes", layer=layer.id, have=len(sizes) + 1, want=len(sites) + 1)
    return {name: size for name, size in zip(sites, sizes, strict=True) if layer.key(name)}
