"""The Python door: layers as callables, derivations that show themselves.

>>> from symparams import Conv2d
>>> conv = Conv2d(in_channels=128, out_channels=256, kernel_size=3)
>>> conv.params  # (3*3*128 + b) * 256, with the bias switch b left open
256*b + 294912
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, cast

from . import bridge, catalog, lookup
from .algebra import Value, number
from .binding import bind, find_key, rebind
from .chain import Chain, Part, Request, chain
from .declaration import Bound, Build
from .declaration import Layer as Declared
from .derivation.page import Page
from .derivation.plan import shape
from .errors import UnknownName, ValueRefused
from .render import to_format
from .render.writer import CodeWriter
from .terms import Num, Term, letters, total

if TYPE_CHECKING:
    from .derivation.compare import Comparison as _Comparison
    from .derivation.conventions import Conventions as _Conventions
    from .derivation.simplified import Simplified as _Simplified
    from .derivation.steps import Derivation as _Derivation
    from .derivation.steps import Step
    from .derivation.why import Why as _Why

# What only some answers need is imported where it is used: a command line answer must cost
# less than importing SymPy does.

Quantity = Literal["params", "shape", "macs", "flops", "activations"]
Level = Literal["line", "exam", "lecture"]
_CODE = CodeWriter()
QUANTITIES = ("params", "shape", "macs", "flops", "activations")


class Shown:
    """What has a page: every format of it, and how a notebook shows it."""

    page: Page

    def text(self, width: int = 80) -> str:
        """Text of a given width, with Unicode mathematics."""
        return to_format(self.page, "text", width=width)

    def latex(self, standalone: bool = False) -> str:
        """LaTeX: a fragment, or a whole document."""
        return to_format(self.page, "latex", standalone=standalone)

    def markdown(self) -> str:
        """Markdown with LaTeX mathematics."""
        return to_format(self.page, "markdown")

    def mathml(self) -> str:
        """The lines of mathematics as MathML."""
        return to_format(self.page, "mathml")

    def html(self, standalone: bool = False) -> str:
        """HTML: a fragment, or a whole page."""
        return to_format(self.page, "html", standalone=standalone)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {
            "text/plain": self.text(),
            "text/html": self.html(),
            "text/markdown": self.markdown(),
        }


class Derivation(Shown):
    """A verified derivation.

    >>> from symparams import Linear
    >>> d = Linear(128, 256, bias=True).derive("line")
    >>> d.value  # (128 + 1) * 256
    33024
    """

    def __init__(self, data: _Derivation) -> None:
        self.data = data
        self.page = data.page

    @property
    def value(self) -> Value | None:
        """The number, or None while letters remain."""
        return self.data.value

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, each with its rule, kind, both sides and evidence."""
        return self.data.steps

    def verify(self) -> None:
        """Replay and verify every step again.

        Raises:
            VerificationError: a step does not hold.
        """
        self.data.verify()

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--format json`` prints."""
        from .render import json as as_json

        return as_json.derivation(self.data)

    def __repr__(self) -> str:
        return f"<Derivation of {self.data.quantity} of {self.data.layer}: {self.data.value}>"


class Why(Shown):
    """Why an axis drops out of a count, or where it stays."""

    def __init__(self, data: _Why) -> None:
        self.data = data
        self.page = data.page

    @property
    def drops_out(self) -> bool:
        """Whether the count does not depend on the axis."""
        return self.data.drops_out

    @property
    def removed_by(self) -> tuple[str, ...]:
        """The ids of the rules that removed it, in order."""
        return self.data.removed_by

    @property
    def stays_in(self) -> tuple[str, ...]:
        """The tensors whose size depends on it."""
        return self.data.stays_in

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--format json`` prints."""
        from .render import json as as_json

        return as_json.why(self.data)

    def __repr__(self) -> str:
        return f"<Why {self.data.axis}: {'drops out' if self.drops_out else 'stays'}>"


