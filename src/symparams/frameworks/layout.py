"""Shapes in a framework's own order, from patterns of axes in the manner of einops.

A pattern's word is an axis of the tensor, a symbol of the layer, ``1``, ``N`` (the batch), ``k``
(all window axes), ``x`` (all positions), ``in`` (all inputs), ``+`` (as many as tensors are one
here; ``+h`` sets them side by side along h) or a bracket, which is one axis.  Several outputs stand
in square brackets, ``*`` for the usual one.  A name with a field unrolls an axis: ``l{L:1}`` counts
from 1, ``{D:,_reverse}`` and ``h{G:i,f,g,o}`` take words.  Source of the idea: Rogozhnikov 2022,
einops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..axes import SITES, Box, box_size
from ..binding import evaluated
from ..declaration import Bound
from ..terms import ONE, Num, S, Term, product
from .spelling import Call

_PIECE = re.compile(r"\(([^)]*)\)|(\S+)")

Shape = tuple[int | Term, ...]


def tensors(call: Call, bound: Bound) -> dict[str, Shape]:
    """The stored tensors under the framework's names and in its layout.

    Sizes are numbers, or Terms while letters are left.
    """
    found = _named(call, dict(_held(bound)), bound)
    for inner in call.inner:
        part = next((p.bound for p in bound.parts if p.name == inner.part), bound)
        held = tensors(inner.call, part)
        found |= {front + name: shape for front in inner.names for name, shape in held.items()}
    return found


def buffers(call: Call, bound: Bound) -> dict[str, Shape]:
    """What the framework keeps beside the weights, under its names."""
    return _named(call, dict(_held(bound, buffers=True)), bound)


def _named(
    call: Call, held: Mapping[str, tuple[Box, Bound]], whole: Bound
) -> dict[str, Shape]:  # fmt: skip
    found: dict[str, Shape] = {}
    fused: set[str] = set()
    for stored in sorted(call.spelling.tensors, key=lambda s: -len(s.tensor.split())):
        sources = stored.tensor.split()
        if fused & set(sources) or not all(source in held for source in sources):
            continue
        box, bound = held[sources[0]]
        pattern = call.layout.get(stored.tensor, stored.pattern)
        shape = _shape(pattern, box, bound, call, len(sources))
        if len({_entries(*held[source]) for source in sources}) > 1:
            continue  # tensors are one only where they are as large
        if len(sources) > 1:
            fused |= set(sources)
        found |= dict.fromkeys(_unrolled(stored.name, box, bound, whole), shape)
    return found


def _entries(box: Box, bound: Bound) -> int | Term:
    return _number(bound, box_size(box))


_FIELD = re.compile(r"\{(\w+):([^}]*)\}")


def _unrolled(name: str, box: Box, bound: Bound, whole: Bound) -> list[str]:
    """The names that a name stands for: one for each index of the axes in its fields."""
    field = _FIELD.search(name)
    if field is None:
        return [name]
    symbol, said = field[1], field[2]
    sizes = [evaluated(bound, axis.size) for axis in box if axis.name == symbol]
    count = sizes[0] if sizes else evaluated(whole, S(symbol))
    words = said.split(",") if "," in said or not said.isdigit() else None
    numbers = range(0 if words else int(said), 1 if count is None else count)
    marks = [words[n] if words else str(n) for n in numbers]
    front, back = name[: field.start()], name[field.end() :]
    return [one for mark in marks for one in _unrolled(front + mark + back, box, bound, whole)]


def _held(
    bound: Bound, front: str = "", buffers: bool = False
) -> Iterator[tuple[str, tuple[Box, Bound]]]:
    """Every stored tensor under its name, a part's with the part in front; or every buffer."""
    for tensor in bound.tensors:
        if tensor.end.stored and (tensor.kind == "buffer") == buffers:
            yield front + tensor.name, (tensor.end.boxes[0], bound)
    for piece in bound.parts:
        yield from _held(piece.bound, f"{front}{piece.name}.", buffers)


def output_shape(call: Call, bound: Bound) -> tuple[Any, ...]:
    """The output's shape, batch first, in the framework's order; several outputs' are nested."""
    return _outputs(call.out or "*", call, bound)


def _outputs(pattern: str, call: Call, bound: Bound) -> tuple[Any, ...]:
    if pattern.startswith("["):
        return tuple(_outputs(one, call, bound) for one in _apart(pattern[1:-1]))
    pattern = _usual(call, bound) if pattern == "*" else pattern
    return _shape(pattern, bound.outputs, bound, call)


def _apart(inside: str) -> Iterator[str]:
    """The patterns between commas, brackets kept whole."""
    depth = start = 0
    for at, sign in enumerate(inside):
        depth += (sign == "[") - (sign == "]")
        if sign == "," and not depth:
            yield inside[start:at].strip()
            start = at + 1
    yield inside[start:].strip()


def _usual(call: Call, bound: Bound) -> str:
    """Time steps first, then positions and channels, whichever come first."""
    steps = [axis.name for axis in bound.outputs if axis.role == "time"]
    sites = [axis.name for axis in bound.outputs if axis.role in SITES - {"time"}]
    channels = "(" + " ".join(a.name for a in bound.outputs if a.role not in SITES) + ")"
    axes = (channels, *sites) if call.order == "first" else (*sites, channels)
    return " ".join(("N", *steps, *axes))


def _shape(pattern: str, box: Box, bound: Bound, call: Call, sources: int = 1) -> Shape:
    sizes: list[Term] = []
    for inside, word in _PIECE.findall(pattern):
        names = (word or inside).split()
        parts = [s for name in names for s in _axes(name, box, call, sources)]
        if word:
            sizes += parts
        else:
            sizes.append(product(*(part for s in parts if (part := bound.put(s)) != ONE)))
    return tuple(_number(bound, size) for size in sizes)


def _axes(word: str, box: Box, call: Call, sources: int) -> Iterator[Term]:
    if word == "N":
        yield call.batch or S("N")
    elif word == "1":
        yield ONE
    elif word == "+":
        yield Num(sources)
    elif word.startswith("+"):
        yield from (product(Num(sources), size) for size in _axes(word[1:], box, call, 1))
    elif word == "in":
        yield from (axis.size for axis in box if axis.side == "in" and axis.role != "offset")
    elif word in ("k", "x", "grid"):
        roles = {"k": frozenset({"offset"}), "x": SITES, "grid": SITES - {"time"}}[word]
        yield from (axis.size for axis in box if axis.role in roles)
    else:
        yield next((axis.size for axis in box if axis.name == word), S(word))


def _number(bound: Bound, size: Term) -> int | Term:
    found = evaluated(bound, size)
    return bound.put(size) if found is None else found
