"""What becomes of each of a layer's letters: it drops out of the count, or it stays."""

from __future__ import annotations

from ..declaration import Bound
from ..derivation.page import Block, Listing, Say, Table
from ..derivation.why import REMOVERS, Why, stored_tensors, why
from ..errors import UnknownName
from ..terms import S, letters
from .names import settable

_MOST = 3  # tensors or parts named one by one


def fates(bound: Bound) -> tuple[Block, dict[str, list[str]]]:
    """A table of letters, those alike in one row, and the rules by letter of what drops out."""
    alike: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    drops: dict[str, list[str]] = {}
    for name in _asked(bound):
        try:
            answer = why(bound, name)
        except UnknownName:
            continue
        out = answer.drops_out
        where = _removed(bound, answer, name) if out else _holders(bound, answer)
        if not where and _follows(bound, name):
            continue
        alike.setdefault((out, where or (_reason(bound, name),)), []).append(name)
        if out:
            drops[name] = list(answer.removed_by)
    ordered = sorted(alike.items(), key=lambda row: not row[0][0])  # first what drops out
    rows = tuple((Listing(tuple(S(name) for name in names)), *_cells(bound, out, where))
                 for (out, where), names in ordered)  # fmt: skip
    head = (Say("tables.symbol"), Say("reference.head.count"), Say("reference.head.by"))
    return Block(Say("reference.goal.axes"), (Table(head, rows),)), drops


def _asked(bound: Bound) -> list[str]:
    """The batch, every axis, and every other letter that can be set but for switches."""
    axes = [axis.name.rstrip("'") for axis in (*bound.layer.inputs, *bound.layer.outputs)]
    keys = [key.symbol for key in settable(bound.layer)
            if key.kind in ("size", "extent", "modifier", "factor", "structure")
            and (not key.option or key.words or key.kind == "structure")]  # fmt: skip
    return list(dict.fromkeys(("N", *axes, *keys)))


def _follows(bound: Bound, name: str) -> bool:
    """Whether others answer for a letter: it is worked out from them, or only usual for them."""
    key = bound.layer.key(name)
    if key is None or key.kind == "derived":
        return name != "N"
    return any(name in letters(usual) for other in bound.layer.keys for usual in other.default)


def _removed(bound: Bound, answer: Why, name: str) -> tuple[str, ...]:
    """The rules that met the letter's own side; of a layer with parts, those in any of them."""
    own = [side for side in answer.sides if side.axis.rstrip("'") == name]
    key = bound.layer.key(name)
    if not own and key is not None and key.kind == "modifier":
        return ()  # what it sets was met, not itself
    met = {rule for side in own for rule in side.removed_by} or set(answer.removed_by)
    return tuple(rule for rule in REMOVERS if rule in met)


def _holders(bound: Bound, answer: Why) -> tuple[str, ...]:
    """The tensors, or of a layer with parts the parts, whose size depends on the letter."""
    if not bound.parts:
        return answer.stays_in
    return tuple(dict.fromkeys(name.partition(".")[0] for name in answer.stays_in))


def _reason(bound: Bound, name: str) -> str:
    """Why a letter that no rule removed is in no size of a weight."""
    key = bound.layer.key(name)
    ours = {name, *(key.letters if key else ())}
    free = Bound(bound.layer)
    sized = any(ours & letters(free.expand(define.term)) for define in bound.layer.defines)
    return "size" if sized else "none"


def _cells(bound: Bound, out: bool, where: tuple[str, ...]) -> tuple[Say, Say]:
    if out:
        rules = tuple(Say(f"reference.rule.{rule}") for rule in where)
        return Say("reference.drops"), Say("reference.list", {"items": rules})
    parts = bool(bound.parts)
    every = len(bound.parts) if parts else len(stored_tensors(bound))
    facts = {"n": str(len(where)), "all": str(every), "every": len(where) == every, "parts": parts,
             "names": ", ".join(where) if len(where) <= _MOST else None}  # fmt: skip
    return Say("reference.stays"), Say("reference.where", facts)
