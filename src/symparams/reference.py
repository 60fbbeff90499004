"""The catalogue for a reader: the list of layers, and a page for each, made from its entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import catalog, lookup
from .declaration import Bound, Key, Layer
from .derivation.page import Block, Formula, Item, Page, Para, Row, Rows, Say, Table
from .derivation.plan import Plan, formula_bound, indices, worked
from .render import json as as_json
from .terms import S
from .words import first


@dataclass(frozen=True)
class Reference:
    """A page of the catalogue, with its data."""

    page: Page
    data: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return self.data


def catalogue() -> Reference:
    """Every layer with its formula, family by family."""
    rows: list[tuple[object, ...]] = []
    data = []
    for identity in catalog.ids():
        layer = catalog.layer(identity)
        formula = worked(formula_bound(Bound(layer, _usual(layer))).count())
        rows.append((identity, Formula(formula)))
        data.append({"id": identity, "formula": as_json.code(Bound(layer).formula())})
    table = Table((Say("tables.layer"), Say("tables.count")), tuple(rows))
    page = Page(Say("titles.catalogue"), blocks=(Block(Say("subgoals.layers"), (table,)),),
                warnings=(Say("reference.more"),))  # fmt: skip
    return Reference(page, {"schema": as_json.SCHEMA, "layers": data})


def page_of(name: str) -> Reference:
    """What a layer is, its formula, its symbols and what drops out.

    Raises:
        UnknownName: there is no such layer.
    """
    identity = lookup.find(name).id
    layer = catalog.layer(identity)
    bound = Bound(layer, _usual(layer))
    plan = Plan(bound)
    formula = worked(formula_bound(bound).count())
    blocks = [
        Block(Say("subgoals.formula"), (Rows((Row(S("params"), formula),)), *_zero(plan))),
        Block(Say("subgoals.keys"), (_keys(layer),)),
    ]
    if plan.main is not None:
        blocks.append(Block(Say("subgoals.axes"), _axes(plan)))
    blocks.append(Block(Say("subgoals.try"), (Para(Say("reference.try", {"id": identity})),)))
    title = Say("titles.layer", {"name": Say(f"layers.{identity}.name"), "id": identity})
    return Reference(Page(title, blocks=tuple(blocks)), _data(layer))


def _usual(layer: Layer) -> dict[str, Any]:
    """Usual modifiers and one letter for a square kernel, as ``derive`` shows a bare layer."""
    values: dict[str, Any] = {}
    for key in layer.keys:
        if key.default and key.kind in ("modifier", "copies"):
            values.update(dict(zip(key.letters, key.default, strict=True)))
        elif len(key.parts) > 1 and key.kind == "size":
            values.update({part: S(key.symbol) for part in key.parts})
    return values


def _zero(plan: Plan) -> tuple[Item, ...]:
    if plan.main is not None or plan.bound.parts:
        return ()
    return (Para(Say(f"zero.{plan.family}", {"fixed": None}), aside=True),)


def _keys(layer: Layer) -> Table:
    rows = []
    for key in layer.keys:
        if key.kind != "derived":
            names = Say("reference.names", {"names": ", ".join((key.code, *key.also))})
            rows.append((Formula(S(key.symbol)), names, _what(key)))
    head = (Say("tables.symbol"), Say("tables.names"), Say("tables.left_out"))
    return Table(head, tuple(rows))


def _what(key: Key) -> object:
    if key.kind == "switch":
        return Say("reference.both")
    if key.default:
        return Formula(key.default[0])
    return Say("reference.open")


def _axes(plan: Plan) -> tuple[Item, ...]:
    main = plan.main
    assert main is not None
    items: list[Item] = [
        Para(Say("reference.stays", {"indices": indices(main.tensor.end.boxes[0])}))
    ]
    if main.shared:
        items.append(Para(Say("reference.drops", {"indices": indices(main.shared)})))
    return tuple(items)


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
