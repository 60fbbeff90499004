"""The exam level and the one-line level of a parameter count."""

from __future__ import annotations

from ..terms import Prod, Rel, product
from ..words import first
from .blocks import (
    added,
    axes_block,
    count_block,
    relative_block,
    restrict_block,
    share_block,
    size_facts,
)
from .checks import callout, check_block, formula
from .page import (
    Page,
    Para,
    Say,
)
from .plan import (
    Plan,
    layer_fact,
    plain,
    shapes,
    worked,
)


def page(plan: Plan) -> Page:
    """Subgoals in order, those with something to do; every line worth a mark."""
    blocks = (
        axes_block(plan),
        relative_block(plan),
        restrict_block(plan),
        share_block(plan),
        count_block(plan),
        check_block(plan),
    )
    head, text = callout(plan)
    return Page(
        Say("titles.params", {"layer": layer_fact(plan.bound)}),
        shapes(plan.bound),
        tuple(block for block in blocks if block is not None),
        callout_title=head,
        callout=text,
        formula=formula(plan),
    )


def line(plan: Plan) -> Page:
    """The formula, the numbers, the result, and why the size is not in it."""
    main = plan.main
    assert main is not None
    inner, outer = product(*main.inner), product(*main.outer)
    left = product(*main.outer, Prod(main.inner)) if len(main.inner) > 1 else product(outer, inner)
    if not main.inner:
        left = outer
    if len(plan.weights) > 1 or main.factor is not None:
        left = added(product(*plain(box)) for s in plan.weights for box in s.kept)
    facts = {
        **size_facts(plan),
        "line": left if worked(left) == left else Rel(left, plan.weight_total),
        "bias": plan.bias_total,
        "open": plan.bias_open,
        "biases": len(plan.biases),
        "total": plan.with_bias if plan.bias_total is not None else None,
        "several": len(plan.weights) > 1,
        "unit": Say(first(f"units.{plan.layer.id}.per", f"units.{plan.family}.per")),
        "units": Say(f"units.{plan.family}.many", {"n": outer, "each": inner}),
    }
    answer = Para(Say(first(f"line.kinds.{main.tensor.kind}", "line.params"), facts))
    return Page(
        Say("titles.params", {"layer": layer_fact(plan.bound)}),
        shapes(plan.bound),
        answer=answer,
        formula=formula(plan),
    )
