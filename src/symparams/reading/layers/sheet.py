"""One layer as far as it is known: its keys and shapes, where what is said twice must agree."""

from __future__ import annotations

from typing import NoReturn

from ...terms import Term
from ..refusals import refuse
from ..values import shape
from .items import Item
from .phrases import FRACTIONS


class Said:
    """A size that was said, with its noun and how it stands to the others.

    ``role`` is "on", "from", "to" or nothing; ``named`` tells that it comes after the layer's
    name.
    """

    __slots__ = ("item", "named", "noun", "noun_first", "role")

    def __init__(self, item: Item, noun: str = "", noun_first: bool = False) -> None:
        self.item = item
        self.noun = noun
        self.noun_first = noun_first
        self.role = ""
        self.named = False


class Sheet:
    """The name, keys and shapes of one layer, filled in as they are found."""

    def __init__(self, text: str, head: Item) -> None:
        self.text = text
        self.head = head
        self.name = str(head.value)
        self.style = "words"
        self.args: tuple[object, ...] = ()
        self.keys: dict[str, object] = {}
        self.shapes: dict[str, tuple[Term, ...]] = {}
        self.places: dict[str, int] = {}

    def written(self, item: Item) -> str:
        """An item as it stands in the text."""
        return self.text[item.start : item.end]

    def refuse(self, identity: str, item: Item, **facts: object) -> NoReturn:
        """Refuse the text at an item."""
        refuse(identity, self.text, item.start, **facts)

    def put(self, key: str, value: object, column: int) -> None:
        """A key's value; said twice it must be the same."""
        if isinstance(value, float) and key not in FRACTIONS and self.style == "words":
            refuse("not_whole", self.text, column, key=key, value=value)
        place = self.places.setdefault(key, column)
        held = self.keys.setdefault(key, value)
        if held != value or isinstance(held, bool) != isinstance(value, bool):
            refuse("said_twice", self.text, max(place, column), key=key)

    def put_shape(self, side: str, item: Item) -> None:
        """The shape of the input or the output."""
        found = shape(item.extents, self.text, item.start)
        place = self.places.setdefault(side, item.start)
        if self.shapes.setdefault(side, found) != found:
            refuse("said_twice", self.text, max(place, item.start), key=side)

    def put_count(self, key: str, item: Item) -> None:
        """A key that is one number."""
        if isinstance(item.more, tuple):
            self.refuse("one_number", item, key=key, shown=self.written(item))
        self.put(key, item.more, item.start)
