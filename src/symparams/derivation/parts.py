"""The derivation of what has parts: a table of them, the total below, each part unfolded.

A sequence of layers and a composite layer are the same thing here: named parts, how many
copies there are of each, and whether a part is tied to another and adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..algebra import Value, depends_on, number
from ..chain import Chain
from ..chain import Part as ChainPart
from ..declaration import Bound
from ..terms import ONE, ZERO, Num, S, Size, Term, letters, product, substitute, total
from . import conventions, count, shapes, uses
from .checks import machine_line
from .page import Block, Formula, Item, Listing, Page, Para, Row, Rows, Say, Table
from .plan import formula_bound, formula_words, layer_fact, shape, worked
from .plan import shapes as ends_of
from .steps import Derivation, Step, worked_out


@dataclass(frozen=True)
class Piece:
    """A part of something: its name, its layer, how many there are."""

    name: str
    bound: Bound
    copies: Term = ONE
    tied: str = ""
    when: str = ""
    active: Term = ONE

    def times(self, size: Term, quantity: str = "params") -> Term:
        """A size of one part as its share of the whole: what is tied has no weights of its own
        and is used all the same, and one input goes through the active copies only."""
        if self.tied and quantity in ("params", "active"):
            return ZERO
        many = self.copies if quantity in ("params", "activations") else self.active
        factors = [f for f in (S(self.when) if self.when else ONE, many, size) if f != ONE]
        return product(*(factors or [ONE]))


def pieces_of(whole: Chain | Bound) -> tuple[Piece, ...]:
    """The parts of a sequence or of a composite layer."""
    if isinstance(whole, Chain):
        return tuple(Piece(part.name, part.bound) for part in whole.parts)
    return tuple(Piece(p.name, p.bound, p.copies, p.tied, p.when, p.active) for p in whole.parts)


def of_bound(
    bound: Bound, quantity: str = "params", level: str = "exam", convention: str = "textbook"
) -> Derivation:
    """The derivation of a quantity of one layer, whether it has parts or tensors.

    Raises:
        VerificationError: a step does not hold.
    """
    if bound.parts and quantity != "shape":
        return derive(bound, quantity, level, convention)
    if quantity == "params":
        return count.derive(bound, level, convention)
    if quantity == "shape":
        return shapes.derive(bound, level, convention)
    return uses.derive(bound, quantity, level, convention)


def derive(
    whole: Chain | Bound, quantity: str = "params", level: str = "exam",
    convention: str = "textbook",
) -> Derivation:  # fmt: skip
    """Derive and verify a quantity of what has parts, part by part.

    Raises:
        VerificationError: a step does not hold.
    """
    pieces = pieces_of(whole)
    inner = "exam" if level == "line" else level
    parts = [of_bound(piece.bound, quantity, inner, convention) for piece in pieces]
    sizes = {p.name: p.times(d.symbolic, quantity) for p, d in zip(pieces, parts, strict=True)}
    result = total(*sizes.values())
    value, with_bias, without_bias = values(result) if quantity != "shape" else (None, None, None)
    derivation = Derivation(
        layer=_name(whole),
        quantity=quantity,
        level=level,
        convention=convention,
        formula=whole.formula() if isinstance(whole, Bound) else result,
        symbolic=result,
        steps=_steps(pieces, parts, sizes, quantity),
        page=_page(whole, pieces, parts, quantity, level, convention),
        value=value,
        with_bias=with_bias,
        without_bias=without_bias,
        remaining=tuple(dict.fromkeys(name for d in parts for name in d.remaining)),
        dropped=tuple(dict.fromkeys(name for d in parts for name in d.dropped)),
    )
    derivation.verify()
    return derivation


def _name(whole: Chain | Bound) -> str:
    if isinstance(whole, Bound):
        return whole.layer.id
    return ", ".join(part.bound.layer.id for part in whole.parts)


def values(result: Term) -> tuple[Value | None, Value | None, Value | None]:
    """The value; where only the bias is open, the values with and without it."""
    if letters(result) != {"b"}:
        return number(result), None, None
    return None, number(with_switch(result, 1)), number(with_switch(result, 0))


def with_switch(size: Term, on: int) -> Term:
    """A size with the bias switch set."""
    return substitute(size, {"b": Num(on)})


def _steps(
    pieces: Sequence[Piece], parts: Sequence[Derivation], sizes: dict[str, Term], quantity: str
) -> tuple[Step, ...]:
    steps = [
        replace(step, path=f"{piece.name}.{step.path}")
        for piece, derived in zip(pieces, parts, strict=True)
        for step in derived.steps
    ]
    if quantity != "shape":
        known = tuple(
            (f"{piece.name}.{quantity}", derived.symbolic)
            for piece, derived in zip(pieces, parts, strict=True)
            if any(step.path == quantity for step in derived.steps)
        )
        steps += _total_steps(pieces, sizes, quantity, known)
    return tuple(steps)


def _total_steps(
    pieces: Sequence[Piece],
    sizes: dict[str, Term],
    quantity: str,
    known: tuple[tuple[str, Term], ...],
) -> tuple[Step, ...]:
    """The total: define it from the parts' sizes, unfold these, work out."""
    whole = total(*(p.times(Size(p.name), quantity) for p in pieces))
    opened = total(*(sizes[piece.name] for piece in pieces))

    def unfold(term: Term) -> Term:
        return opened if term == whole else term

    steps = [
        Step("define", "=", "count", quantity, Size(quantity), whole, rewrite=lambda _: whole),
        Step("unfold", "=", "count", quantity, whole, opened, rewrite=unfold, unfolds=known),
    ]
    return (*steps, *worked_out(opened, quantity))