class Comparison(Shown):
    """Two sides and the ratio of their counts."""

    def __init__(self, data: _Comparison) -> None:
        self.data = data
        self.page = data.page

    @property
    def ratio(self) -> Any:
        """Left over right, a SymPy expression."""
        return bridge.to_sympy(self.data.ratio)

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--format json`` prints."""
        from .render import json as as_json

        return as_json.comparison(self.data)

    def __repr__(self) -> str:
        return f"<Comparison: {_CODE.term(self.data.ratio)}>"


class Conventions(Shown):
    """A count under every convention, with what each difference comes from."""

    def __init__(self, data: _Conventions) -> None:
        self.data = data
        self.page = data.page

    def __getitem__(self, name: str) -> Any:
        """The count under a convention, a SymPy expression; with bias where it was left open."""
        return bridge.to_sympy(next(row.count for row in self.data.rows if row.convention == name))

    def difference(self, name: str) -> Any:
        """How much a convention counts more than the first one, a SymPy expression."""
        rows = self.data.rows
        return bridge.to_sympy(next(row.difference for row in rows if row.convention == name))

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--format json`` prints."""
        from .render import json as as_json

        return as_json.conventions(self.data)

    def __repr__(self) -> str:
        counts = (f"{row.convention} {_CODE.term(row.count)}" for row in self.data.rows)
        return f"<Conventions: {', '.join(counts)}>"


