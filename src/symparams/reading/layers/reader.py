"""The items of one layer read into its ``LayerText``: gathered, placed, and what follows."""

from __future__ import annotations

from ...terms import Sym
from ..refusals import refuse
from .gathering import Gathering
from .items import HEADS, Item, means_nothing
from .layer_text import LayerText
from .phrases import ADJECTIVES, HAS_AXES, PHRASES, SAYS
from .placing import Placing
from .sheet import Sheet


def layers_of(text: str, items: list[Item]) -> list[LayerText]:
    """The layer of one group, as often as it is there."""
    head = next(item for item in items if item.kind in HEADS)
    sheet = Sheet(text, head)
    if _is_keys(sheet, items):
        for item in items:
            if item.kind == "set":
                sheet.put(str(item.value), item.more, item.start)
        sheet.style, sheet.name = "keys", sheet.written(head)
        return [_built(sheet, items)]
    if head.kind == "phrase":
        sheet.name = PHRASES[head.value]
        if head.value in SAYS:
            sheet.put(*SAYS[head.value], head.start)
    elif head.kind == "call":
        sheet.style = "call"
        sheet.args, keys = head.more
        sheet.keys.update(keys)
    else:
        sheet.style = "keys"
    gathering = Gathering(sheet, items)
    gathering.gather()
    placing = Placing(sheet)
    placing.place_all(gathering.said)
    _usual(sheet, gathering)
    return [_built(sheet, items)] * placing.copies


def _is_keys(sheet: Sheet, items: list[Item]) -> bool:
    """Whether this is a name and assignments only."""
    head = sheet.head
    if head.kind == "call" or " " in sheet.written(head):
        return False
    if any(item.kind not in ("set", "cut") and item.start != head.start for item in items):
        return False
    return head.kind == "name" or head.more is True or any(item.kind == "set" for item in items)


def _usual(sheet: Sheet, gathering: Gathering) -> None:
    """What adjectives name, what is left open, and the axes that a size shows."""
    keys = sheet.keys
    for word in gathering.adjectives:
        key, letter = ADJECTIVES[word]
        keys.setdefault(key, Sym(letter))
    if twice := gathering.open & keys.keys():
        key = min(twice)
        refuse("said_twice", sheet.text, sheet.places[key], key=key)
    if sheet.name in ("pad", "crop") and not (keys.keys() - {"axes"} or sheet.shapes):
        sheet.refuse("noun_needs_value", sheet.head, noun=sheet.written(sheet.head))
    if sheet.style == "words" and sheet.name in HAS_AXES and "axes" not in keys:
        axes = _axes(sheet)
        if axes:
            keys["axes"] = axes


def _axes(sheet: Sheet) -> int | None:
    """The number of axes that a window or a shape shows."""
    for key in ("kernel_size", "padding", "scale_factor", "output_size", "stride"):
        value = sheet.keys.get(key)
        if isinstance(value, tuple) and 2 <= len(value) <= 3:
            return len(value)
    for found in sheet.shapes.values():
        if len(found) in (3, 4):
            return len(found) - 1
    return None


def _built(sheet: Sheet, items: list[Item]) -> LayerText:
    meant = [item for item in items if not means_nothing(item)]
    start, end = min(i.start for i in meant), max(i.end for i in meant)
    return LayerText(
        sheet.name, sheet.style, sheet.args, sheet.keys,
        sheet.shapes.get("input"), sheet.shapes.get("output"), sheet.text, (start, end),
    )  # fmt: skip