# --- the page ---------------------------------------------------------------------------------


def _page(
    whole: Chain | Bound, pieces: Sequence[Piece], parts: Sequence[Derivation], quantity: str,
    level: str, convention: str,
) -> Page:  # fmt: skip
    blocks = [_table_block(whole, pieces, parts, quantity)]
    if level == "lecture":
        for piece, derived in zip(pieces, parts, strict=True):
            blocks += _unfolded(piece, derived)
        said = conventions.block(whole, convention) if isinstance(whole, Bound) else None
        blocks += [said] if said is not None and quantity == "params" else []
    if quantity != "shape":
        blocks.append(_check_block(whole, parts, quantity))
    if isinstance(whole, Bound):
        title, subtitle = layer_fact(whole), ends_of(whole)
        formula = _formula(whole, quantity, convention)
    else:
        first, last = whole.parts[0].bound, whole.parts[-1].bound
        title = Say("layers.sequence.a", {"n": len(whole.parts)})
        ends = {"inp": shape(first, first.layer.inputs), "out": shape(last, last.outputs)}
        subtitle, formula = Say("titles.shapes", ends), ()
    return Page(
        Say(f"titles.{quantity}", {"layer": title}), subtitle, tuple(blocks), formula=formula
    )


def _check_block(whole: Chain | Bound, parts: Sequence[Derivation], quantity: str) -> Block:
    """Which letters of a composite its count does not depend on, and what was verified."""
    items: list[Item] = []
    if isinstance(whole, Bound) and quantity == "params":
        free = _free_letters(whole)
        if free:
            facts = {
                "letters": Listing(tuple(S(name) for name in free)),
                "id": None if whole.layer.title else whole.layer.id,
                "first": free[0],
                "many": len(free) > 1,
            }
            items.append(Para(Say("steps.check.free", facts)))
    steps = (step for derived in parts for step in derived.steps)
    items.append(Para(machine_line(steps), aside=True))
    return Block(Say("subgoals.check"), tuple(items))


def _free_letters(bound: Bound) -> tuple[str, ...]:
    """The sizes that are no part of the count."""
    generic = formula_bound(bound)
    count = generic.expand(generic.count())
    return tuple(
        key.symbol
        for key in bound.layer.keys
        if key.kind in ("extent", "size")
        and not key.option  # of another structure
        and not any(depends_on(count, letter) for letter in (key.symbol, *key.letters))
    )