class Simplified(Shown):
    """An expression simplified in named steps."""

    def __init__(self, data: _Simplified) -> None:
        self.data = data
        self.page = data.page

    @property
    def result(self) -> Any:
        """What it comes to, a SymPy expression."""
        return bridge.to_sympy(self.data.after)

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--format json`` prints."""
        from .render import json as as_json

        return as_json.simplified(self.data)

    def __repr__(self) -> str:
        return f"<Simplified: {_CODE.term(self.data.after)}>"


# --- layers -----------------------------------------------------------------------------------


def _ready(value: object) -> object:
    """A value as the binding takes it: SymPy objects and texts become Terms."""
    if isinstance(value, str):
        from .reading.values import read_value

        return read_value(value)
    if isinstance(value, list | tuple):
        return tuple(_ready(part) for part in value)
    if value is None or isinstance(value, bool | int | float | Fraction | Term | Mapping):
        return value
    return bridge.from_sympy(value)


class Model:
    """Layers with what is known of them: one, or several in a row."""

    def __init__(
        self, chain: Chain, convention: str = "", call: Any = None, asked: str = "params"
    ) -> None:
        self.chain = chain
        self.convention = convention or chain.convention or "textbook"
        self.asked = asked
        self._call = call

    def spec(self) -> str:
        """The layers as a text that reads back to the same: names and what was given.

        >>> from symparams import Conv2d
        >>> Conv2d(in_channels=3, out_channels=8, kernel_size=(3, 5), padding="same").spec()
        'conv2d in_channels=3 out_channels=8 kernel_size=3x5 padding=same'
        """
        layers = []
        for part, request in zip(self.chain.parts, self.chain.requests, strict=True):
            known = dict(part.bound.layer.options)
            given = {**{k: v for k, v in request.fixed.items() if k in known}, **request.given}
            shared = {k: v for k, v in self.chain.shared.items() if k not in given}
            given |= {k: v for k, v in shared.items() if part.bound.layer.key(k) is not None}
            layers.append(
                " ".join([part.bound.layer.id, *(f"{k}={_spelled(v)}" for k, v in given.items())])
            )
        return ", ".join(layers)

    # --- quantities ---

    @property
    def params(self) -> Any:
        """The trainable parameters, a SymPy expression over what is open."""
        return bridge.to_sympy(self.chain.params)

    @property
    def non_trainable(self) -> Any:
        """What is stored and not trained."""
        bounds = [part.bound for part in self.chain.parts]
        return bridge.to_sympy(total(*(b.put(b.count(trainable=False)) for b in bounds)))

    @property
    def buffers(self) -> Any:
        """What is kept beside and not counted, as PyTorch's buffers: running statistics."""
        return bridge.to_sympy(total(*(part.bound.buffers for part in self.chain.parts)))

    @property
    def active(self) -> Any:
        """The trainable parameters one input meets: of experts, those a token is sent to.

        >>> from symparams import MixtureOfExperts
        >>> moe = MixtureOfExperts(E=8, F=4, X=6, k=2, b=0)
        >>> moe.params, moe.active  # 6 or 2 experts of 3*8*4, and 8*6 for the router
        (624, 240)
        """
        return bridge.to_sympy(total(*(part.bound.active for part in self.chain.parts)))

    @property
    def macs(self) -> Any:
        """Multiply-accumulates for one input."""
        return bridge.to_sympy(self._opened(self.chain.macs))

    @property
    def activations(self) -> Any:
        """Output values for one input."""
        return bridge.to_sympy(self._opened(self.chain.activations))

    def _opened(self, size: Term) -> Term:
        return self.chain.parts[0].bound.expand(size) if len(self.chain.parts) == 1 else size

    @property
    def formula(self) -> Any:
        """The count over every letter, nothing put in."""
        formulas = [part.bound.formula() for part in self.chain.parts]
        return bridge.to_sympy(total(*formulas))

    @property
    def output_shape(self) -> tuple[Any, ...]:
        """The output shape: as the framework orders it, else positions first, channels last."""
        last = self.chain.parts[-1].bound
        if self._call is not None:
            from . import frameworks

            return tuple(_plain(size) for size in frameworks.output_shape(self._call, last))
        return tuple(_plain(size) for size in shape(last, last.outputs).sizes)

    @property
    def tensors(self) -> dict[str, tuple[Any, ...]]:
        """Every tensor's shape, as the framework lays it out."""
        if self._call is not None:
            from . import frameworks

            found = frameworks.tensors(self._call, self.chain.parts[0].bound)
            return {name: tuple(_plain(size) for size in sizes) for name, sizes in found.items()}
        out = {}
        for part in self.chain.parts:
            front = f"{part.name}." if len(self.chain.parts) > 1 else ""
            for tensor in part.bound.tensors:
                if tensor.end.stored:
                    sizes = part.bound.box(tensor.end.boxes[0])
                    out[front + tensor.name] = tuple(_plain(size) for size in sizes)
        return out

    # --- letters ---

    @property
    def symbols(self) -> SimpleNamespace:
        """The letters that are open, as SymPy symbols: ``conv.symbols.C_in``."""
        names: set[str] = set()
        for part in self.chain.parts:
            names |= letters(part.bound.params) | letters(part.bound.put(part.bound.macs))
            names |= letters(part.bound.formula())
        return SimpleNamespace(**{n: bridge.symbol(n) for n in sorted(names) if n.isidentifier()})

    def subs(self, **values: object) -> Model:
        """The same layers with letters put in, by any of a name's forms.

        Raises:
            UnknownName: no layer has such a name.
            ValueRefused: a value is no size, or does not fit the others.
        """
        parts = []
        used: set[str] = set()
        for part in self.chain.parts:
            layer = part.bound.layer
            mine = {name: _term(held) for name, held in values.items() if layer.key(name)}
            used |= set(mine)
            parts.append(Part(part.name, rebind(part.bound, mine)))
        for name in values:
            if name not in used:
                find_key(self.chain.parts[0].bound.layer, name)
        return Model(Chain(tuple(parts)), self.convention, self._call)

    # --- derivations ---

    def derive(
        self, level: Level = "exam", quantity: Quantity = "params", form: Any = None
    ) -> Derivation:
        """A verified derivation at a level (``line``, ``exam``, ``lecture``).

        Raises:
            VerificationError: a step does not hold.
            ValueError: there is no such level or quantity.
        """
        from .derivation import count, parts

        if level not in ("line", "exam", "lecture") or quantity not in QUANTITIES:
            raise ValueError(f"no derivation of {quantity!r} at level {level!r}")
        if len(self.chain.parts) > 1:
            return Derivation(parts.derive(self.chain, quantity, level, self.convention))
        bound = self.chain.parts[0].bound
        if form is not None and quantity == "params" and not bound.parts:
            return Derivation(count.derive(bound, level, self.convention, form))
        return Derivation(parts.of_bound(bound, quantity, level, self.convention))

    def conventions(self, base: str = "textbook") -> Conventions:
        """The count under every convention, and how each differs from the first.

        Raises:
            ValueError: there is no such convention.

        >>> from symparams import layer
        >>> layer("lstm")(input_size=10, hidden_size=20).conventions().difference("pytorch")
        80
        """
        from .derivation import conventions

        _known(base)
        requests, shared = self.chain.requests, self.chain.shared
        if requests:
            return Conventions(conventions.compare(lambda n: chain(requests, shared, n), base))
        parts = self.chain.parts

        def again(name: str) -> Chain:
            return Chain(tuple(Part(p.name, conventions.under(p.bound, name)) for p in parts))

        return Conventions(conventions.compare(again, base))

    def why(self, name: str) -> Why:
        """What removed an axis or symbol from the count, or where it stays.

        Raises:
            UnknownName: no layer has it.
        """
        from .derivation.why import why, why_in_sequence

        if len(self.chain.parts) == 1:
            return Why(why(self.chain.parts[0].bound, name))
        return Why(why_in_sequence(self.chain, name))

    def verify_against(self, module: Any) -> Agreement:
        """Compare with a layer that was built: a ``torch.nn.Module`` or a Keras layer.

        Its parameters are counted, and its tensors' shapes compared whatever the order of
        their axes.  Nothing is imported: whatever has ``named_parameters`` or ``weights`` will do.

        Raises:
            ValueError: letters are left, or the object has neither.
        """
        return agreement(self, module)

    def __repr__(self) -> str:
        names = ", ".join(part.bound.layer.id for part in self.chain.parts)
        return f"<{names}: {_CODE.term(self.chain.params)} parameters>"

    def _repr_html_(self) -> str:
        return self.derive().html()


