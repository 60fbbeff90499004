"""Multiply-accumulates, floating-point operations and output values: where a size counts.

The same fold as the parameters, without sharing: a weight counts as often as it is used.
Units: one input; padding taps are counted, biases are not; FLOPs are twice the
multiply-accumulates.
"""

from __future__ import annotations

from ..algebra import number
from ..axes import box_size
from ..declaration import Bound
from ..terms import ONE, Num, Size, Term, product, total
from ..words import first
from .blocks import added, flat, tensors_of
from .checks import machine_line
from .page import Block, Formula, Item, Page, Para, Row, Rows, Say
from .plan import (
    Plan,
    formula_bound,
    formula_words,
    layer_fact,
    shape,
    shapes,
    whole,
    worked,
)
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
        for story in used(bound):
            steps += index_steps(bound, story.tensor.unshared)
    steps.append(
        Step("define", "=", "count", quantity, Size(quantity), count, rewrite=lambda _: count)
    )
    put = bound.put(count)
    if put != count:
        steps.append(Step("substitute", "=", "count", quantity, count, put,
                          rewrite=bound.put, values=bound.values))  # fmt: skip
    return (*steps, *worked_out(put, quantity))


def _nothing(plan: Plan) -> str:
    kind = plan.main.tensor.kind if plan.main is not None else ""
    return first(f"uses.nothing.{kind}", "uses.none")


def _page(plan: Plan, quantity: str, level: str, answer: Term) -> Page:
    title = Say(f"titles.{quantity}", {"layer": layer_fact(plan.bound)})
    generic = formula_bound(plan.bound)
    formula = worked(generic.put(quantity_term(generic, quantity)))
    words = formula_words(formula, f"formula.{quantity}", plan.convention, plan.layer)
    if quantity == "activations":
        blocks = [_activation_block(plan)]
        facts = {"shape": shape(plan.bound, plan.bound.outputs), "n": Formula(answer)}
    else:
        blocks = _use_blocks(plan, quantity)
        facts = {"n": Formula(answer)}
    none = quantity != "activations" and not used(plan.bound)
    head = Para(
        Say(_nothing(plan) if none else f"uses.{quantity}", {**facts, "flops": quantity == "flops"})
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


def used(bound: Bound) -> tuple[Story, ...]:
    """What is multiplied, frozen weights and scores computed from the data included."""
    return tuple(Story(bound, tensor) for tensor in bound.tensors if tensor.multiplied)


def _use_blocks(plan: Plan, quantity: str) -> list[Block]:
    stories = used(plan.bound)
    if not stories:
        return []
    rows = _one_use(plan, stories[0]) if len(stories) == 1 else _several_uses(plan, stories)
    if quantity == "flops":
        whole_use = worked(plan.bound.put(plan.bound.macs))
        left = product(Num(2), whole_use)
        rows.append(Row(left, _worked_out(left), Say("uses.twice"), strong=True))
    windowed = any(story.windows for story in stories)
    items: tuple[Item, ...] = (
        Rows(tuple(rows)),
        Para(Say("uses.units", {"padding": windowed}), aside=True),
    )
    return [Block(Say("subgoals.uses"), items, "="), _check(plan, stories)]


def _check(plan: Plan, stories: tuple[Story, ...]) -> Block:
    items: list[Item] = []
    main = stories[0]
    if len(stories) == 1 and main.shared and not main.summed:
        facts = {
            "sites": Formula(worked(plan.bound.put(box_size(main.shared)))),
            "weights": Formula(worked(plan.bound.put(main.tensor.size))),
            "uses": Formula(worked(plan.bound.put(main.tensor.uses))),
        }
        items.append(Para(Say("uses.check", facts)))
    items.append(Para(machine_line(plan.steps), aside=True))
    return Block(Say("subgoals.check"), tuple(items))


def _one_use(plan: Plan, story: Story) -> list[Row]:
    """One value, then all of them."""
    one = product(*story.inner)
    rows = []
    if len(story.inner) > 1:
        say = "uses.one.spread" if story.spread else "uses.one.seen"
        rows.append(Row(one, _same(one), Say(say)))
    left = _factors(plan, story)
    return [*rows, Row(left, _worked_out(left), Say("uses.all"), strong=True)]


def _several_uses(plan: Plan, stories: tuple[Story, ...]) -> list[Row]:
    """Each tensor's uses, those alike in one row, then all together."""
    alike: dict[Term, list[Story]] = {}
    for story in stories:
        alike.setdefault(_factors(plan, story), []).append(story)
    rows = [Row(left, _worked_out(left), tensors_of(same)) for left, same in alike.items()]
    left = added(worked(plan.bound.put(story.tensor.uses)) for story in stories)
    return [*rows, Row(left, _worked_out(left), Say("units.together"), strong=True)]


def _factors(plan: Plan, story: Story) -> Term:
    """Sites, units and what each has, as one product; of a factored map, one for each factor."""
    if story.factor is not None:
        sites = worked(product(*plan.bound.box(story.shared)))
        return total(*(product(*flat(f for f in (sites, *box) if f != ONE)) for box in story.kept))
    factors = [worked(product(*story.outer)), worked(product(*story.inner))]
    if story.shared and not story.summed:
        factors.insert(0, worked(product(*plan.bound.box(story.shared))))
    return product(*flat(factors))


def _worked_out(size: Term) -> Term | None:
    return worked(size) if whole(size) is not None else None


def _same(size: Term) -> Term | None:
    found = worked(size)
    return None if found == size else found
