"""Multiply-accumulates, floating-point operations and output values: where a size counts.

The same fold as the parameters, without sharing: a weight counts as often as it is used.
Units: one input; padding taps are counted, biases are not; FLOPs are twice the
multiply-accumulates.
"""

from __future__ import annotations

from ..algebra import number
from ..axes import box_size
from ..declaration import Bound
from ..terms import Num, Prod, Size, Term, product, total
from .checks import machine_line
from .page import Block, Formula, Item, Page, Para, Row, Rows, Say
from .plan import Plan, formula_bound, formula_words, layer_fact, shape, shapes, whole, worked
from .steps import Derivation, Step, index_steps, worked_out
from .story import Story


def derive(
    bound: Bound, quantity: str, level: str = "exam", convention: str = "textbook"
) -> Derivation:
    """Derive and verify ``macs``, ``flops`` or ``activations``.

    Raises:
        VerificationError: a step does not hold.
    """
    plan = Plan(bound, convention)
    count = quantity_term(bound, quantity)
    steps = _steps(plan, quantity, count)
    answer = worked(bound.put(count))
    derivation = Derivation(
        layer=bound.layer.id,
        quantity=quantity,
        level=level,
        convention=convention,
        formula=quantity_term(Bound(bound.layer), quantity),
        symbolic=bound.put(count),
        steps=steps,
        page=_page(plan, quantity, level, answer),
        value=number(answer),
    )
    derivation.verify()
    return derivation


def quantity_term(bound: Bound, quantity: str) -> Term:
    """A quantity in letters."""
    if quantity == "activations":
        return bound.activations
    if quantity == "flops":
        return product(Num(2), bound.macs) if bound.tensors else Num(0)
    return bound.macs


def _steps(plan: Plan, quantity: str, count: Term) -> tuple[Step, ...]:
    bound = plan.bound
    steps: list[Step] = []
    if quantity != "activations":
        for story in plan.weights:
            steps += [s for s in index_steps(bound, story.tensor) if s.rule != "share"]
    steps.append(Step("define", "=", "count", quantity, Size(quantity), count))
    put = bound.put(count)
    if put != count:
        steps.append(Step("substitute", "=", "count", quantity, count, put,
                          rewrite=bound.put, values=bound.values))  # fmt: skip
    return (*steps, *worked_out(put, quantity))


def _page(plan: Plan, quantity: str, level: str, answer: Term) -> Page:
    title = Say(f"titles.{quantity}", {"layer": layer_fact(plan.bound)})
    generic = formula_bound(plan.bound)
    formula = worked(generic.put(quantity_term(generic, quantity)))
    words = formula_words(formula, f"formula.{quantity}", plan.convention, plan.family)
    if quantity == "activations":
        blocks = [_activation_block(plan)]
        facts = {"shape": shape(plan.bound, plan.bound.outputs), "n": Formula(answer)}
    else:
        blocks = _use_blocks(plan, quantity)
        facts = {"n": Formula(answer)}
    none = quantity != "activations" and not plan.weights
    head = Para(
        Say(f"uses.{'none' if none else quantity}", {**facts, "flops": quantity == "flops"})
    )
    return Page(
        title,
        shapes(plan.bound),
        () if level == "line" else tuple(blocks),
        answer=head,
        formula=words if not none else (),
    )


def _activation_block(plan: Plan) -> Block:
    size = product(*plan.bound.box(plan.bound.outputs))
    row = Row(size, None if worked(size) == size else worked(size), Say("uses.values"), strong=True)
    return Block(Say("subgoals.count"), (Rows((row,)),), "=")


def _use_blocks(plan: Plan, quantity: str) -> list[Block]:
    blocks = []
    for story in plan.weights:
        blocks.append(_story_block(plan, story, quantity))
    if len(plan.weights) > 1:
        left = total(*(worked(plan.bound.put(s.tensor.uses)) for s in plan.weights))
        row = Row(left, worked(left), Say("units.together"), strong=True)
        blocks.append(Block(Say("subgoals.count"), (Rows((row,)),), "="))
    if plan.weights:
        items: list[Item] = []
        main = plan.weights[0]
        if main.shared:
            facts = {
                "sites": Formula(worked(plan.bound.put(box_size(main.shared)))),
                "weights": Formula(plan.weight_total),
                "uses": Formula(worked(plan.bound.put(main.tensor.uses))),
            }
            items.append(Para(Say("uses.check", facts)))
        items.append(Para(machine_line(plan), aside=True))
        blocks.append(Block(Say("subgoals.check"), tuple(items)))
    return blocks


def _story_block(plan: Plan, story: Story, quantity: str) -> Block:
    uses = plan.bound.put(story.tensor.uses)
    one = product(*story.inner)
    sites = product(*plan.bound.box(story.shared))
    units = product(*story.outer)
    rows = []
    if len(story.inner) > 1:
        rows.append(Row(one, _same(one), Say(f"uses.one.{'spread' if story.spread else 'seen'}")))
    each = worked(one)
    factors = [worked(units), each]
    if story.shared and not story.summed:
        factors.insert(0, worked(sites))
    left = product(
        *(part for f in factors for part in (f.factors if isinstance(f, Prod) else (f,)))
    )
    rows.append(
        Row(left, worked(uses) if whole(uses) is not None else None, Say("uses.all"), strong=True)
    )
    if quantity == "flops":
        left = product(Num(2), worked(uses))
        rows.append(
            Row(
                left,
                worked(left) if whole(uses) is not None else None,
                Say("uses.twice"),
                strong=True,
            )
        )
    return Block(
        Say("subgoals.uses"), (Rows(tuple(rows)), Para(Say("uses.units"), aside=True)), "="
    )


def _same(size: Term) -> Term | None:
    found = worked(size)
    return None if found == size else found
