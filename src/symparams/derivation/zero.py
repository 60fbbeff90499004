"""A layer without weights: one sentence that says why there is nothing to count, and its shape."""

from __future__ import annotations

from ..calculus import Fix
from .checks import kept_items
from .page import Block, Page, Para, Say
from .plan import Plan, layer_fact, shapes
from .shapes import shape_block


def page(plan: Plan, level: str) -> Page:
    """The sentence, and (from the exam level on) how the output size comes about."""
    blocks: list[Block] = []
    if level != "line":
        found = shape_block(plan.bound)
        if found is not None:
            blocks.append(found)
        kept = kept_items(plan)
        if kept:
            blocks.append(Block(Say("subgoals.kept"), tuple(kept)))
    callout = None
    if level == "lecture" and plan.positions:
        callout = Say("zero.note")
    return Page(
        Say("titles.params", {"layer": layer_fact(plan.bound)}),
        shapes(plan.bound),
        tuple(blocks),
        answer=Para(Say(f"zero.{plan.family}", {"fixed": _fixed(plan)})),
        callout=callout,
    )


def _fixed(plan: Plan) -> object:
    for tensor in plan.bound.tensors:
        for rule in tensor.rules:
            if isinstance(rule, Fix) and rule.value is not None:
                return plan.bound.put(rule.value)
    return None
