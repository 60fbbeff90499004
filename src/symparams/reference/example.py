"""A layer's worked example: small numbers that fit, and the lines that count them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..binding import bind
from ..declaration import Bound, Build, Key, Layer, usual
from ..derivation import parts
from ..derivation.page import Block, Item, Listing, Para, Say
from ..errors import Error
from ..evidence import small_numbers
from ..terms import Num, Rel, S, letters, total

_SIZES = (3, 4, 6, 8, 10, 12, 14, 15, 16)  # each its own, so that a reader can tell them apart
_EXTENTS = (5, 6, 7)
_OWN = {  # where sizes must be far apart
    "adaptive_log_softmax": {"C_in": 8, "V": 12, "c": 4},
    "squeeze_excitation": {"C": 8, "r": 4, "H": 5, "W": 6},
}
_COUNTED = ("subgoals.count", "subgoals.parts")


@dataclass(frozen=True)
class Example:
    """What is given, by the keys' names, and the block that counts it."""

    given: Mapping[str, int]
    block: Block


def example(build: Build) -> Example | None:
    """The count of a layer at small numbers; None where there is nothing to count, or where no
    simple numbers fit."""
    layer = build()
    for numbers in (_OWN.get(layer.id) or _chosen(layer), _enumerated(layer)):
        given = {key.code: numbers[key.symbol] for key in layer.keys if key.symbol in numbers}
        try:
            bound = bind(build, given)
            page = parts.of_bound(bound, "params", "exam").page
        except Error:
            continue
        items = [i for block in page.blocks if block.label.id in _COUNTED for i in block.items]
        return Example(given, _block(numbers, items)) if items else None
    return None


def _block(numbers: Mapping[str, int], items: Sequence[Item]) -> Block:
    values = Listing(tuple(Rel(S(symbol), Num(n)) for symbol, n in numbers.items()))
    said = (Para(Say("reference.given", {"values": values})),) if numbers else ()
    return Block(Say("reference.goal.example"), (*said, *items))


def _needed(layer: Layer) -> frozenset[str]:
    """The letters that any quantity depends on, with modifiers at their usual values."""
    bound = Bound(layer, usual(layer, {}))
    sizes = total(bound.count(), bound.macs, bound.activations)
    return letters(bound.expand(sizes)) | letters(bound.put(sizes))


def _asked(layer: Layer) -> list[Key]:
    needed = _needed(layer)
    return [key for key in layer.keys if key.kind in ("size", "extent", "factor", "structure")
            and not key.default and needed & {key.symbol, *key.letters}]  # fmt: skip


def _chosen(layer: Layer) -> dict[str, int]:
    """A number of its own for each size; what is divided is a multiple of what divides it."""
    extents = iter(_EXTENTS)
    divisors = {c.divisor for c in layer.requires}
    found: dict[str, int] = {}
    for key in _asked(layer):
        steps = [found[c.divisor] for c in layer.requires if c.whole == key.symbol
                 and c.divisor in found]  # fmt: skip
        if key.symbol == "k":
            found["k"] = 3
        elif key.kind == "extent" and not steps:
            found[key.symbol] = next(extents, 4)
        elif key.kind == "structure" or (key.symbol in divisors and not steps):
            found[key.symbol] = 2
        else:
            several = range(2 * max(steps), 100, max(steps)) if steps else _SIZES
            used = set(found.values()) if key.kind != "extent" else set()
            found[key.symbol] = next((n for n in several if n not in used), 2)
    return found


def _enumerated(layer: Layer) -> dict[str, int]:
    """The numbers at which the layer's evidence is enumerated, or nothing."""
    try:
        env = small_numbers(layer, lambda options: options[0])
    except Error:
        return {}
    return {key.symbol: env[key.symbol] for key in _asked(layer)}
