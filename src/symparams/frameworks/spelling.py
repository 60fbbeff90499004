"""The engine behind the tables: a class name's signature, read into what a layer takes.

A signature is a line of words ``name[!|~][:key][@rule][=default]`` in positional order: ``key``
is the layer's symbol, ``rule`` one of ``rules.RULES``, and a bare name changes no size and is
accepted without effect; what has a ``!`` must be given, what has a ``~`` only counts as derived
here with its default, and anything else is refused.  After ``*`` come arguments that are only
given by name.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..binding import bind, size
from ..declaration import Bound, Build, Key, Layer
from ..errors import DeclarationError, UnknownName, ValueRefused
from ..terms import Num, S, Sym, Term
from . import attending, recurrence, reshaping, rules
from .rules import SPACE, Inner, Reading, is_list, marks, shown

RULES = {**rules.RULES, **recurrence.RULES, **attending.RULES, **reshaping.RULES}
Shape = Sequence[object]
SHAPE = Key("N", "batch_input_shape")
MOST_AXES = 16


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: its id (also its convention's), its name, its import prefixes, where its
    channels stand, whether a bare number is a window of one axis, and its rows by name."""

    id: str
    title: str
    prefixes: tuple[str, ...]
    order: str
    one_axis: bool = False
    classes: dict[str, Spelling] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a constructor."""

    name: str
    key: str = ""
    rule: str = ""
    default: object = None
    by_place: bool = True
    must: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as the framework stores it: the layer's name for it (or several that are one
    there), the framework's, and its axes in order; see ``layout``."""

    tensor: str
    name: str
    pattern: str


