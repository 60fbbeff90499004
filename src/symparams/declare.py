"""The door for a layer of your own: declare its index sets, get all that follows from them.

>>> from symparams.declare import bias, layer, weight
>>> mixing = layer(
...     "token_mixing", "T:token C", "T_new:token C", title="token mixing",
...     tensors=[weight("T_new:token C", "T:token C").diagonal("C").shared_over("C"),
...              bias("T_new:token C").shared_over("C")],
... )
>>> mixing.formula
T*T_new + T_new*b
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import catalog, declaration
from .api import Agreement, LayerType, layer_type
from .axes import ROLES, SITES, Axis, Box, Side, axes, axis
from .calculus import Reindex
from .catalog import keys as standing
from .declaration import Define, Divides, Key, Layer, Part, Tensor
from .errors import DeclarationError
from .reading.expressions import read as read_expression
from .terms import Ceil, Floor, Max, Min, Num, S, Term, letters, term

__all__ = [
    "Agreement", "Axis", "Ceil", "Define", "Divides", "Floor", "Key", "Layer", "LayerType", "Max",
    "Min", "Num", "Part", "S", "Tensor", "axes", "axis", "bias", "box", "layer", "layer_type",
    "part", "weight",
]  # fmt: skip

Words = str | Box
Size = Term | int | str
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def box(words: Words, side: Side = "out", taken: Iterable[str] = ()) -> Box:
    """Axes by name, ``C_in H W`` or ``T:token``: a name the field uses has its role and index
    letter; any other has the role after the colon (usually feature) and a letter of its own.

    Raises:
        DeclarationError: there is no such role, or a name stands twice.

    >>> [(a.name, a.index, a.role) for a in box("T:token C")]
    [('T', 't', 'token'), ('C', 'c', 'channel')]
    """
    if not isinstance(words, str):
        return tuple(a.on(side) for a in words)
    used = set(taken)
    made: list[Axis] = []
    for word in words.split():
        name, _, role = word.partition(":")
        one = _axis(name, role, side, used)
        if any(other.name == name for other in made):
            raise DeclarationError("axis_twice", box=words)
        used.add(one.index)
        made.append(one)
    return tuple(made)


def _axis(name: str, role: str, side: Side, used: set[str]) -> Axis:
    if not role and not name.startswith("T"):
        try:
            return axes(name, side)[0]
        except DeclarationError:
            role = "feature"
    if (role or "lead") not in ROLES:
        raise DeclarationError("unknown_role", role=role, axis=name)
    choices = (*(c for c in name.lower() if c.isalpha()), *_LETTERS)
    index = next((c for c in choices if c not in used), "i")
    return axis(name, index, role or "lead", side)


def weight(out: Words, inputs: Words, name: str = "weight", letter: str = "w") -> Tensor:
    """A weight for every pair of an output and an input; narrow it by its methods: windowed,
    diagonal, grouped, shared_over, factored, fixed, selected, frozen."""
    outputs = box(out)
    same = {a.name for a in outputs}
    sources = box(inputs, "in")
    taken = {a.index for a in outputs}
    fresh = tuple(
        a if a.name in same or a.index not in taken else _axis(a.name, a.role, "in", taken)
        for a in sources
    )
    return declaration.weight(outputs, fresh, name, letter)


def bias(out: Words, name: str = "bias", letter: str = "b", when: str = "b") -> Tensor:
    """One bias for every output, where a switch is on."""
    return declaration.bias(box(out), name, letter, when)


def part(
    name: str, inner: LayerType | Layer | str, copies: Size = 1, tied: str = "", **bind: Size
) -> Part:
    """A layer inside yours, by its id or as declared: ``part("up", "linear", C_in="d", ...)``.

    Its letters are bound to sizes of the whole; one left out means the whole's letter of that
    name.

    Raises:
        DeclarationError: the layer has no such letter.
    """
    if isinstance(inner, str):
        inner = LayerType(inner)
    made = inner.declared if isinstance(inner, LayerType) else inner
    sizes: dict[str, Term | int] = {letter: _size(size) for letter, size in bind.items()}
    for key in made.keys:
        if not key.default and key.kind in ("size", "extent", "switch"):
            for letter in key.letters:
                sizes.setdefault(letter, S(letter))
    return declaration.part(name, made, _size(copies), tied, **sizes)  # type: ignore[arg-type]  # letters


def _size(size: Size) -> Term:
    return read_expression(size) if isinstance(size, str) else term(size)


def layer(
    identity: str,
    inputs: Words,
    outputs: Words,
    tensors: Sequence[Tensor] = (),
    *,
    parts: Sequence[Part] = (),
    title: str = "",
    family: str = "own",
    keys: Sequence[Key] = (),
    defines: Mapping[str, Size] | None = None,
    requires: Sequence[str] = (),
) -> LayerType:
    """A layer type of your own: call it, ask for its formula, a derivation, why.

    Letters without a key get one: those the field knows (C_in, k, stride ...) under their usual
    names, any other under its own.  ``defines`` are derived sizes (those of a window follow by
    themselves), ``requires`` side conditions such as ``g | C_in``.

    Raises:
        DeclarationError: a rule's side condition fails, or the id is one of the catalogue's.
    """
    if identity in catalog.ids():
        raise DeclarationError("id_taken", layer=identity)
    ins, outs = box(inputs, "in"), box(outputs)
    known = {letter: _size(size) for letter, size in (defines or {}).items()}
    sizes = tuple(Define(*one) for one in known.items())
    sizes += tuple(define for define in _windows(tensors) if define.symbol not in known)
    conditions = tuple(_divides(text) for text in requires)
    needed = _needed((*ins, *outs), tensors, parts, sizes, conditions)
    found = (*keys, *_keys(needed, tuple(keys), (*ins, *outs), tensors, sizes))
    made = Layer(identity, family, ins, outs, tuple(tensors), found, sizes, conditions,
                 parts=tuple(parts), title=title or identity.replace("_", " "))  # fmt: skip
    return layer_type(made)


def _divides(text: str) -> Divides:
    divisor, _, whole = text.partition("|")
    return Divides(divisor.strip(), whole.strip())


def _space(tensors: Sequence[Tensor]) -> tuple[tuple[str, ...], bool]:
    """The position axes that are seen through a window, and whether outputs are."""
    taps = [r for t in tensors for r in t.rules if isinstance(r, Reindex) and r.tap[:1] == "k"]
    seen = {r.site if r.moved.endswith("_out") else r.moved for r in taps}
    space = next((s for s in standing.SPACE.values() if set(s) == seen), ())
    return space, any(r.moved.endswith("_out") for r in taps)


def _windows(tensors: Sequence[Tensor]) -> tuple[Define, ...]:
    space, spread = _space(tensors)
    if not space:
        return ()
    if spread:
        return standing.transposed_sizes(space, "number")
    return standing.window_sizes(space, "number")


def _needed(
    ends: Box, tensors: Sequence[Tensor], parts: Sequence[Part], known: Sequence[Define],
    conditions: Sequence[Divides],
) -> dict[str, None]:  # fmt: skip
    """Every letter that is used, in order."""
    used: dict[str, None] = {a.name: None for a in ends}
    for tensor in tensors:
        used |= dict.fromkeys(sorted(letters(tensor.size) | letters(tensor.uses)))
        used |= dict.fromkeys([tensor.when] if tensor.when else [])
    for piece in parts:
        for size in (*(s for _, s in piece.bind), piece.copies):
            used |= dict.fromkeys(sorted(letters(size)))
    for define in known:
        used |= dict.fromkeys(sorted(letters(define.term)))
    for condition in conditions:
        used |= dict.fromkeys((condition.divisor, condition.whole))
    return used


def _keys(
    needed: Mapping[str, None], given: tuple[Key, ...], ends: Box, tensors: Sequence[Tensor],
    known: Sequence[Define],
) -> Iterator[Key]:  # fmt: skip
    """Keys for the letters that have none."""
    have = {letter for key in given for letter in (key.symbol, *key.letters)}
    derived = {define.symbol for define in known}
    for key in _standing(tensors):
        if key.symbol not in have and needed.keys() & {key.symbol, *key.letters}:
            yield key
            have |= {key.symbol, *key.letters}
    sites = {a.name for a in ends if a.role in SITES}
    switches = {tensor.when for tensor in tensors}
    for letter in needed:
        if letter in have:
            continue
        if letter in switches:
            yield Key(letter, letter, kind="switch", least=0)
        elif letter in derived:
            yield Key(letter, letter, kind="derived")
        else:
            yield Key(letter, letter, kind="extent" if letter in sites else "size")


def _standing(tensors: Sequence[Tensor]) -> tuple[Key, ...]:
    """The keys the field knows."""
    space, spread = _space(tensors)
    window: tuple[Key, ...] = ()
    if space:
        window = (standing.kernel(space), standing.stride(space),
                  *standing.padding(space, "number", ""), standing.dilation(space))  # fmt: skip
        window += (standing.output_padding(space),) if spread else ()
    extents = {key.symbol: key for s in standing.SPACE.values() for key in standing.extents(s)}
    return (standing.C_IN, standing.C_OUT, standing.C, *window, standing.GROUPS,
            standing.MULTIPLIER, *extents.values(), standing.BIAS)  # fmt: skip
