"""Checks, the callout and the formula at the end of a count's page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from ..axes import box_size
from ..terms import Num, Rel, S, product, total
from ..words import first
from .blocks import kind_of, size_facts
from .page import Block, Dims, Formula, Item, Listing, Para, Say
from .plan import Plan, doubled, formula_bound, formula_words, indices, letter, whole, worked
from .steps import Step
from .story import Story


def check_block(plan: Plan) -> Block:
    """Checks a reader can do, then what the machine checked."""
    items: list[Item] = []
    twice = doubled(plan.bound)
    if plan.positions and twice is not None:
        again = worked(total(*(twice.put(t.size) for t in plan.tensors)))
        facts = {
            "shape": Dims(twice.box(plan.positions)),
            "same": again == plan.with_bias,
            "number": again,
        }
        items.append(Para(Say("steps.check.doubled", facts)))
    grouped = _grouped(plan)
    if grouped is not None:
        items.append(Para(grouped))
    items += kept_items(plan)
    items.append(Para(machine_line(plan.steps), aside=True))
    return Block(Say("subgoals.check"), tuple(items))


def kept_items(plan: Plan) -> list[Item]:
    """What is kept beside the trained parameters: weights that are not trained, and buffers."""
    items: list[Item] = []
    kept = [t for t in plan.bound.tensors if not t.trainable and t.end.stored]
    for say, size in (
        ("not_trained", plan.bound.stored(trainable=False)), ("buffers", plan.bound.buffers)
    ):  # fmt: skip
        found = [t.name for t in kept if (t.kind == "buffer") == (say == "buffers")]
        if found:
            facts = {"names": ", ".join(found), "n": Formula(worked(size)),
                     "all": Formula(worked(plan.with_bias + size)),
                     "some": bool(plan.stories)}  # fmt: skip
            items.append(Para(Say(f"notes.kept.{say}", facts), aside=True))
    return items


def _grouped(plan: Plan) -> Say | None:
    """(inputs of one unit + 1) times the units: the bias stands with the inputs."""
    main = plan.main
    assert main is not None
    if len(plan.weights) != 1 or len(plan.biases) != 1 or main.spread or main.factor:
        return None
    if main.tensor.kind != "weight":
        return None
    outer = product(*main.outer)
    if worked(outer) != plan.bias_total:
        return None
    left = product(product(*main.inner) + 1, outer)
    facts = {
        "line": left if left == plan.with_bias else Rel(left, plan.with_bias),
        "unit": Say(f"units.{plan.family}.the"),
        "n": Formula(worked(product(*main.inner))),
    }
    return Say("steps.check.grouped", facts)


def machine_line(steps: Iterable[Step]) -> Say:
    """What was verified, and where labels were counted."""
    proofs = [s.evidence for s in steps if s.evidence is not None and s.kind == "~>"]
    name, sizes = proofs[0].shown if proofs else ("", ())
    facts = {
        "assumed": bool(proofs),
        "letter": S(name) if name else None,
        "sizes": Listing(tuple(Num(n) for n in sizes)),
    }
    return Say("steps.check.machine", facts)


def callout(plan: Plan) -> tuple[Say | None, Say | None]:
    """The paragraph that says why the size does not matter, or why it does."""
    main = plan.main
    assert main is not None
    change = main.window_change()
    facts = {
        **size_facts(plan),
        "window": change.after if change else None,
        "uses": Formula(plan.sized(main.tensor.uses)),
        "numeric": whole(plan.sized(main.tensor.uses)) is not None,
        "w": letter(main),
        "remaining": indices(plan.stays),
        "shared": _if_shared(plan, main),
    }
    kind = kind_of(plan)
    if kind == "none":
        return None, None
    group = (
        kind if kind == "relative" else "drops" if plan.drops else "stays" if plan.stays else kind
    )
    return (Say(first(f"why.title.{group}", "why.title.lead"), facts),
            Say(first(f"why.callout.{kind}", "why.callout.other"), facts))  # fmt: skip


def _if_shared(plan: Plan, main: Story) -> Formula | None:
    """What the count would be if the positions that stay were shared."""
    names = {a.name for a in plan.stays}
    if not names:
        return None
    box = tuple(a for a in main.tensor.end.boxes[0] if a.name not in names)
    return Formula(plan.sized(box_size(box)))


def formula(plan: Plan) -> tuple[Say, ...]:
    """The formula in letters, and what its letters are."""
    generic = formula_bound(plan.bound)
    key = ("formula", plan.convention, frozenset(generic.values.items()))
    memo = plan.layer.memo
    if key not in memo:
        count = worked(generic.put(generic.count()))
        memo[key] = formula_words(count, "formula.params", plan.convention, plan.layer)
    return cast(tuple[Say, ...], memo[key])