@dataclass(frozen=True)
class Spelling:
    """How a framework spells a layer.

    ``layer`` is the layer's id, with ``{n}`` where the number of positions decides, which is
    ``rank`` if the name fixes it.  ``takes`` says what an input has besides batch and
    channels: ``grid`` positions, any number of ``lead`` axes, ``flat`` or ``any`` (of both),
    or ``norm`` (positions, or none);
    of a layer with its ``own`` axes a rule names them, or they follow (``own T i``); ``steps``
    are a grid at every time step.  ``out`` is the output's pattern where it is not the usual one.
    ``loose`` accepts whatever arguments are given.
    """

    framework: Framework
    name: str
    layer: str
    signature: tuple[Parameter, ...] = ()
    tensors: tuple[Stored, ...] = ()
    takes: str = "grid"
    rank: int | None = None
    loose: bool = False
    out: str = ""

    @property
    def qualified(self) -> str:
        """The name with the framework's import prefix."""
        return f"{self.framework.prefixes[0]}.{self.name}"

    @property
    def convention(self) -> str:
        """The id of the framework's convention."""
        return self.framework.id

    def id_for(self, rank: int | None) -> str:
        """The layer's id for a number of positions; two where nothing fixes it."""
        return self.layer.format(n=self.rank or rank or 2)

    @property
    def own(self) -> tuple[str, ...]:
        """The axes of a layer that has its own."""
        return tuple(self.takes.split()[1:])

    @property
    def names(self) -> tuple[str, ...]:
        """The arguments' names, in order."""
        return tuple(parameter.name for parameter in self.signature)

    @property
    def settings(self) -> frozenset[str]:
        """The arguments that are settings in the framework's words, not sizes."""
        return frozenset(parameter.name for parameter in self.signature if not parameter.key)

    def read(
        self,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
        batch_input_shape: Shape | None = None,
        input_shape: Shape | None = None,
    ) -> Call:
        """One call: what it gives the layer, as the framework means it.

        Raises:
            UnknownName: an argument the class does not have.
            ValueRefused: too many arguments, or one that cannot be used.

        >>> from symparams.frameworks import find
        >>> (conv,) = find("keras.layers.Conv2D")
        >>> call = conv.read([64, 3], {"padding": "same"}, input_shape=(32, 32, 3))
        >>> call.layer_id, call.given["C_out"], call.given["P"], call.given["C_in"]
        ('conv2d', 64, 'same', 3)
        """
        named = dict(kwargs or {})
        shapes = {"batch_input_shape": batch_input_shape, "input_shape": input_shape}
        for key in shapes.keys() & named.keys() - set(self.names):
            shapes[key] = _one_shape(key, shapes[key], named.pop(key))
        first, others, fronts = _several(shapes)
        batch, shape = _shapes(**first)
        written = self._named(args, named)
        reading = self._fill(written, shape, batch, others, fronts)
        asked = dict(reading.given)
        self._take_shape(reading, reading.shape)
        return Call(self, (reading.layer or self.layer).format(n=reading.rank or 1),
                    reading.given, reading.fixed, reading.batch,
                    asked, tuple(written.items()), reading.order, reading.out or self.out,
                    reading.layout, reading.frozen, tuple(reading.inner))  # fmt: skip

    def fits(self, args: Sequence[object]) -> bool:
        """Whether positional arguments can stand where they do."""
        places = [p for p in self.signature if p.by_place]
        return self.loose or (
            len(args) <= len(places)
            and all(_plausible(p.name, a) for p, a in zip(places, args, strict=False))
        )

    def _fill(
        self, written: Mapping[str, object], shape: Shape | None, batch: Term | None,
        others: tuple[Shape, ...], fronts: tuple[Term | None, ...] = (),
    ) -> Reading:  # fmt: skip
        """What the arguments and the framework's defaults give."""
        values = {p.name: p.default for p in self.signature} | dict(written)
        reading = self._reading(values, shape)
        reading.shape, reading.batch, reading.others = shape, batch, others
        reading.fronts = fronts
        reading.nest = functools.partial(_nested, self)
        reading.given |= {name: held for name, held in written.items() if name not in self.names}
        for parameter in self.signature:
            _take(reading, parameter, values[parameter.name])
        return reading

    def _named(self, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Every argument under its name."""
        if self.loose:
            return {}
        places = [p.name for p in self.signature if p.by_place]
        if len(args) > len(places):
            raise ValueRefused("too_many_arguments", layer=self.name, given=len(args),
                               wanted=len(places), known=", ".join(places))  # fmt: skip
        for name, value in zip(places, args, strict=False):
            if not _plausible(name, value):
                raise ValueRefused("wrong_place", layer=self.name, key=name, value=shown(value))
        written = dict(zip(places, args, strict=False))
        for name, value in kwargs.items():
            if name in written:
                raise ValueRefused("argument_twice", layer=self.name, key=name)
            if name not in self.names and name not in letters_of() and name not in self.own:
                self._refuse(name)
            written[name] = value
        for one in self.signature:
            if one.settled and written.get(one.name, one.default) != one.default:
                raise ValueRefused("only_default", layer=self.name, key=one.name,
                                   value=shown(written[one.name]))  # fmt: skip
        return written

    def _refuse(self, name: str) -> None:
        near = difflib.get_close_matches(name, self.names, 1, 0.6)
        told = [p.name for p in self.signature if p.key or p.rule]
        raise UnknownName("no_argument", framework=self.framework.title, layer=self.name,
                          key=shown(name), near=near[0] if near else None,
                          known=", ".join(told))  # fmt: skip

    def _reading(self, values: Mapping[str, object], shape: Shape | None) -> Reading:
        order = self.framework.order if self.takes != "lead" else "last"
        axes = None if shape is None else max(len(shape) - 1, 0)
        if axes is not None and axes > MOST_AXES:
            raise ValueRefused("too_many_axes", layer=self.name, given=axes, most=MOST_AXES)
        sites: tuple[str, ...] = ()
        if self.takes == "lead":
            rank, sites = 0, _leading(axes or 0)
        elif self.takes.startswith("own") or self._without_positions(axes):
            rank = 0
        elif self.takes in ("any", "norm") and axes is not None and axes > max(SPACE):
            rank, sites = 0, _leading(axes)
        elif self.rank is not None:
            rank = self.rank
        else:
            rank = _rank(self, values, axes)
        if rank not in SPACE:
            raise ValueRefused("too_many_axes", layer=self.name, given=rank, most=max(SPACE))
        if self.takes == "grid":
            rank = max(rank, 1)
        reading = Reading(self.name, order, rank, sites, values)
        if self.takes.startswith("own "):
            reading.named = self.own
        reading.ahead = ("T",) if self.takes == "steps" else ()
        if self.takes in ("any", "lead", "norm") and (sites or axes is not None):
            reading.fixed["lead"] = len(sites)
        if self.takes in ("any", "flat", "norm"):
            reading.fixed["rank"] = rank
        if self.takes == "norm" and "{n}" in self.layer:  # the id says how many positions
            reading.fixed = {"flat": True} if not rank else {}
        return reading

    def _without_positions(self, axes: int | None) -> bool:
        """Whether a one-dimensional normalisation is given vectors."""
        return self.takes == "norm" and self.rank == 1 and axes == 0

    def _take_shape(self, reading: Reading, shape: Shape | None) -> None:
        """The sizes the input brings; a size that was also given must be the same."""
        if shape is None:
            return
        if len(shape) != len(reading.axes):
            raise ValueRefused("input_axes", layer=self.name, shape=shown(list(shape)),
                               given=len(shape), wanted=len(reading.axes),
                               axes=", ".join(reading.axes))  # fmt: skip
        for axis, found in zip(reading.axes, shape, strict=True):
            if found is None:
                continue
            name = "C_in" if axis == "C" else axis
            there = next((n for n in (name, axis) if n in reading.given), None)
            if there is None:
                reading.given[name] = found
            elif _differ(reading.given[there], found):
                raise ValueRefused("input_contradicts", layer=self.name, key=self._word(there),
                                   value=shown(reading.given[there]), found=shown(found),
                                   shape=shown(list(shape)))  # fmt: skip

    def _word(self, key: str) -> str:
        return next((p.name for p in self.signature if p.key == key), key)


@dataclass(frozen=True)
class Call:
    """A call that was read: the layer's id, what is given to it, its structural options, the
    batch (None where unknown), and how the framework lays out shapes and tensors.

    ``asked`` is what the arguments gave, without the input; ``written`` are the arguments.
    """

    spelling: Spelling
    layer_id: str
    given: Mapping[str, object]
    fixed: Mapping[str, object] = field(default_factory=dict)
    batch: Term | None = None
    asked: Mapping[str, object] = field(default_factory=dict)
    written: tuple[tuple[str, object], ...] = ()
    order: str = "first"
    out: str = ""
    layout: Mapping[str, str] = field(default_factory=dict)
    frozen: bool = False
    inner: tuple[Inner, ...] = ()

    def bind(self, build: Build, convention: str = "") -> Bound:
        """The layer, built by what the caller hands over, with the call's values bound; under the
        framework's convention unless another is asked for."""
        return bind(functools.partial(_frozen, build) if self.frozen else build, self.given,
                    self.fixed, convention or self.spelling.convention)  # fmt: skip

    @property
    def complete(self) -> bool:
        """Whether every argument is there that must be."""
        said = {name for name, _ in self.written}
        return all(p.name in said for p in self.spelling.signature if p.must)

    @property
    def meaning(self) -> tuple[object, ...]:
        """What must be equal for two readings of the arguments to be one."""
        return self.layer_id, dict(self.asked), dict(self.fixed), self.frozen

    def __str__(self) -> str:
        said = ", ".join(f"{name}={shown(value)}" for name, value in self.written)
        return f"{self.spelling.qualified}({said})"


# --- pieces of reading --------------------------------------------------------------------


def _nested(
    outer: Spelling, name: str, value: object, batch: Term | None, shape: Shape | None
) -> Call:  # fmt: skip
    """The call of a layer that is an argument of another: a call that was read, or its class
    name with its arguments as a framework's configuration has them."""
    held: Shape | None = None if shape is None else [batch, *shape]
    if isinstance(value, Call):
        return value.spelling.read((), dict(value.written), held)
    if isinstance(value, Mapping):
        found = outer.framework.classes.get(str(value.get("class_name")))
        if found is not None:
            return found.read(value.get("args", ()), value.get("config"), held)
    raise ValueRefused("not_a_layer", layer=outer.name, key=name, value=shown(value))


def _one_shape(key: str, given: Shape | None, found: object) -> Shape:
    if given is not None:
        raise ValueRefused("argument_twice", layer="", key=key)
    if not is_list(found):
        raise ValueRefused("not_a_shape", key=key, value=shown(found))
    return found


def _several(
    shapes: Mapping[str, Shape | None],
) -> tuple[dict[str, Shape | None], tuple[Shape, ...], tuple[Term | None, ...]]:
    """The first of several inputs, the shapes of the others without their batch, and these."""
    first: dict[str, Shape | None] = dict(shapes)
    others: list[Shape] = []
    fronts: list[Term | None] = []
    for key, held in shapes.items():
        if held and all(is_list(part) for part in held):
            one, *rest = (part for part in held if is_list(part))
            first[key] = one
            found = [_shapes(**{**dict.fromkeys(shapes), key: part}) for part in rest]
            others += [shape for _, shape in found if shape is not None]
            fronts += [batch for batch, shape in found if shape is not None]
    return first, tuple(others), tuple(fronts)


def _shapes(
    batch_input_shape: Shape | None, input_shape: Shape | None
) -> tuple[Term | None, Shape | None]:
    """The batch, where it is known, and the shape of one input."""
    if batch_input_shape is None:
        return None, None if input_shape is None else _sized(input_shape)
    if input_shape is not None:
        raise ValueRefused("two_shapes")
    if not batch_input_shape:
        raise ValueRefused("not_a_shape", key="batch_input_shape", value="()")
    first, *rest = batch_input_shape
    batch = None if first in (None, -1) else size(SHAPE, first)
    return batch, _sized(rest)


def _sized(shape: Shape) -> Shape:
    return [None if part is None else _number(size(SHAPE, part)) for part in shape]


def _number(held: Term) -> object:
    return held.value if isinstance(held, Num) else held


def _leading(count: int) -> tuple[str, ...]:
    return ("T",) if count == 1 else tuple(f"T_{i + 1}" for i in range(count))


def _rank(spelling: Spelling, values: Mapping[str, object], axes: int | None) -> int:
    """The number of positions: from the window's parts, else from the input, else two."""
    held = [values[p.name] for p in spelling.signature if p.key and values[p.name] is not None]
    if spelling.takes == "grid":
        for value in held:
            if is_list(value) and len(value) > 1:
                return len(value)
        if spelling.framework.one_axis and values.get("kernel_size") is not None:
            window = values["kernel_size"]
            if is_list(window) or isinstance(window, int):
                return 1
    return 2 if axes is None else axes


def _take(reading: Reading, parameter: Parameter, value: object) -> None:
    if value is None and (parameter.default is None or not parameter.rule):
        return
    if parameter.rule:
        RULES[parameter.rule](reading, parameter.name, parameter.key, value)
    elif parameter.key:
        if parameter.key in reading.given:
            raise ValueRefused("argument_twice", layer=reading.name, key=parameter.name)
        reading.given[parameter.key] = value


def _differ(left: object, right: object) -> bool:
    return isinstance(left, int) and isinstance(right, int) and left != right


def _frozen(build: Build, **options: object) -> Layer:
    return _all_frozen(build(**options))


def _all_frozen(layer: Layer) -> Layer:
    """A layer whose tensors are counted and not trained, those of its parts included."""
    parts = tuple(replace(piece, layer=_all_frozen(piece.layer)) for piece in layer.parts)
    tensors = tuple(tensor.frozen() for tensor in layer.tensors)
    return replace(layer, tensors=tensors, parts=parts)


@functools.cache
def letters_of() -> frozenset[str]:
    """The symbols that any call takes beside the framework's own arguments."""
    plain = {"C", "C_in", "C_out", "b", "g", "m", "r", "T", "N"}
    for rank, space in SPACE.items():
        plain |= {*space, *(axis + "_out" for axis in space)}
        plain |= {base + mark for base in ("k", "s", "P", "d", "op", "f") for mark in marks(rank)}
    return frozenset(plain - {"N"})


_FLAGS = frozenset(
    {"inplace", "return_indices", "ceil_mode", "count_include_pad", "keepdims", "bias", "use_bias",
     "affine", "elementwise_affine", "track_running_stats", "center", "scale", "use_scale",
     "transpose_kernel", "align_corners", "recompute_scale_factor"}
)  # fmt: skip
_NAMES = re.compile(
    r"activation|data_format|padding_mode|mode|interpolation|approximate|name|d?type"
    r"|param_dtype|precision|device|.*_(initializer|regularizer|constraint|init)"
)


def _plausible(name: str, value: object) -> bool:
    """Whether a value can stand at an argument's place: a flag is no size, a name no number."""
    if value is None or isinstance(value, Sym):
        return not isinstance(value, Sym) or name not in _FLAGS or value == S("b")
    if name in ("eps", "epsilon"):
        return isinstance(value, int | float) and value < 1
    if name in _FLAGS:
        return isinstance(value, bool) or value in (0, 1)
    if _NAMES.fullmatch(name):
        return not isinstance(value, int | float | Term) and not is_list(value)
    return True


# --- tables ---------------------------------------------------------------------------------

_WORD = re.compile(
    r"(?P<name>\w+)(?P<mark>[!~])?(?::(?P<key>\w+))?(?:@(?P<rule>\w+))?(?:=(?P<default>\S+))?"
)


def row(
    framework: Framework,
    name: str,
    layer: str,
    signature: str = "",
    tensors: Mapping[str, str] | None = None,
    *,
    takes: str = "grid",
    ranks: Sequence[int | None] = (None,),
    also: Sequence[str] = (),
    loose: bool = False,
    out: str = "",
) -> Iterator[Spelling]:
    """The spellings of one row: one for each number of axes, under each name.

    ``tensors`` maps the layer's tensor to ``name: axes``; ``{n}`` in a name or an id is the
    number of axes.

    >>> torch = Framework("pytorch", "PyTorch", ("torch.nn",), "first")
    >>> [s.name for s in row(torch, "Conv{n}d", "conv{n}d", "in_channels:C_in", ranks=(1, 2))]
    ['Conv1d', 'Conv2d']
    """
    stored = tuple(
        Stored(tensor, *(part.strip() for part in line.rsplit(":", 1)))
        for tensor, line in (tensors or {}).items()
    )
    words = tuple(_parameters(signature))
    for rank in ranks:
        for spelled in (name, *also):
            found = Spelling(framework, spelled.format(n=rank), layer, words, stored, takes, rank,
                             loose, out)  # fmt: skip
            framework.classes.setdefault(found.name, found)
            yield found


def _parameters(signature: str) -> Iterator[Parameter]:
    by_place = True
    for word in signature.split():
        if word == "*":
            by_place = False
            continue
        match = _WORD.fullmatch(word)
        if match is None or (match["rule"] and match["rule"] not in RULES):
            raise DeclarationError("bad_signature", word=word)
        yield Parameter(match["name"], match["key"] or "", match["rule"] or "",
                        _default(match["default"]), by_place, match["mark"] == "!",
                        match["mark"] == "~")  # fmt: skip


def _default(text: str | None) -> object:
    if text is None:
        return None
    return int(text) if re.fullmatch(r"-?\d+", text) else text