def _known(convention: str) -> str:
    from .derivation.conventions import NAMES

    if convention and convention not in NAMES:
        raise ValueError(f"no convention {convention!r}; there are {', '.join(NAMES)}")
    return convention


def _term(value: object) -> Term:
    ready = _ready(value)
    if isinstance(ready, bool):
        return Num(int(ready))
    if isinstance(ready, int):
        return Num(ready)
    if isinstance(ready, Term):
        return ready
    raise UnknownName("not_a_value", value=str(value))


def _spelled(value: object) -> str:
    """A value as a text gives it."""
    if isinstance(value, list | tuple):
        flat = all(isinstance(part, int | Num) for part in value)
        inside = [_spelled(part) for part in value]
        return "x".join(inside) if flat and len(inside) > 1 else "[" + ",".join(inside) + "]"
    return _CODE.term(value) if isinstance(value, Term) else str(value)


def _plain(size: object) -> Any:
    if isinstance(size, int):
        return size
    if isinstance(size, tuple):  # several outputs: (output, (state, cell))
        return tuple(_plain(one) for one in size)
    assert isinstance(size, Term)
    found = number(size)
    return int(found) if found is not None else bridge.to_sympy(size)


@dataclass(frozen=True)
class Agreement:
    """Whether a layer that was built holds what the declaration says.

    ``counted`` is ours and ``found`` theirs, each (trained, not trained); ``missing`` are shapes
    that only we have, ``extra`` those that only they have.  It is true where all agree.
    """

    counted: tuple[int, int]
    found: tuple[int, int]
    missing: tuple[tuple[int, ...], ...] = ()
    extra: tuple[tuple[int, ...], ...] = ()

    def __bool__(self) -> bool:
        return self.counted == self.found and not self.missing and not self.extra


def agreement(model: Model, module: Any) -> Agreement:
    """A model's declared tensors against those of a layer that was built."""
    ours: Counter[tuple[int, ...]] = Counter()
    for part in model.chain.parts:
        ours += _shapes_of(part.bound)
    theirs, found = _tensors_of(module)
    counted = (model.params, model.non_trainable)
    if not all(getattr(count, "is_Integer", False) for count in counted):
        raise ValueError(f"letters are left in {model!r}: give numbers to compare")
    missing, extra = (ours - theirs).elements(), (theirs - ours).elements()
    ready = (int(counted[0]), int(counted[1]))
    return Agreement(ready, found, tuple(missing), tuple(extra))


def _shapes_of(bound: Bound) -> Counter[tuple[int, ...]]:
    """The shapes of all tensors, each in ascending order and without ones."""
    held: Counter[tuple[int, ...]] = Counter()
    for tensor in bound.tensors:
        if tensor.end.stored and tensor.kind != "buffer":
            for box in tensor.end.boxes:
                sizes = [number(size) for size in bound.box(box)]
                held[_sorted_sizes(int(size) for size in sizes if size is not None)] += 1
    for piece in bound.parts:
        many = 0 if piece.tied else number(piece.copies) or 1
        for shape_, times in _shapes_of(piece.bound).items():
            held[shape_] += times * int(many)
    return held


def _sorted_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(size for size in sizes if size != 1))


