"""The catalogue for a reader: the list of layers, and a page for each, made from its entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import catalog, lookup
from ..declaration import Bound, Layer
from ..derivation import conventions
from ..derivation.page import Block, Formula, Item, Page, Para, Row, Rows, Say, Table
from ..derivation.plan import Plan, formula_bound, shapes, worked
from ..derivation.why import stored_tensors
from ..render import json as as_json
from ..render import to_format
from ..terms import ZERO, S, Term
from ..words import first, source
from .example import Example, example
from .fate import fates
from .names import letters_block, names_block


@dataclass(frozen=True)
class Reference:
    """A page of the catalogue, with its data."""

    page: Page
    data: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return self.data

    def text(self, width: int = 80) -> str:
        """Text of a given width, with Unicode mathematics."""
        return to_format(self.page, "text", width=width)

    def markdown(self) -> str:
        """Markdown with LaTeX mathematics."""
        return to_format(self.page, "markdown")

    def _repr_html_(self) -> str:
        return to_format(self.page, "html")


def catalogue() -> Reference:
    """Every layer with its formula, family by family."""
    rows: list[tuple[object, ...]] = []
    data = []
    for identity in catalog.ids():
        rows.append((identity, Formula(formula_of(identity))))
        code = as_json.code(Bound(catalog.layer(identity)).formula())
        data.append({"id": identity, "formula": code})
    table = Table((Say("tables.layer"), Say("tables.count")), tuple(rows))
    page = Page(Say("titles.catalogue"), blocks=(Block(Say("subgoals.layers"), (table,)),),
                warnings=(Say("reference.more"),))  # fmt: skip
    return Reference(page, {"schema": as_json.SCHEMA, "layers": data})


def page_of(name: str) -> Reference:
    """A layer's page: what it is, its formula, letters and names, an example with small
    numbers, what drops out of the count, and how conventions differ.

    Raises:
        UnknownName: there is no such layer.

    >>> page_of("conv2d").data["drops_out"]["H"]
    ['reindex', 'restrict', 'share']
    """
    identity = lookup.find(name).id
    layer = catalog.layer(identity)
    bound = Bound(layer, usual_letters(layer))
    small = example(catalog.builder(identity))
    blocks: list[Block | None] = [_formula(bound), letters_block(layer), names_block(layer)]
    drops: dict[str, list[str]] = {}
    blocks.append(small.block if small is not None else None)
    if stored_tensors(bound):
        block, drops = fates(bound)
        blocks += [block, conventions.block(bound, "textbook")]
    call = Para(Say("reference.try", {"call": _call(identity, small)}))
    blocks.append(Block(Say("subgoals.try"), (call,)))
    title = Say("titles.layer", {"name": Say(f"layers.{identity}.name"), "id": identity})
    page = Page(title, shapes(bound), tuple(b for b in blocks if b is not None), sentence(layer))
    return Reference(page, {**_data(layer), "drops_out": drops})


def formula_of(identity: str) -> Term:
    """A layer's count in letters, as its page shows it."""
    layer = catalog.layer(identity)
    return worked(formula_bound(Bound(layer, usual_letters(layer))).count())


def sentence(layer: Layer) -> Para | None:
    """What a layer does, where there are words for it."""
    tried = (f"reference.what.{name}" for name in (layer.id, layer.family))
    found = next((identity for identity in tried if source(identity) is not None), None)
    return Para(Say(found)) if found else None


def usual_letters(layer: Layer) -> dict[str, Any]:
    """Usual modifiers and one letter for a square kernel, as ``derive`` shows a bare layer."""
    values: dict[str, Any] = {}
    for key in layer.keys:
        if key.default and key.kind in ("modifier", "copies"):
            values.update(dict(zip(key.letters, key.default, strict=True)))
        elif len(key.parts) > 1 and key.kind == "size":
            values.update({part: S(key.symbol) for part in key.parts})
    return values


def _formula(bound: Bound) -> Block:
    generic = formula_bound(bound)
    rows = [Row(S("params"), worked(generic.count()))]
    used = worked(generic.macs)
    if used != ZERO:
        rows.append(Row(S("macs"), used))
    return Block(Say("subgoals.formula"), (Rows(tuple(rows)), *_zero(Plan(bound))))


def _zero(plan: Plan) -> tuple[Item, ...]:
    if plan.main is not None or plan.bound.parts:
        return ()
    return (Para(Say(f"zero.{plan.family}", {"fixed": None}), aside=True),)


def _call(identity: str, small: Example | None) -> str:
    """What to type after ``symparams derive``."""
    given = small.given if small is not None else {}
    return " ".join((identity, *(f"{code}={number}" for code, number in given.items())))


def _data(layer: Layer) -> dict[str, Any]:
    return {
        "schema": as_json.SCHEMA,
        "id": layer.id,
        "formula": as_json.code(Bound(layer).formula()),
        "keys": [
            {"symbol": key.symbol, "names": [key.code, *key.also], "letters": list(key.letters)}
            for key in layer.keys if key.kind != "derived"
        ],
        "sentence": first(f"layers.{layer.id}.name"),
    }  # fmt: skip
