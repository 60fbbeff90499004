"""The exam level and the one-line level of a parameter count."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from ..axes import SITES, box_size
from ..terms import ONE, Num, Prod, Rel, S, Term, children, product, total
from .page import (
    Block,
    Change,
    Dims,
    Equation,
    Formula,
    Item,
    Letter,
    Listing,
    Page,
    Para,
    Row,
    Rows,
    Say,
)
from .plan import (
    Plan,
    axes_facts,
    doubled,
    fit_line,
    formula_bound,
    formula_words,
    indices,
    layer_fact,
    letter,
    positions_size,
    shapes,
    whole,
    worked,
)
from .story import Story, equation

SUBGOAL_KINDS = {"relative": "=", "restrict": "~>", "share": "~>"}


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
    facts = {
        **_size_facts(plan),
        "line": left if worked(left) == left else Rel(left, plan.weight_total),
        "bias": plan.bias_total,
        "open": plan.bias_open,
        "total": plan.with_bias if plan.bias_total is not None else None,
        "several": len(plan.weights) > 1,
        "unit": Say(f"units.{plan.family}.per"),
        "units": Say(f"units.{plan.family}.many", {"n": outer, "each": inner}),
    }
    answer = Para(Say("line.params", facts))
    return Page(
        Say("titles.params", {"layer": layer_fact(plan.bound)}),
        shapes(plan.bound),
        answer=answer,
        formula=formula(plan),
    )


def _size_facts(plan: Plan) -> dict[str, object]:
    main = plan.main
    assert main is not None
    kind = "none"
    if plan.drops:
        kind = "summed" if main.summed else "spread" if main.spread else "position"
    elif plan.stays:
        kind = "local" if main.windows else "flattened"
    elif main.shared:
        kind = "lead"
    return {
        "kind": kind,
        "size": positions_size(plan) if plan.positions else None,
        "spread": main.spread,
        "sites": Formula(_numbers(plan.bound.put(box_size(main.shared)))) if main.shared else None,
    }


def _numbers(size: Term) -> Term:
    """A product of numbers worked out; letters as they are."""
    found = whole(size)
    return size if found is None else Num(found)


# --- blocks -------------------------------------------------------------------------------


def axes_block(plan: Plan) -> Block:
    """Every axis with its size; stride and padding that fit."""
    main = plan.main
    assert main is not None
    items: list[Item] = [Para(Say("steps.axes.both", axes_facts(main)))]
    fit = fit_line(plan.bound)
    if fit is not None:
        items.append(Para(fit, aside=True))
    written = equation(plan.bound, plan.stories)
    if not main.windows and written is not None:
        items.append(Equation(written))
    return Block(Say("subgoals.axes"), tuple(items))


def relative_block(plan: Plan) -> Block | None:
    """The equation, with positions named relative to a site."""
    main = plan.main
    written = equation(plan.bound, plan.stories) if main is not None else None
    if main is None or not main.windows or written is None:
        return None
    items: list[Item] = [Equation(written)]
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
    """Locality, groups, and axes that keep to themselves."""
    main = plan.main
    if main is None:
        return None
    items: list[Item] = []
    change = main.window_change()
    if change is not None:
        say = "steps.restrict.spread" if main.spread else "steps.restrict.window"
        facts = {"window": change.after, "one": whole(change.after) == 1}
        items.append(Para(Say(say, facts), change=change))
    items += [_diagonal_item(plan, main, name) for name in ("channel", "site")
              if _diagonals(main, name)]  # fmt: skip
    if main.group is not None:
        items.append(_group_item(plan, main))
    unshared = whole(plan.bound.put(main.unshared()))
    if plan.drops and unshared is not None and not main.summed:
        facts = {"number": unshared, "spread": main.spread}
        items.append(Para(Say("steps.restrict.local", facts), aside=True))
    return Block(Say("subgoals.restrict"), tuple(items), "~>") if items else None


def _diagonals(main: Story, kind: str) -> tuple[str, ...]:
    return tuple(
        w.before.name for w in main.diagonals if (w.before.role in SITES) == (kind == "site")
    )


def _diagonal_item(plan: Plan, main: Story, kind: str) -> Para:
    axes = [main.axis(name) for name in _diagonals(main, kind)]
    before = product(*(plan.bound.put(a.size) for a in axes))
    own = [w.offset.site for w in main.diagonals if w.before in axes]
    facts = {"letters": indices(tuple(main.axis(site) for site in own)), "n": before}
    return Para(Say(f"steps.restrict.own_{kind}", facts), change=Change(before, ONE, "restrict"))


def _group_item(plan: Plan, main: Story) -> Para:
    group = main.group
    assert group is not None
    cut = main.axis(group.cut)
    before, parts = plan.bound.put(cut.size), plan.bound.put(group.groups)
    after = worked(before / parts)
    facts = {"groups": parts, "part": after, "spread": main.spread}
    return Para(Say("steps.restrict.group", facts), change=Change(before, after, "group"))


def share_block(plan: Plan) -> Block | None:
    """Which sites are no index of the weights."""
    main = plan.main
    if main is None or not main.shared:
        return None
    shared_bias = bool(plan.biases) and bool(plan.biases[0].shared)
    facts = {
        "sites": indices(main.shared),
        "w": letter(main),
        "b": letter(plan.biases[0]) if shared_bias and not main.spread else None,
        "many": len(main.shared) > 1,
    }
    kind = "summed" if main.summed else "spread" if main.spread else main.shared[0].role
    items: list[Item] = [Para(Say(f"steps.share.{kind}", facts), change=main.share_change())]
    if main.spread and shared_bias:
        bias = plan.biases[0]
        facts = {"sites": indices(bias.shared), "b": letter(bias)}
        items.append(Para(Say("steps.share.bias", facts), change=bias.share_change()))
    return Block(Say("subgoals.share"), tuple(items), "~>")


def count_block(plan: Plan) -> Block:
    """One unit, all units, biases: the lines that earn the marks."""
    rows: list[Row] = []
    for story in plan.weights:
        rows += weight_rows(plan, story)
    if len(plan.weights) > 1:
        left = product(ONE)
        parts = [plan.sized(s.tensor.size) for s in plan.weights]
        left = parts[0]
        for part in parts[1:]:
            left = left + part
        rows.append(Row(left, _new(left, plan.weight_total), Say("units.together"),
                        _note(plan, "without_bias"), plan.bias_open))  # fmt: skip
    if plan.bias_total is not None:
        label = Say(f"units.{plan.family}.bias", {"n": plan.bias_total})
        weights = rows[-1].left if rows[-1].right is None else plan.weight_total
        assert isinstance(weights, Term)
        left = weights + plan.bias_total
        rows.append(Row(left, _new(left, plan.with_bias), label, _note(plan, "with_bias"), True))
    return Block(Say("subgoals.count"), (Rows(tuple(rows)),), "=")


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
    items.append(Para(machine_line(plan), aside=True))
    return Block(Say("subgoals.check"), tuple(items))


def _grouped(plan: Plan) -> Say | None:
    """(inputs of one unit + 1) times the units: the bias stands with the inputs."""
    main = plan.main
    assert main is not None
    if len(plan.weights) != 1 or len(plan.biases) != 1 or main.spread:
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


def machine_line(plan: Plan) -> Say:
    """What was verified, and where labels were counted."""
    proofs = [s.evidence for s in plan.steps if s.evidence is not None and s.kind == "~>"]
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
        **_size_facts(plan),
        "window": change.after if change else None,
        "uses": Formula(plan.sized(main.tensor.uses)),
        "numeric": whole(plan.sized(main.tensor.uses)) is not None,
        "w": letter(main),
        "remaining": indices(plan.stays),
        "shared": _if_shared(plan, main),
    }
    if plan.drops or plan.stays or main.shared:
        kind = facts["kind"]
        group = "drops" if plan.drops else "lead" if kind == "lead" else "stays"
        return Say(f"why.title.{group}", facts), Say(f"why.callout.{kind}", facts)
    return None, None


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
        memo[key] = formula_words(count, "formula.params", plan.convention)
    return cast(tuple[Say, ...], memo[key])
