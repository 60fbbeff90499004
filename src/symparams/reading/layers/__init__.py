"""The text of one layer or a plain sequence of layers, read into neutral data.

Words are told by tables: a phrase is a layer, a noun is a key, everything else must stand in
a list of words without meaning here, or it is refused.  The rooms know no layer: what they
return are names and keys, and the doors look them up.

Tokens become items (``items``, ``calls``), items are grouped to layers (``grouping``), and a
group is read (``reader``): what is said (``gathering``) and where it belongs (``placing``).
"""

from __future__ import annotations

from collections.abc import Collection

from ...errors import UnreadableError
from ..refusals import refuse
from .layer_text import LayerText
from .phrases import ASKED, NOUNS, PHRASES, SPELLING

# The rooms that read are imported when there is something to read.

__all__ = ["ASKED", "NOUNS", "PHRASES", "LayerText", "read_layers", "read_quantity"]

_ENDS = frozenset((",", ";", ":", "?", "dot", "end"))


def read_layers(text: str, ids: Collection[str] = ()) -> tuple[LayerText, ...]:
    """The layers somebody wrote down, one or more.

    ``ids`` are names that the caller knows besides the phrases.

    >>> conv = read_layers("3x3 conv from 128 to 256 channels, no bias")[0]
    >>> conv.name, dict(conv.keys)["in_channels"], dict(conv.keys)["bias"]
    ('conv', 128, False)
    >>> [layer.name for layer in read_layers("conv 5x5 6, relu, maxpool 2, flatten, dense 10")]
    ['conv', 'activation', 'max_pool', 'flatten', 'linear']
    >>> read_layers("nn.Conv2d(3, 12, 3, groups=3)")[0].keys
    {'groups': 3}

    Raises:
        UnreadableError: the text cannot be read; the place is said.
        UnknownName: a word is not known; the nearest one is suggested.
    """
    from ..tokens import Tokens
    from .grouping import Grouping
    from .items import Items
    from .reader import layers_of

    items = Items(Tokens(text), ids).all()
    if not items:
        refuse("layer_expected", text, 0)
    try:
        groups = Grouping(text, items).all()
        return tuple(layer for group in groups for layer in layers_of(text, group))
    except UnreadableError:
        named = _id_and_keys(text, ids)
        if named is None:
            raise
        return (named,)


def _id_and_keys(text: str, ids: Collection[str]) -> LayerText | None:
    """A layer by its id with nothing but values, ``average C=3``: its id may be a word that
    means something else elsewhere."""
    name, *assignments = text.split()
    if name not in ids or not all("=" in word for word in assignments):
        return None
    from ..values import read_assignment

    keys = dict(read_assignment(word) for word in assignments)
    return LayerText(name, "keys", keys=keys, text=text, span=(0, len(text)))


def read_quantity(text: str) -> str | None:
    """The quantity a question asks for, or None where the text does not ask.

    >>> read_quantity("how many parameters does a 3x3 convolution have?")
    'params'
    >>> read_quantity("64 filters 5x5 on 256x256x3, stride 1: output shape?")
    'shape'
    """
    from ..tokens import Tokens
    from .items import Item
    from .matching import ASKED_ROWS, find

    tokens = Tokens(text)
    items: list[Item] = []
    for kind, raw in zip(tokens.kinds, tokens.texts, strict=True):
        lower = raw.lower()
        kind = "cut" if kind in _ENDS else kind
        items.append(Item(kind, SPELLING.get(lower, lower), 0, 0))
    for at, item in enumerate(items):
        found = find(items, at, ASKED_ROWS)
        if found is not None and items[found[1][-1] + 1].kind == "cut":
            return ASKED[found[0]]
        if item.value in ("parameters", "params"):
            return "params"
    return None
