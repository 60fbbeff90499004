"""A layer's letters: what each is, and how PyTorch, Keras and Flax call it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..declaration import Key, Layer
from ..derivation.page import Block, Formula, Item, Para, Say, Table
from ..derivation.plan import formula_words
from ..frameworks import FRAMEWORKS, Spelling, spellings
from ..terms import S


def letters_block(layer: Layer) -> Block:
    """Every letter that can be set: what it is, and what it is when left out."""
    rows = tuple((Formula(S(key.symbol)), _meaning(layer, key), _left_out(key))
                 for key in settable(layer))  # fmt: skip
    head = (Say("tables.symbol"), Say("reference.head.meaning"), Say("tables.left_out"))
    return Block(Say("reference.goal.letters"), (Table(head, rows),))


def settable(layer: Layer) -> tuple[Key, ...]:
    """The keys a person can give."""
    return tuple(key for key in layer.keys if key.kind != "derived")


def _meaning(layer: Layer, key: Key) -> Say:
    """What the glossary says a letter is."""
    _, line = formula_words(S(key.symbol), "formula.params", "textbook", layer)
    said: Say = line.facts["words"][0].facts["what"]
    return said


def _left_out(key: Key) -> object:
    if key.default:
        return Formula(key.default[0])
    return Say("reference.both" if key.kind == "switch" else "reference.open")


def names_block(layer: Layer) -> Block:
    """The frameworks' words for each letter side by side; below, what else is read."""
    spelled = [(f.title, rows) for f in FRAMEWORKS
               if (rows := [s for s in _spelling(layer.id) if s.framework is f])]  # fmt: skip
    said: set[str] = set()
    items: list[Item] = []
    for title, rows in spelled:
        facts = {"framework": title, "names": _listed(row.name for row in rows)}
        items.append(Para(Say("reference.classes", facts)))
    body: list[tuple[object, ...]] = []
    for key in settable(layer):
        words = [_words(rows, key) for _, rows in spelled]
        said |= {word for found in words for word in found}
        if any(words):
            body.append((Formula(S(key.symbol)), *(_plain(_listed(w)) for w in words)))
    if body:
        head = (Say("tables.symbol"), *(_plain(title) for title, _ in spelled))
        items.append(Table(head, tuple(body)))
    left = tuple(found for key in settable(layer) if (found := _also(key, said)) is not None)
    if left:
        items.append(Para(Say("reference.also", {"keys": left}), aside=True))
    return Block(Say("reference.goal.names"), tuple(items))


def _spelling(identity: str) -> list[Spelling]:
    """The rows of every framework that are this layer."""
    return [row for row in spellings() if identity in
            (row.layer.format(n=n) for n in ((row.rank,) if row.rank else (1, 2, 3)))]  # fmt: skip


def _words(rows: Sequence[Spelling], key: Key) -> tuple[str, ...]:
    ours = {key.symbol, *key.letters}
    return tuple(dict.fromkeys(p.name for row in rows for p in row.signature if p.key in ours))


def _also(key: Key, said: set[str]) -> Say | None:
    more = [name for name in (key.code, *key.also) if name not in said and name != key.symbol]
    if not more:
        return None
    return Say("reference.also_key", {"letter": Formula(S(key.symbol)), "names": ", ".join(more)})


def _plain(names: str) -> Say:
    return Say("reference.names", {"names": names})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
