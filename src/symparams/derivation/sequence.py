"""The derivation of a sequence: a table of its parts, the total below, each part unfolded."""

from __future__ import annotations

from ..algebra import Value, number
from ..chain import Chain, Part
from ..declaration import Bound
from ..terms import S, Size, Sum, Term, total
from . import count, shapes, uses
from .page import Block, Formula, Item, Page, Para, Row, Rows, Say, Table
from .plan import Plan, layer_fact, shape, worked
from .steps import Derivation, Step, worked_out


def _of_part(bound: Bound, quantity: str, level: str) -> Derivation:
    if quantity == "params":
        return count.derive(bound, level)
    if quantity == "shape":
        return shapes.derive(bound, level)
    return uses.derive(bound, quantity, level)


def derive(
    chain: Chain, quantity: str = "params", level: str = "exam", convention: str = "textbook"
) -> Derivation:
    """Derive and verify a quantity of a sequence, part by part.

    Raises:
        VerificationError: a step does not hold.
    """
    parts = [_of_part(part.bound, quantity, level) for part in chain.parts]
    sizes = {part.name: d.symbolic for part, d in zip(chain.parts, parts, strict=True)}
    steps = tuple(step for d in parts for step in d.steps) + _total_steps(sizes, quantity)
    plans = [Plan(part.bound) for part in chain.parts]
    value, with_bias, without_bias = _values(plans, parts, quantity)
    derivation = Derivation(
        layer=", ".join(part.bound.layer.id for part in chain.parts),
        quantity=quantity,
        level=level,
        convention=convention,
        formula=total(*sizes.values()),
        symbolic=total(*sizes.values()),
        steps=steps,
        page=_page(chain, plans, parts, quantity, level),
        value=value,
        with_bias=with_bias,
        without_bias=without_bias,
    )
    derivation.verify()
    return derivation


def _total_steps(sizes: dict[str, Term], quantity: str) -> tuple[Step, ...]:
    if quantity == "shape":
        return ()
    whole = total(*(Size(name) for name in sizes))

    def unfold(term: Term) -> Term:
        if isinstance(term, Sum):
            return total(*(sizes[t.name] for t in term.terms if isinstance(t, Size)))
        return sizes[term.name] if isinstance(term, Size) else term

    opened = unfold(whole)
    steps = [
        Step("define", "=", "count", quantity, Size(quantity), whole),
        Step("unfold", "=", "count", quantity, whole, opened, rewrite=unfold),
    ]
    return (*steps, *worked_out(opened, quantity))


def _values(
    plans: list[Plan], parts: list[Derivation], quantity: str
) -> tuple[Value | None, Value | None, Value | None]:
    """The value, and where biases are open the values with and without them."""
    if quantity == "shape":
        return None, None, None
    if quantity == "params" and any(plan.bias_open for plan in plans):
        with_bias = number(total(*(plan.with_bias for plan in plans)))
        return None, with_bias, number(total(*(_without(plan) for plan in plans)))
    return number(total(*(d.symbolic for d in parts))), None, None


def _without(plan: Plan) -> Term:
    return plan.weight_total if plan.bias_open else plan.with_bias


def _page(
    chain: Chain, plans: list[Plan], parts: list[Derivation], quantity: str, level: str
) -> Page:
    first, last = chain.parts[0].bound, chain.parts[-1].bound
    facts = {
        "inp": shape(first, first.layer.inputs),
        "out": shape(last, last.outputs),
    }
    blocks: list[Block] = [_parts_block(chain, plans, parts, quantity)]
    if level == "lecture":
        for part, d in zip(chain.parts, parts, strict=True):
            blocks += _unfolded(part, d)
    return Page(
        Say(f"titles.{quantity}", {"layer": Say("layers.sequence.a", {"n": len(chain.parts)})}),
        Say("titles.shapes", facts),
        tuple(blocks),
    )


def _unfolded(part: Part, derived: Derivation) -> list[Block]:
    head = Block(Say("subgoals.part", {"name": part.name}), (Para(Say("titles.part", {
        "layer": layer_fact(part.bound), "inp": shape(part.bound, part.bound.layer.inputs),
        "out": shape(part.bound, part.bound.outputs)})),))  # fmt: skip
    answer = derived.page.answer
    items: tuple[Item, ...] = (answer,) if answer is not None and not derived.page.blocks else ()
    return [head, *(Block(Say("subgoals.count"), (i,)) for i in items), *derived.page.blocks]


def _parts_block(chain: Chain, plans: list[Plan], parts: list[Derivation], quantity: str) -> Block:
    both = quantity == "params" and any(plan.bias_open for plan in plans)
    head = [Say("tables.part"), Say("tables.shape")]
    columns: list[list[Term]] = []
    if both:
        head += [Say("notes.without_bias"), Say("notes.with_bias")]
        columns = [[_without(p) for p in plans], [p.with_bias for p in plans]]
    elif quantity != "shape":
        head.append(Say(f"tables.{_column(quantity)}"))
        columns = [[worked(d.symbolic) for d in parts]]
    rows: list[tuple[object, ...]] = []
    for n, part in enumerate(chain.parts):
        cells = [Formula(column[n]) for column in columns]
        rows.append((Say("tables.name", {"layer": layer_fact(part.bound)}),
                     shape(part.bound, part.bound.outputs), *cells))  # fmt: skip
    if columns:
        totals = [Formula(worked(total(*column))) for column in columns]
        rows.append((Say("tables.total"), None, *totals))
    items: list[Item] = [Table(tuple(head), tuple(rows), total=bool(columns))]
    scoped = _scoped_rows(chain)
    if scoped:
        items.append(Rows(tuple(scoped)))
    return Block(Say("subgoals.parts"), tuple(items))


def _column(quantity: str) -> str:
    return {"params": "count", "flops": "flops"}.get(quantity, quantity)


def _scoped_rows(chain: Chain) -> list[Row]:
    """What the derived sizes are that stayed letters, said once."""
    rows = []
    for part in chain.parts:
        for define in part.bound.layer.defines:
            held = part.bound.values.get(define.symbol)
            if held == S(f"{part.name}.{define.symbol}"):
                values = {k: v for k, v in part.bound.values.items() if k != define.symbol}
                opened = type(part.bound)(part.bound.layer, values).expand(define.term)
                rows.append(Row(held, worked(opened)))
    return rows
