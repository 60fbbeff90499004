"""One count under every convention, side by side, with what each difference comes from.

A convention binds a few letters of a layer (how many bias vectors an LSTM has), so that its
difference to another one is a count of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..algebra import difference, same
from ..chain import Chain
from ..declaration import Bound, usual
from ..errors import VerificationError
from ..terms import ONE, ZERO, Neg, Num, Term, letters, substitute, total
from ..words import first
from .page import Block, Formula, Item, Page, Para, Say, Table
from .plan import layer_fact, shapes, worked

NAMES = ("textbook", "pytorch", "keras", "flax")
Bind = Callable[[str], Chain]


@dataclass(frozen=True)
class Row:
    """One convention: the count, how much it is more than the first one's, and why."""

    convention: str
    count: Term
    difference: Term
    why: tuple[Say, ...]

    @property
    def reasons(self) -> tuple[Say, ...]:
        """The reasons as sentences."""
        return _part(self.why, "long")


@dataclass(frozen=True)
class Conventions:
    """A count under every convention that settles something, and a page of them."""

    layer: str
    rows: tuple[Row, ...]
    with_bias: bool
    page: Page


def compare(bind: Bind, base: str = "textbook") -> Conventions:
    """The parameters of a layer or sequence that is bound anew under each convention.

    Raises:
        VerificationError: a difference is not what its two counts say.
    """
    return _compared(lambda name: tuple(part.bound for part in bind(name).parts), base)


def block(bound: Bound, base: str) -> Block | None:
    """The table of a layer whose counts differ, with the given values kept."""
    structural = dict(bound.layer.options).keys()
    settled = [{letter for letter, _ in row} for _, row in bound.layer.conventions]
    if not settled or any(letters_ & structural for letters_ in settled):
        return None  # another structure takes the builder
    found = _compared(lambda name: (under(bound, name),), base)
    alike = all(row.difference == ZERO for row in found.rows)
    return (
        None if alike else Block(Say("subgoals.conventions"), _items(found.rows, found.with_bias))
    )


def under(bound: Bound, convention: str) -> Bound:
    """The same layer with what a person gave, and the rest as a convention has it."""
    left = set(_settled(bound)) - bound.given
    values = {name: held for name, held in bound.values.items() if name not in left}
    for letter, held in dict(bound.layer.conventions).get(convention, ()):
        values.setdefault(letter, held)
    return Bound(bound.layer, usual(bound.layer, values), bound.given)


def _compared(bind: Callable[[str], tuple[Bound, ...]], base: str) -> Conventions:
    bounds = {name: bind(name) for name in NAMES}
    named = {name for bound in bounds[base] for name, _ in bound.layer.conventions}
    order = [base, *(n for n in NAMES if n != base and (n in named or n == "textbook"))]
    counts = {name: total(*(one.params for one in bounds[name])) for name in order}
    open_bias = any("b" in letters(count) for count in counts.values())
    biased = {"b": ONE} if open_bias else {}
    rows = []
    for name in order:
        count, start = (substitute(counts[n], biased) for n in (name, base))
        more = worked(difference(count, start))
        if not same(start + more, count):
            raise VerificationError("step_differs", rule="define", path=name)
        why = _why(bounds[name], bounds[base], name) if more != ZERO else ()
        rows.append(Row(name, worked(count), more, why))
    return _answer(bounds[base], tuple(rows), open_bias)


def _why(ours: Sequence[Bound], theirs: Sequence[Bound], name: str) -> tuple[Say, ...]:
    """A sentence for each letter that the two settle differently, once."""
    found: dict[tuple[str, str, Term, Term], Say] = {}
    for one, other in zip(ours, theirs, strict=True):
        for letter in _settled(one):
            now, before = _held(one, letter), _held(other, letter)
            if now != before:
                identity = _sentence(one, letter)
                facts = {"who": Say(f"conventions.who.{name}"), "letter": letter, "n": now,
                         "count": now.value if isinstance(now, Num) else None,
                         "more": _more(now, before)}  # fmt: skip
                found.setdefault((identity, letter[:2], now, before), Say(identity, facts))
    said = {say.id: say for say in found.values()}
    return tuple(said.values())


def _settled(bound: Bound) -> tuple[str, ...]:
    """Every letter that some convention settles."""
    rows = (letter for _, settled in bound.layer.conventions for letter, _ in settled)
    return tuple(dict.fromkeys(rows))


def _held(bound: Bound, letter: str) -> Term:
    held = bound.values.get(letter, dict(bound.layer.options).get(letter))
    return held if isinstance(held, Term) else ONE if held else ZERO


def _more(now: Term, before: Term) -> bool:
    return not (isinstance(now, Num) and isinstance(before, Num)) or now.value > before.value


def _sentence(bound: Bound, letter: str) -> str:
    layer = bound.layer
    base = letter.partition("_")[0] if letter not in ("per_head", "trained_bias") else letter
    fronts = (layer.of.id if layer.of else layer.id, layer.family)
    tried = [f"differences.{front}.{name}" for front in fronts for name in (letter, base)]
    tried += [f"differences.{letter}", "differences.other"]
    return first(*(f"{one}.long" for one in tried)).removesuffix(".long")


def _answer(bounds: tuple[Bound, ...], rows: tuple[Row, ...], with_bias: bool) -> Conventions:
    one = bounds[0]
    many = Say("layers.sequence.a", {"n": len(bounds)}) if len(bounds) > 1 else layer_fact(one)
    identity = ", ".join(bound.layer.id for bound in bounds)
    page = Page(
        Say("titles.params", {"layer": many}),
        shapes(one) if len(bounds) == 1 else None,
        (Block(Say("subgoals.conventions"), _items(rows, with_bias)),),
    )
    return Conventions(identity, rows, with_bias, page)


def _items(rows: tuple[Row, ...], with_bias: bool) -> tuple[Item, ...]:
    if all(row.difference == ZERO for row in rows):
        facts = {"count": Formula(rows[0].count), "bias": with_bias}
        return (Para(Say("differences.none", facts)),)
    head = (Say("tables.convention"), Say("notes.with_bias" if with_bias else "tables.count"),
            Say("tables.difference"), Say("tables.why"))  # fmt: skip
    shown = tuple(
        (Say(f"conventions.name.{row.convention}"), Formula(row.count), _signed(row),
         Say("differences.list", {"why": _part(row.why, "short")}) if row.why else None)
        for row in rows
    )  # fmt: skip
    notes = (Para(_note(row), aside=True) for row in rows if row.why)
    return (Table(head, shown), *notes)


def _signed(row: Row) -> Say | None:
    if row.difference == ZERO:
        return None
    less = isinstance(row.difference, Neg) or (
        isinstance(row.difference, Num) and row.difference.value < 0
    )
    return Say("differences.signed", {"size": Formula(row.difference), "less": less})


def _part(why: Sequence[Say], which: str) -> tuple[Say, ...]:
    return tuple(Say(f"{say.id}.{which}", say.facts) for say in why)


def _note(row: Row) -> Say:
    facts = {"size": _signed(row), "why": _part(row.why, "long")}
    return Say("differences.note", facts)
