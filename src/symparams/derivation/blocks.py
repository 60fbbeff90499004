"""The subgoals of a count as blocks of a page, the same for every layer."""

from __future__ import annotations

from collections.abc import Iterable

from ..axes import box_size
from ..terms import ONE, Num, Prod, Term, children, product, total
from .page import (
    Block,
    Change,
    Equation,
    Formula,
    Item,
    Letter,
    Para,
    Row,
    Rows,
    Say,
)
from .plan import (
    Plan,
    axes_facts,
    fit_line,
    indices,
    letter,
    positions_size,
    whole,
    worked,
)
from .story import Story, equations


def size_facts(plan: Plan) -> dict[str, object]:
    """What is said of the size: how it leaves the count, and how many sites there are."""
    main = plan.main
    assert main is not None
    return {
        "kind": kind_of(plan),
        "size": positions_size(plan) if plan.positions else None,
        "spread": main.spread,
        "sites": Formula(_numbers(plan.bound.put(box_size(main.shared)))) if main.shared else None,
    }


def kind_of(plan: Plan) -> str:
    """How the sites leave the count, or that they stay: the key of what is said of it."""
    main = plan.main
    assert main is not None
    if plan.drops:
        return "summed" if main.summed else "spread" if main.spread else "position"
    if plan.stays:
        role = plan.stays[0].role
        if role != "position":
            return f"stays_{role}"
        return "local" if main.windows else "normed" if main.diagonals else "flattened"
    shared = [a.role for s in plan.weights for a in s.shared]
    return shared[0] if shared else "none"


def _numbers(size: Term) -> Term:
    """A product of numbers worked out; letters as they are."""
    found = whole(size)
    return size if found is None else Num(found)


# --- blocks -------------------------------------------------------------------------------


def axes_block(plan: Plan) -> Block:
    """Every axis with its size; stride and padding that fit."""
    main = plan.main
    assert main is not None
    items: list[Item] = []
    if len(plan.weights) == 1:
        items.append(Para(Say("steps.axes.both", axes_facts(main))))
    for story in plan.weights if len(plan.weights) > 1 else ():
        facts = {**axes_facts(story), "w": letter(story), "reads": bool(story.tensor.inputs)}
        items.append(Para(Say("steps.axes.tensor", facts)))
    fit = fit_line(plan.bound)
    if fit is not None:
        items.append(Para(fit, aside=True))
    if not main.windows:
        items += [Equation(written) for written in equations(plan.bound, plan.stories)]
    return Block(Say("subgoals.axes"), tuple(items))


def relative_block(plan: Plan) -> Block | None:
    """The equation, with positions named relative to a site."""
    main = plan.main
    if main is None or not main.windows:
        return None
    items: list[Item] = [Equation(written) for written in equations(plan.bound, plan.stories)]
    if not items:
        return None
    if main.spread and plan.biases:
        facts = {"b": letter(plan.biases[0]), "open": plan.bias_open}
        items.append(Para(Say("steps.relative.spread_bias", facts), aside=True))
    if main.group is not None:
        other = main.axis(main.group.other).index
        cut = main.axis(main.group.cut).index
        facts = {"letter": Letter("g_" + other), "o": Letter(other), "c": Letter(cut)}
        items.append(Para(Say("steps.relative.group", facts), aside=True))
    return Block(Say("subgoals.relative"), tuple(items), "=")


def restrict_block(plan: Plan) -> Block | None:
    """Locality, groups, and axes that keep to themselves; the same words said once."""
    items: list[Item] = []
    for story in plan.weights:
        items += [item for item in restrict_items(plan, story) if item not in items]
    main = plan.main
    if main is not None and plan.drops and not main.summed and len(plan.weights) == 1:
        unshared = whole(plan.bound.put(main.unshared()))
        if unshared is not None:
            facts = {"number": unshared, "spread": main.spread}
            items.append(Para(Say("steps.restrict.local", facts), aside=True))
    return Block(Say("subgoals.restrict"), tuple(items), "~>") if items else None


def restrict_items(plan: Plan, story: Story) -> list[Item]:
    """What one tensor's restrictions do."""
    items: list[Item] = []
    change = story.window_change()
    if change is not None:
        say = "steps.restrict.spread" if story.spread else "steps.restrict.window"
        facts = {"window": change.after, "one": whole(change.after) == 1}
        items.append(Para(Say(say, facts), change=change))
    for role in dict.fromkeys(w.before.role for w in story.diagonals):
        items.append(_diagonal_item(plan, story, role))
    if story.group is not None:
        items.append(_group_item(plan, story))
    return items