def _formula(bound: Bound, quantity: str, convention: str) -> tuple[Say, ...]:
    if quantity != "params":
        return ()
    generic = formula_bound(bound)
    return formula_words(worked(generic.count()), "formula.params", convention, bound.layer)


def _unfolded(piece: Piece, derived: Derivation) -> list[Block]:
    ends = {
        "layer": layer_fact(piece.bound),
        "inp": shape(piece.bound, piece.bound.layer.inputs),
        "out": shape(piece.bound, piece.bound.outputs),
    }
    head = Block(Say("subgoals.part", {"name": piece.name}), (Para(Say("titles.part", ends)),))
    answer = derived.page.answer
    if answer is not None and not derived.page.blocks:
        return [head, Block(Say("subgoals.count"), (answer,))]
    said = Say("subgoals.conventions")  # once, of the whole
    return [head, *(block for block in derived.page.blocks if block.label != said)]


def _table_block(
    whole: Chain | Bound, pieces: Sequence[Piece], parts: Sequence[Derivation], quantity: str
) -> Block:
    columns = _columns(pieces, parts, quantity)
    chain = isinstance(whole, Chain)
    copied = any(p.copies != ONE or p.tied for p in pieces)
    head = [Say("tables.part")]
    head += [Say("tables.copies")] if copied else []
    head += [Say("tables.shape")] if chain else []
    head += [say for say, _ in columns]
    rows: list[tuple[object, ...]] = []
    for n, piece in enumerate(pieces):
        row: list[object] = [_part_name(piece, chain)]
        if copied:
            row.append(Say("tables.tied") if piece.tied else Formula(worked(piece.copies)))
        if chain:
            row.append(shape(piece.bound, piece.bound.outputs))
        rows.append((*row, *(Formula(worked(sizes[n])) for _, sizes in columns)))
    if columns:
        blank: list[object] = [None] * (int(copied) + int(chain))
        totals = [Formula(worked(total(*sizes))) for _, sizes in columns]
        rows.append((Say("tables.total"), *blank, *totals))
    items: list[Item] = [Table(tuple(head), tuple(rows), total=bool(columns))]
    scoped = _scoped_rows(pieces)
    if scoped:
        items.append(Rows(tuple(scoped)))
    return Block(Say("subgoals.parts"), tuple(items))


def _part_name(piece: Piece, chain: bool) -> Say:
    facts = {"layer": layer_fact(piece.bound)}
    return (
        Say("tables.name", facts) if chain else Say("tables.named", {**facts, "name": piece.name})
    )


def _columns(
    pieces: Sequence[Piece], parts: Sequence[Derivation], quantity: str
) -> list[tuple[Say, list[Term]]]:
    """What is counted of each part: one column, or two where the bias is open."""
    if quantity == "shape":
        return []
    found = tuple(zip(pieces, parts, strict=True))
    sizes = [piece.times(derived.symbolic, quantity) for piece, derived in found]
    if quantity == "params" and any("b" in letters(size) for size in sizes):
        return [
            (Say("notes.without_bias"), [with_switch(size, 0) for size in sizes]),
            (Say("notes.with_bias"), [with_switch(size, 1) for size in sizes]),
        ]
    name = {"params": "count"}.get(quantity, quantity)
    columns = [(Say(f"tables.{name}"), sizes)]
    met = [piece.times(piece.bound.active, "active") for piece in pieces]
    if quantity == "params" and met != sizes and any(p.active != p.copies for p in pieces):
        columns.append((Say("tables.active"), met))
    return columns


def _scoped_rows(pieces: Sequence[Piece]) -> list[Row]:
    """What the derived sizes are that stayed letters, said once."""
    sizes = (ChainPart(piece.name, piece.bound).scoped() for piece in pieces)
    return [Row(S(letter), worked(size)) for found in sizes for letter, size in found.items()]
