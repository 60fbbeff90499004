"""The subgoals of a count as blocks of a page, the same for every layer."""

from __future__ import annotations

from collections.abc import Iterable

from ..axes import Axis, Box, box_size
from ..calculus import Pad
from ..terms import ONE, ZERO, Num, Prod, Term, children, product, total
from ..words import first
from .page import (
    Block,
    Change,
    Dims,
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
    plain,
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
    if plan.drops and main.padded:
        return "relative"
    if plan.drops and not main.windows and not main.summed:
        return "scaled" if all(a.role == "position" for a in main.shared) else "single"
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
    one = len(plan.weights) == 1 and bool(main.tensor.inputs)
    if one:
        items.append(Para(Say("steps.axes.both", axes_facts(main))))
    items += [] if one else tensor_axes(plan)
    fit = fit_line(plan.bound)
    if fit is not None:
        items.append(Para(fit, aside=True))
    if not main.windows:
        items += [Equation(written) for written in equations(plan.bound, plan.written)]
    return Block(Say("subgoals.axes"), tuple(items))


def tensor_axes(plan: Plan) -> list[Item]:
    """The axes of each of several weights."""
    return [
        Para(Say("steps.axes.tensor", {**axes_facts(story), "w": letter(story),
                                       "reads": bool(story.tensor.inputs)}))
        for story in plan.weights
    ]  # fmt: skip


def relative_block(plan: Plan) -> Block | None:
    """The equation, with positions named relative to a site."""
    main = plan.main
    if main is not None and any(story.merges for story in plan.stories):
        return Block(Say("subgoals.relative"), tuple(split_items(plan, plan.stories)), "=")
    if main is not None and main.padded:
        return Block(Say("subgoals.relative"), tuple(padded_items(plan, main)), "=")
    if main is None or not main.windows:
        return None
    items: list[Item] = [Equation(written) for written in equations(plan.bound, plan.written)]
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


def padded_items(plan: Plan, story: Story) -> list[Item]:
    """Two positions become the offset between them: how many offsets there are."""
    names = [rule.offset.moved for rule in story.tensor.rules if isinstance(rule, Pad)]
    old = tuple(story.axis(name) for name in names)
    new = tuple(a for a in story.tensor.end.boxes[0] if a.role == "offset")
    facts = {
        "moved": indices(old), "sites": indices(story.shared),
        "n": Dims(tuple(plan.sized(a.size) for a in old)),
        "offsets": Dims(tuple(plan.sized(a.size) for a in new)),
    }  # fmt: skip
    return [Para(Say("steps.relative.padded", facts))]


def split_items(plan: Plan, stories: tuple[Story, ...]) -> list[Item]:
    """Two axes written as one: once for all tensors in which they are as long."""
    met: dict[tuple[Term, Term], list[Story]] = {}
    for story in stories:
        for rule in story.merges:
            sizes = plain(plan.bound.box((rule.outer, rule.inner)))
            met.setdefault((sizes[0], sizes[1]), []).append(story)
    items: list[Item] = []
    for (outer, inner), together in met.items():
        rule = together[0].merges[0]
        facts = {
            "outer": outer, "inner": inner, "whole": plan.sized(rule.whole.size),
            "old": indices((rule.outer, rule.inner)), "new": Letter(rule.whole.index),
            "letters": tuple(letter(s) for s in together if s.tensor.kind != "bias"),
        }  # fmt: skip
        items.append(Para(Say(f"steps.relative.merged.{rule.outer.role}", facts)))
    return items


def restrict_block(plan: Plan) -> Block | None:
    """Locality, groups, and axes that keep to themselves; the same words said once."""
    items: list[Item] = []
    alike: dict[tuple[str, Term], list[Story]] = {}
    for story in plan.weights:
        for role, before in _own_places(plan, story):
            alike.setdefault((role, before), []).append(story)
    for story in plan.weights:
        items += [item for item in _window_items(plan, story) if item not in items]
        places = _own_places(plan, story)
        items += [_diagonal_item(plan, alike.pop(key), key) for key in places if key in alike]
        items += [item for item in _group_items(plan, story) if item not in items]
        items += factor_items(plan, story)
    main = plan.main
    local = main is not None and bool(main.windows) and plan.drops and not main.summed
    if main is not None and local and len(plan.weights) == 1:
        unshared = whole(plan.bound.put(main.unshared()))
        if unshared is not None:
            facts = {"number": unshared, "spread": main.spread}
            items.append(Para(Say("steps.restrict.local", facts), aside=True))
    return Block(Say("subgoals.restrict"), tuple(items), "~>") if items else None


def restrict_items(plan: Plan, story: Story) -> list[Item]:
    """What one tensor's restrictions do."""
    own = [_diagonal_item(plan, [story], key) for key in _own_places(plan, story)]
    return [*_window_items(plan, story), *own, *_group_items(plan, story),
            *factor_items(plan, story)]  # fmt: skip


def factor_items(plan: Plan, story: Story) -> list[Item]:
    """A map that is a product of two thin ones."""
    factor = story.factor
    if factor is None:
        return []
    dense = product(*plan.bound.box([story.axis(n) for n in (*factor.left, *factor.right)]))
    sizes = [tuple(axis for axis in box if axis.name not in _names(story.shared))
             for box in story.tensor.end.boxes]  # fmt: skip
    thin = total(*(product(*plan.bound.box(box)) for box in sizes))
    facts = {"w": letter(story), "rank": plan.bound.put(factor.rank.size),
             "one": Letter(factor.letters[0]), "other": Letter(factor.letters[1])}  # fmt: skip
    return [Para(Say("steps.restrict.factor", facts), change=Change(dense, thin, "factor"))]


def _names(box: Box) -> set[str]:
    return {axis.name for axis in box}


def _window_items(plan: Plan, story: Story) -> list[Item]:
    change = story.window_change()
    if change is None:
        return []
    say = "steps.restrict.spread" if story.spread else "steps.restrict.window"
    reads = story.tensor.reads
    facts = {"window": change.after, "one": whole(change.after) == 1,
             "reads": Letter(reads) if reads != "x" else None}  # fmt: skip
    return [Para(Say(say, facts), change=change)]


def _group_items(plan: Plan, story: Story) -> list[Item]:
    return [] if story.group is None else [_group_item(plan, story)]


def _own_places(plan: Plan, story: Story) -> list[tuple[str, Term]]:
    """What keeps to itself, by role, with how many places there are."""
    roles = dict.fromkeys(w.before.role for w in story.diagonals)
    own = ([w for w in story.diagonals if w.before.role == role] for role in roles)
    sizes = (product(*(plan.bound.put(w.before.size) for w in windows)) for windows in own)
    return list(zip(roles, sizes, strict=True))


def _diagonal_item(plan: Plan, stories: list[Story], key: tuple[str, Term]) -> Para:
    """The same words for all tensors whose places keep to themselves."""
    role, before = key
    sites: dict[str, Axis] = {}
    for story in stories:
        own = (story.axis(w.offset.site) for w in story.diagonals if w.before.role == role)
        sites |= {axis.name: axis for axis in own}
    lags = {w.offset.padding != ZERO for story in stories for w in story.diagonals
            if w.before.role == role}  # fmt: skip
    facts = {"letters": indices(tuple(sites.values())), "n": before, "many": len(sites) > 1,
             "lag": "some" if len(lags) > 1 else "all" if True in lags else "none"}  # fmt: skip
    return Para(Say(_own_words(stories[0], role), facts), change=Change(before, ONE, "restrict"))


def _own_words(story: Story, role: str) -> str:
    return first(f"steps.restrict.{story.tensor.kind}.{role}", f"steps.restrict.own.{role}",
                 "steps.restrict.own.other")  # fmt: skip


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
    groups: dict[tuple[Box, bool, bool], list[Story]] = {}
    for story in stories:
        plain = tuple(a for a in story.shared if a not in story.averaged)
        for box, summed in ((story.averaged, True), (plain, False)):
            if box:
                groups.setdefault((box, story.spread, summed), []).append(story)
    items: list[Item] = []
    for (box, spread, summed), together in groups.items():
        kind = "summed" if summed else "spread" if spread else box[0].role
        facts = {
            "sites": indices(box),
            "letters": tuple(letter(story) for story in together),
            "many": len(box) > 1,
            "bias": all(story.tensor.kind == "bias" for story in together),
            "places": any(axis.role == "position" for axis in box),
        }
        change = Change(together[0].bound.put(box_size(box)), ONE, "share")
        say = first(f"steps.share.{kind}", "steps.share.other")
        items.append(Para(Say(say, facts), change=change))
    return items


def count_block(plan: Plan) -> Block:
    """One unit, all units, biases: the lines that earn the marks."""
    rows: list[Row] = []
    if len(plan.weights) == 1 and plan.weights[0].factor is not None:
        rows += factor_rows(plan, plan.weights[0])
    elif len(plan.weights) == 1:
        rows += weight_rows(plan, plan.weights[0])
    else:
        rows += tensor_rows(plan, plan.weights)
        left = added(plan.sized(s.tensor.size) for s in plan.weights)
        strong = plan.bias_open or not plan.biases
        note = _note(plan, "without_bias")
        label = Say("units.together")
        rows.append(Row(left, _new(left, plan.weight_total), label, note, strong))
    if plan.bias_total is not None:
        rows += _bias_rows(plan, rows[-1])
    return Block(Say("subgoals.count"), (Rows(tuple(rows)),), "=")


def factor_rows(plan: Plan, story: Story) -> list[Row]:
    """Both factors of one map, then the two together."""
    factor = story.factor
    assert factor is not None
    sizes = [product(*plain(box)) for box in story.kept]
    rows = [
        Row(size, _new(size, plan.sized(size)), Say("units.tensor", {"w": Letter(name)}))
        for name, size in zip(factor.letters, sizes, strict=True)
    ]
    left = added(plan.sized(size) for size in sizes)
    strong = plan.bias_open or not plan.biases
    label = Say("units.together")
    return [*rows, Row(left, _new(left, plan.weight_total), label, _note(plan, "without_bias"),
                       strong)]  # fmt: skip


def tensor_rows(plan: Plan, stories: Iterable[Story]) -> list[Row]:
    """The whole of each of several tensors, those alike in one row."""
    alike: dict[Term, list[Story]] = {}
    for story in stories:
        left = total(*(product(*plain(box)) for box in story.kept))
        alike.setdefault(left, []).append(story)
    return [
        Row(left, _new(left, plan.sized(together[0].tensor.size)), tensors_of(together))
        for left, together in alike.items()
    ]


def tensors_of(stories: list[Story]) -> Say:
    """The tensors of a row, by their letters."""
    if len(stories) == 1:
        return Say("units.tensor", {"w": letter(stories[0])})
    return Say("units.tensors", {"letters": tuple(letter(story) for story in stories)})


def added(sizes: Iterable[Term]) -> Term:
    """A sum in which equal summands stand once, with how many there are."""
    many: dict[Term, int] = {}
    for size in sizes:
        many[size] = many.get(size, 0) + 1
    return total(*(size if n == 1 else product(*flat((Num(n), size))) for size, n in many.items()))


def _bias_rows(plan: Plan, before: Row) -> list[Row]:
    assert plan.bias_total is not None
    several = len(plan.biases) > 1
    rows = tensor_rows(plan, plan.biases) if several else []
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
    form = "bias" if story.tensor.kind == "bias" else "many"
    label = Say(f"units.{plan.family}.{form}", {"n": many, "each": unit, "w": letter(story)})
    units = story.outer if story.outer and unit == ONE and not story.inner else (*story.outer, unit)
    left = product(*flat(units))
    right = all_units if sum(isinstance(f, Num) for f in children(left)) > 1 else None
    rows.append(Row(left, right, label, note, strong))
    return rows


def flat(factors: Iterable[Term]) -> tuple[Term, ...]:
    """Factors side by side: a product among them joins the others."""
    return tuple(part for f in factors for part in (f.factors if isinstance(f, Prod) else (f,)))
