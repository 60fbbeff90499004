"""The derivation of a layer's trainable parameters, at any level."""

from __future__ import annotations

from dataclasses import replace

from ..algebra import Value, depends_on, number
from ..declaration import Bound
from ..rewriting import Form, Rewrite
from ..terms import letters
from . import exam
from .page import Block, Page, Rows, Say
from .plan import Plan
from .simplified import lines_of, rows, step
from .steps import Derivation


def derive(
    bound: Bound, level: str = "exam", convention: str = "textbook", form: Form | None = None
) -> Derivation:
    """Derive, verify and lay out the count of a layer's trainable parameters.

    With ``form`` the count is then brought to that form, in named steps.

    Raises:
        VerificationError: a step does not hold (nothing is shown then).
    """
    plan = Plan(bound, convention)
    page = _page(plan, level)
    lines: tuple[Rewrite, ...] = ()
    if form is not None and letters(bound.params):
        lines = lines_of(bound.params, form)
        block = Block(Say("subgoals.form"), (Rows(rows(bound.params, lines), chain=True),), "=")
        page = replace(page, blocks=(*page.blocks, block))
    derivation = Derivation(
        layer=bound.layer.id,
        quantity="params",
        level=level,
        convention=convention,
        formula=bound.formula(),
        symbolic=lines[-1].after if lines else bound.params,
        steps=plan.steps + tuple(step(line, "params") for line in lines),
        page=page,
        remaining=_remaining(plan),
        dropped=_dropped(plan),
        not_trained=plan.bound.stored(trainable=False),
        buffers=plan.bound.buffers,
        **_values(plan),
    )
    derivation.verify()
    return derivation


def _page(plan: Plan, level: str) -> Page:
    if plan.main is None:
        from . import zero

        return zero.page(plan, level)
    if level == "line":
        return exam.line(plan)
    if level == "lecture":
        from . import lecture

        return lecture.page(plan)
    return exam.page(plan)


def _values(plan: Plan) -> dict[str, Value | None]:
    with_bias, without = number(plan.with_bias), number(plan.weight_total)
    if plan.bias_open:
        return {"value": None, "with_bias": with_bias, "without_bias": without}
    return {"value": with_bias}


def _remaining(plan: Plan) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for tensor in plan.tensors:
        for box in tensor.end.boxes:
            for axis in box:
                names.setdefault(axis.name)
    return tuple(names)


def _dropped(plan: Plan) -> tuple[str, ...]:
    """The layer's axes that the count does not depend on."""
    full = Bound(plan.layer, {k: v for k, v in plan.bound.values.items() if k in _structure(plan)})
    count = full.expand(full.count())
    every = dict.fromkeys(a.name for a in (*plan.layer.inputs, *plan.layer.outputs))
    remaining = set(_remaining(plan))
    return tuple(n for n in every if n not in remaining and not depends_on(count, n))


def _structure(plan: Plan) -> set[str]:
    return {*plan.layer.switches, *(c.divisor for c in plan.layer.requires)}