def _diagonal_item(plan: Plan, story: Story, role: str) -> Para:
    own = [w for w in story.diagonals if w.before.role == role]
    before = product(*(plan.bound.put(w.before.size) for w in own))
    sites = tuple(story.axis(w.offset.site) for w in own)
    facts = {"letters": indices(sites), "n": before, "many": len(sites) > 1}
    return Para(Say(f"steps.restrict.own.{role}", facts), change=Change(before, ONE, "restrict"))


def _group_item(plan: Plan, story: Story) -> Para:
    group = story.group
    assert group is not None
    cut = story.axis(group.cut)
    before, parts = plan.bound.put(cut.size), plan.bound.put(group.groups)
    after = worked(before / parts)
    facts = {"groups": parts, "part": after, "spread": story.spread}
    return Para(Say("steps.restrict.group", facts), change=Change(before, after, "group"))


def share_block(plan: Plan) -> Block | None:
    """Which sites are no index of the weights and biases, together where they are the same."""
    items = share_items(plan.stories)
    return Block(Say("subgoals.share"), tuple(items), "~>") if items else None


def share_items(stories: tuple[Story, ...]) -> list[Item]:
    """One sentence for all tensors shared over the same sites in the same way."""
    groups: dict[tuple[object, ...], list[Story]] = {}
    for story in stories:
        if story.shared:
            key = (tuple(a.name for a in story.shared), story.spread, story.summed)
            groups.setdefault(key, []).append(story)
    items: list[Item] = []
    for together in groups.values():
        first = together[0]
        kind = "summed" if first.summed else "spread" if first.spread else first.shared[0].role
        facts = {
            "sites": indices(first.shared),
            "letters": tuple(letter(story) for story in together),
            "many": len(first.shared) > 1,
            "bias": all(story.tensor.kind == "bias" for story in together),
        }
        items.append(Para(Say(f"steps.share.{kind}", facts), change=first.share_change()))
    return items


def count_block(plan: Plan) -> Block:
    """One unit, all units, biases: the lines that earn the marks."""
    rows: list[Row] = []
    if len(plan.weights) == 1:
        rows += weight_rows(plan, plan.weights[0])
    else:
        rows += [tensor_row(plan, story) for story in plan.weights]
        left = total(*(plan.sized(s.tensor.size) for s in plan.weights))
        strong = plan.bias_open or not plan.biases
        note = _note(plan, "without_bias")
        label = Say("units.together")
        rows.append(Row(left, _new(left, plan.weight_total), label, note, strong))
    if plan.bias_total is not None:
        rows += _bias_rows(plan, rows[-1])
    return Block(Say("subgoals.count"), (Rows(tuple(rows)),), "=")


def tensor_row(plan: Plan, story: Story) -> Row:
    """The whole of one tensor among several."""
    left = product(*plan.bound.box(story.tensor.end.boxes[0]))
    return Row(left, _new(left, plan.sized(story.tensor.size)),
               Say("units.tensor", {"w": letter(story)}))  # fmt: skip


def _bias_rows(plan: Plan, before: Row) -> list[Row]:
    assert plan.bias_total is not None
    several = len(plan.biases) > 1
    rows = [tensor_row(plan, story) for story in plan.biases] if several else []
    weights = before.left if before.right is None else plan.weight_total
    assert isinstance(weights, Term)
    left = weights + plan.bias_total
    label = Say("units.with_biases") if several else Say(
        f"units.{plan.family}.bias", {"n": plan.bias_total})  # fmt: skip
    note = _note(plan, "with_bias")
    return [*rows, Row(left, _new(left, plan.with_bias), label, note, True)]


def _note(plan: Plan, which: str) -> Say | None:
    return Say(f"notes.{which}") if plan.bias_open else None


def _new(left: Term, right: Term) -> Term | None:
    return None if left == right else right


def weight_rows(plan: Plan, story: Story) -> list[Row]:
    """One unit, then all of them."""
    one = product(*story.inner)
    unit = worked(one)
    many = product(*story.outer) if story.outer else ONE
    all_units = plan.sized(story.tensor.size)
    single = len(plan.weights) == 1
    note = _note(plan, "without_bias") if single else None
    strong = single and (plan.bias_open or plan.bias_total is None)
    rows = []
    if len(story.inner) > 1:
        label = Say(f"units.{plan.family}.one", {"w": letter(story)})
        rows.append(Row(one, _new(one, unit), label))
    label = Say(f"units.{plan.family}.many", {"n": many, "each": unit, "w": letter(story)})
    left = product(*flat((*story.outer, unit)))
    right = all_units if sum(isinstance(f, Num) for f in children(left)) > 1 else None
    rows.append(Row(left, right, label, note, strong))
    return rows


def flat(factors: Iterable[Term]) -> tuple[Term, ...]:
    """Factors side by side: a product among them joins the others."""
    return tuple(part for f in factors for part in (f.factors if isinstance(f, Prod) else (f,)))