def _tensors_of(module: Any) -> tuple[Counter[tuple[int, ...]], tuple[int, int]]:
    """The shapes of a built layer's parameters, and how many are trained and not trained."""
    if hasattr(module, "named_parameters"):
        held = [(tuple(p.shape), bool(p.requires_grad)) for _, p in module.named_parameters()]
    elif hasattr(module, "weights"):
        trained = {id(w) for w in module.trainable_weights}
        held = [(tuple(w.shape), id(w) in trained) for w in module.weights]
    else:
        raise ValueError(f"{type(module).__name__} has neither named_parameters nor weights")
    counts = [sum(math.prod(s) for s, on in held if on is wanted) for wanted in (True, False)]
    return Counter(_sorted_sizes(map(int, s)) for s, _ in held), (counts[0], counts[1])


class LayerType:
    """A layer type: call it with its symbols, or with the framework's own keywords."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found = lookup.find(name)
        self._build: Build = catalog.builder(self.found.id)

    @classmethod
    def of(cls, declared: Declared | Build) -> LayerType:
        """The type of a layer that is not in the catalogue: as declared, or what declares it."""
        made = cls.__new__(cls)
        build: Build = declared if not isinstance(declared, Declared) else lambda: declared
        made.name = build().id
        made.found, made._build = lookup.Found(made.name), build
        return made

    @property
    def id(self) -> str:
        """The layer's id in the catalogue."""
        return self.found.id

    @functools.cached_property
    def declared(self) -> Declared:
        """The declaration: axes, tensors and rules."""
        return self._build()

    @property
    def formula(self) -> Any:
        """The count over every letter of the layer, a SymPy expression.

        >>> from symparams import Conv2d
        >>> Conv2d.formula
        C_in*C_out*k_h*k_w/g + C_out*b
        """
        return bridge.to_sympy(Bound(self.declared).formula())

    @property
    def symbols(self) -> SimpleNamespace:
        """The layer's letters as SymPy symbols."""
        names = {n for key in self.declared.keys for n in (key.symbol, *key.letters)}
        return SimpleNamespace(**{n: bridge.symbol(n) for n in sorted(names)})

    def __call__(
        self,
        *args: object,
        batch_input_shape: Any = None,
        input_shape: Any = None,
        convention: str = "",
        **values: object,
    ) -> Model:
        """A layer with values bound, under a convention (as it is spelled, or the textbook's).

        Raises:
            UnknownName: there is no such keyword.
            ValueRefused: a value does not fit.
            ValueError: there is no such convention.
        """
        _known(convention)
        spelling = self.found.spelling
        shaped = input_shape is not None or batch_input_shape is not None
        own = spelling is not None and ("." in self.name or shaped)
        # A framework's settings (an equation, a mode) are words, not values to be read.
        words = spelling.settings if spelling is not None and own else frozenset()
        ready = {n: value if n in words else _ready(value) for n, value in values.items()}
        places = (*spelling.names, *[""] * len(args)) if spelling is not None else [""] * len(args)
        positional = tuple(
            v if n in words else _ready(v) for n, v in zip(places, args, strict=False)
        )
        if spelling is not None and positional and not own:
            names = spelling.names[: len(positional)]
            if len(names) == len(positional) and not set(names) & set(ready):
                ready, positional = {**dict(zip(names, positional, strict=True)), **ready}, ()
        if spelling is not None and (own or positional or not self._plain_keys(ready)):
            call = spelling.read(positional, ready, batch_input_shape, input_shape)
            return self._called(call, convention or spelling.convention)
        if positional:
            raise UnknownName("no_positions", layer=self.id)
        bound = bind(self._build, ready, None, convention or "textbook")
        request = Request(self._build, ready, {})
        return Model(Chain((Part(self.id, bound),), (request,)), convention)

    def _called(self, call: Any, convention: str) -> Model:
        """A layer from a framework's own call."""
        build = catalog.builder(call.layer_id)
        request = Request(build, call.given, call.fixed, call.spelling.convention)
        bound = call.bind(build, convention)
        return Model(Chain((Part(call.layer_id, bound),), (request,)), convention, call)

    def _plain_keys(self, values: Mapping[str, object]) -> bool:
        return all(self.declared.key(name) is not None for name in values)

    def derive(self, level: Level = "exam", quantity: Quantity = "params") -> Derivation:
        """The derivation in letters."""
        return self().derive(level, quantity)

    def why(self, name: str) -> Why:
        """Why an axis drops out, in letters."""
        return self().why(name)

    def __repr__(self) -> str:
        return f"<layer {self.id}>"


