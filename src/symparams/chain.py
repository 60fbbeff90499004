"""A plain sequence of layers: each takes what the one before it gives.

Derived sizes belong to their part: the output height of ``depthwise`` is
``depthwise.H_out`` until it is known, so no two parts speak of one letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .algebra import canonical, number
from .axes import SITES, Box
from .binding import Given, bind
from .declaration import Bound, Build, Layer
from .errors import ValueRefused
from .rewriting import expanded, tidy
from .terms import ONE, Ceil, Floor, S, Sym, Term, letters, product, total, walk


@dataclass(frozen=True)
class Part:
    """A layer of a sequence under its name."""

    name: str
    bound: Bound

    def scoped(self) -> dict[str, Term]:
        """What its derived sizes are that stand under its name because they are not known."""
        out = {}
        for define in self.bound.layer.defines:
            letter = f"{self.name}.{define.symbol}"
            if self.bound.values.get(define.symbol) == S(letter):
                values = {k: v for k, v in self.bound.values.items() if k != define.symbol}
                out[letter] = Bound(self.bound.layer, values).expand(define.term)
        return out


@dataclass(frozen=True)
class Request:
    """One layer asked for: its builder, what is given, structural options, and the convention of
    the framework it was spelled in, if any."""

    build: Build
    given: Mapping[str, object]
    fixed: Mapping[str, object]
    convention: str = ""


@dataclass(frozen=True)
class Chain:
    """Layers in a row; every quantity is the sum over the parts."""

    parts: tuple[Part, ...]
    requests: tuple[Request, ...] = ()
    shared: Given = field(default_factory=dict)

    @property
    def convention(self) -> str:
        """The convention of the framework that all layers are spelled in; none if they differ."""
        names = {request.convention for request in self.requests}
        return names.pop() if len(names) == 1 else ""

    def has(self, name: str) -> bool:
        """Whether any of its layers has a key of this name."""
        return any(part.bound.layer.key(name) is not None for part in self.parts)

    def opened(self, name: str) -> Chain:
        """The same sequence with a size of its first layer left as a letter."""
        if not self.requests:
            return self
        first = self.requests[0]
        layer = first.build(**first.fixed)
        key = layer.key(name)
        if key is None or key.kind not in ("extent", "size", "modifier"):
            return self
        ours = {key.symbol, key.symbol + "_out"}
        given = {k: v for k, v in first.given.items() if _symbol(layer, k) not in ours}
        if key.kind == "modifier":
            given[key.symbol] = S(key.symbol)
        shared = {k: v for k, v in self.shared.items() if _symbol(layer, k) not in ours}
        return chain((replace(first, given=given), *self.requests[1:]), shared)

    @property
    def params(self) -> Term:
        """The trainable parameters of all parts, with what is known put in."""
        return total(*(part.bound.params for part in self.parts))

    @property
    def macs(self) -> Term:
        """The multiply-accumulates of all parts for one input."""
        return total(*(part.bound.put(part.bound.macs) for part in self.parts))

    @property
    def activations(self) -> Term:
        """The output values of all parts."""
        return total(*(part.bound.put(part.bound.activations) for part in self.parts))


def chain(
    requests: Sequence[Request],
    shared: Given | None = None,
    convention: str = "",
    optional: bool = False,
) -> Chain:
    """Bind layers one after another, each on what the one before gives.

    ``shared`` values go to every layer that has the key and left it open, but input sizes
    only to the first, since the others take theirs from the layer before.  A ``convention`` that
    is asked for goes before the one a layer is spelled in.  What is ``optional`` goes where it
    has a place and is not refused where it has none.

    Raises:
        UnknownName, ValueRefused: as ``bind``; also where no layer has a shared key.
    """
    asked = dict(shared or {})
    names = _names(requests)
    parts: list[Part] = []
    used: set[str] = set()
    for position, (request, name) in enumerate(zip(requests, names, strict=True)):
        given = dict(request.given)
        layer = request.build(**request.fixed)
        if parts:
            request = _at_every(parts[-1].bound, layer, request)
            layer = request.build(**request.fixed)
            given = {**_following(parts[-1].bound, layer.inputs, request), **given}
        if len(requests) == 1 and not optional:
            given |= asked  # so that a misspelt key is refused by the layer itself
            used |= set(asked)
        else:
            given |= _put(layer, given, asked, bool(position), used)
        chosen = convention or request.convention or "textbook"
        bound = bind(request.build, given, request.fixed, chosen)
        parts.append(Part(name, _scoped(bound, name) if len(requests) > 1 else bound))
    for key in asked:
        if key not in used and not optional:
            raise ValueRefused("no_layer_has", key=key)
    return Chain(tuple(parts), tuple(requests), asked)


def _put(
    layer: Layer, given: Given, asked: Given, follows: bool, used: set[str]
) -> dict[str, object]:
    """The shared values that a layer has a key for and left open."""
    taken = {_symbol(layer, name) for name in given}
    out: dict[str, object] = {}
    for name, held in asked.items():
        key = layer.key(name)
        if key is None or (key.kind == "switch" and key.default):
            continue  # a norm keeps its shift where the biases are left out
        used.add(name)
        entry = key.kind == "extent" or key.symbol in ("C_in", "C")
        if key.symbol not in taken and key.kind != "derived" and not (follows and entry):
            out[name] = held
    return out


def named_alike(chains: Sequence[Chain]) -> tuple[list[Chain], dict[str, Term]]:
    """Derived sizes as letters, the same letter where they are the same size, on all sides.

    Without it a ratio of multiplications would hold (H - k + 1) written out on both sides.
    """
    letters_of: dict[object, str] = {}
    meaning: dict[str, Term] = {}
    for part in (part for one in chains for part in one.parts):
        for define in part.bound.layer.defines:
            size = part.bound.values.get(define.symbol) or tidy(part.bound.expand(define.term))
            if not define.symbol.endswith("_out") or not letters(size) or isinstance(size, Sym):
                continue
            form = canonical(size)
            if form not in letters_of:
                count = sum(name.startswith(define.symbol) for name in meaning)
                letters_of[form] = define.symbol if not count else f"{define.symbol}_{count + 1}"
                meaning[letters_of[form]] = size
    return [_renamed(one, letters_of) for one in chains], meaning


def _renamed(one: Chain, letters_of: Mapping[object, str]) -> Chain:
    parts = []
    for part in one.parts:
        values = dict(part.bound.values)
        for define in part.bound.layer.defines:
            if define.symbol not in values and define.symbol.endswith("_out"):
                values[define.symbol] = tidy(part.bound.expand(define.term))
        for letter, held in values.items():
            found = letters_of.get(canonical(held)) if letters(held) else None
            values[letter] = S(found) if found else held
        parts.append(replace(part, bound=replace(part.bound, values=values)))
    return replace(one, parts=tuple(parts))


def _symbol(layer: Layer, name: str) -> str:
    key = layer.key(name)
    return key.symbol if key else ""


def _names(requests: Sequence[Request]) -> list[str]:
    ids = [request.build(**request.fixed).id for request in requests]
    names = []
    for position, identity in enumerate(ids):
        many = ids.count(identity) > 1
        names.append(f"{identity}_{ids[: position + 1].count(identity)}" if many else identity)
    return names


_STEPS = SITES - {"position", "batch"}


def _at_every(before: Bound, layer: Layer, request: Request) -> Request:
    """A layer that may have leading axes, at every time step or token of the one before it."""
    steps = sum(axis.role in _STEPS for axis in before.outputs)
    if steps and "lead" in dict(layer.options) and "lead" not in request.fixed:
        return replace(request, fixed={**request.fixed, "lead": steps})
    return request


def _following(before: Bound, inputs: Box, request: Request) -> dict[str, object]:
    """What a layer takes from the one before it: channels, and sizes where both have them."""
    out_sites = [a for a in before.outputs if a.role == "position"]
    out_channels = [a for a in before.outputs if a.role not in SITES]
    in_sites = [a for a in inputs if a.role == "position"]
    in_channels = [a for a in inputs if a.role not in SITES]
    if in_sites and out_sites and len(in_sites) != len(out_sites):
        layer = request.build(**request.fixed).id
        raise ValueRefused("axes_do_not_follow", layer=layer, before=before.layer.id,
                           have=len(out_sites), want=len(in_sites))  # fmt: skip
    given: dict[str, object] = {}
    if in_channels:
        sizes = [before.put(a.size) for a in out_channels]
        several = [size for size in sizes if size != ONE] or sizes[:1]
        joined = product(*several)
        found = number(joined)
        given[in_channels[0].name] = int(found) if found is not None else joined
    in_sites += [a for a in inputs if a.role in _STEPS]
    out_sites += [a for a in before.outputs if a.role in _STEPS]
    for site, size in zip(in_sites, out_sites, strict=False):
        held = before.put(size.size)
        given[site.name] = held
    return given


def _scoped(bound: Bound, name: str) -> Bound:
    """Derived sizes that are not known: short ones are put in, others get their part's name."""
    values = dict(bound.values)
    for define in bound.layer.defines:
        if define.symbol.startswith("k_eff"):
            continue
        opened = values.get(define.symbol) or tidy(bound.expand(define.term))
        if letters(opened):
            short = not any(isinstance(node, Floor | Ceil) for _, node in walk(opened))
            values[define.symbol] = expanded(opened) if short else S(f"{name}.{define.symbol}")
    return Bound(bound.layer, values, bound.given)
