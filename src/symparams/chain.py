"""A plain sequence of layers: each takes what the one before it gives.

Derived sizes belong to their part: the output height of ``depthwise`` is
``depthwise.H_out`` until it is known, so no two parts speak of one letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .algebra import number
from .axes import Box
from .binding import Given, bind
from .declaration import Bound, Build, Layer
from .errors import ValueRefused
from .rewriting import expanded, tidy
from .terms import ONE, Ceil, Floor, S, Term, letters, product, total, walk


@dataclass(frozen=True)
class Part:
    """A layer of a sequence under its name."""

    name: str
    bound: Bound


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

    def opened(self, name: str) -> Chain:
        """The same sequence with an input size of its first layer left as a letter."""
        if not self.requests:
            return self
        first = self.requests[0]
        layer = first.build(**first.fixed)
        key = layer.key(name)
        if key is None or key.kind != "extent":
            return self
        ours = {key.symbol, key.symbol + "_out"}
        given = {k: v for k, v in first.given.items() if _symbol(layer, k) not in ours}
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
    requests: Sequence[Request], shared: Given | None = None, convention: str = ""
) -> Chain:
    """Bind layers one after another, each on what the one before gives.

    ``shared`` values go to every layer that has the key and left it open, but input sizes
    only to the first, since the others take theirs from the layer before.  A ``convention`` that
    is asked for goes before the one a layer is spelled in.

    Raises:
        UnknownName, ValueRefused: as ``bind``; also where no layer has a shared key.
    """
    if len(requests) == 1:
        (only,) = requests
        return Chain(
            (
                Part(
                    _names(requests)[0],
                    bind(only.build, {**only.given, **(shared or {})}, only.fixed,
                         convention or only.convention or "textbook"),
                ),
            ),
            tuple(requests),
            dict(shared or {}),
        )
    names = _names(requests)
    parts: list[Part] = []
    used: set[str] = set()
    for position, (request, name) in enumerate(zip(requests, names, strict=True)):
        given = dict(request.given)
        layer = request.build(**request.fixed)
        if parts:
            given = {**_following(parts[-1].bound, layer.inputs, request), **given}
        taken = {k.symbol for g in given if (k := layer.key(g)) is not None}
        for key, held in (shared or {}).items():
            found = layer.key(key)
            if found is None or (found.kind == "switch" and found.default):
                continue  # a norm keeps its shift where the biases are left out
            used.add(key)
            entry = found.kind == "extent" or found.symbol in ("C_in", "C")
            if found.symbol not in taken and found.kind != "derived" and not (position and entry):
                given[key] = held
        parts.append(
            Part(name, _scoped(bind(request.build, given, request.fixed,
                                     convention or request.convention or "textbook"), name))
        )
    for key in shared or {}:
        if key not in used:
            raise ValueRefused("no_layer_has", key=key)
    return Chain(tuple(parts), tuple(requests), dict(shared or {}))


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


def _following(before: Bound, inputs: Box, request: Request) -> dict[str, object]:
    """What a layer takes from the one before it: channels, and sizes where both have them."""
    out_sites = [a for a in before.outputs if a.role == "position"]
    out_channels = [a for a in before.outputs if a.role != "position"]
    in_sites = [a for a in inputs if a.role == "position"]
    in_channels = [a for a in inputs if a.role != "position" and a.role != "lead"]
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