def layer_type(declared: Declared | Build) -> LayerType:
    """The type of a layer of your own, from its declaration; see ``symparams.declare``."""
    return LayerType.of(declared)


@functools.cache
def layer(name: str) -> LayerType:
    """A layer type by its id or any usual name.

    A framework's qualified name (``torch.nn.Conv2d``, ``keras.layers.Dense``) also selects
    its spelling and defaults.

    Raises:
        UnknownName: there is no such layer.

    >>> layer("keras.layers.Dense")(units=10, use_bias=True, batch_input_shape=[4, 31]).params
    320
    """
    return LayerType(name)


def read(text: str, *, convention: str = "", **values: object) -> Model:
    """A layer, or several in a row, from text as a question puts it; under a convention, or the
    one it is spelled in.

    Raises:
        UnreadableError, UnknownName, ValueRefused: with the place in the text.

    >>> read("3x3 convolution, 100x100x128 -> 100x100x256", bias=True).params
    295168
    """
    ready = {name: _ready(value) for name, value in values.items()}
    chain = lookup.read(text, ready, convention=_known(convention))
    return Model(chain, convention, asked=lookup.asked(text))


def derive(
    text: str,
    level: Level = "exam",
    quantity: Quantity | None = None,
    *,
    convention: str = "",
    **values: object,
) -> Derivation:
    """The derivation for a layer given as text; of what the text asks for unless it is said."""
    model = read(text, convention=convention, **values)
    return model.derive(level, quantity or cast(Quantity, model.asked))


def why(text: str, name: str, **values: object) -> Why:
    """Why an axis of a layer given as text drops out, or where it stays."""
    return read(text, convention="", **values).why(name)


def compare(
    left: str,
    right: str,
    quantity: str = "params",
    bias: bool = False,
    where: Mapping[str, object] | None = None,
    **values: object,
) -> Comparison:
    """The ratio of two sides, biases left out unless asked for.

    Raises:
        UnreadableError, UnknownName, ValueRefused: with the place in the text.

    >>> compare("conv2d kernel_size=3, conv2d kernel_size=3", "conv2d kernel_size=5",
    ...         C_in="C", C_out="C").ratio  # (9*C*C + 9*C*C) / (25*C*C)
    18/25
    """
    from .derivation import compare as comparing

    shared = {name: _ready(value) for name, value in values.items()}
    asked = [lookup.requests_in(text) for text in (left, right)]
    filled, shared = lookup.put_in(asked, shared, where or {})
    first, second = (chain(side, {**shared, "b": bias}, optional=True) for side in filled)
    for name in shared:
        if not first.has(name) and not second.has(name):
            raise ValueRefused("no_layer_has", key=name)
    return Comparison(comparing.compare(first, second, quantity, bias))


def simplify(expression: object, form: Any = "factored") -> Simplified:
    """Simplify an expression (text, Term or SymPy) in named, verified steps.

    Raises:
        UnreadableError: the text is no expression.

    >>> simplify("k*k*C_in*C_out + C_out").result
    C_out*(C_in*k**2 + 1)
    """
    from .derivation.simplified import simplified
    from .reading.expressions import read as read_expression

    ready = read_expression(expression) if isinstance(expression, str) else _ready(expression)
    if isinstance(ready, int):
        ready = Num(ready)
    if not isinstance(ready, Term):
        raise UnknownName("not_a_value", value=str(expression))
    return Simplified(simplified(ready, form))


def names() -> Iterator[str]:
    """The names under which layers can be imported."""
    for identity in catalog.ids():
        yield camel(identity)


def camel(identity: str) -> str:
    """An id in CamelCase: ``conv_transpose2d`` is ``ConvTranspose2d``.

    >>> camel("conv2d"), camel("conv_transpose2d"), camel("flatten_dense")
    ('Conv2d', 'ConvTranspose2d', 'FlattenDense')
    """
    return "".join(piece[:1].upper() + piece[1:] for piece in identity.split("_"))


def letter(name: str) -> Any:
    """A letter as a SymPy symbol (positive whole number; the bias switch may be 0)."""
    return bridge.symbol(name)
