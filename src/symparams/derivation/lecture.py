"""The lecture level: from the dense map down, with the number, the reason and the check of
each step, what one assumption alone would do, and where the size went instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ..axes import Box
from ..calculus import Pad, Reindex, Restrict, Share
from ..declaration import Bound
from ..evidence import tap_uses
from ..terms import ONE, ZERO, Entry, Num, Prod, Quot, S, Term, product, total
from . import blocks, checks, conventions
from .page import (
    Block,
    Bytes,
    Change,
    Changed,
    Dims,
    Equation,
    Formula,
    Item,
    Page,
    Para,
    Row,
    Rows,
    Say,
    Table,
)
from .plan import (
    Plan,
    as_another,
    axes_facts,
    doubled,
    extents_of,
    fit_line,
    indices,
    layer_fact,
    letter,
    plain,
    shapes,
    whole,
    worked,
)
from .story import Story, equations


def page(plan: Plan) -> Page:
    """Every step of the way down, then the result and where the size matters."""
    out = [axes_block(plan)]
    for story in plan.weights:
        out += weight_blocks(plan, story)
    out += [bias_block(plan), blocks.count_block(plan), result_block(plan)]
    both, where = both_block(plan), where_block(plan)
    out += [b for b in (both, where) if b is not None]
    said = conventions.block(plan.bound, plan.convention)
    out += [checks.check_block(plan), *([said] if said is not None else [])]
    head, text = checks.callout(plan)
    return Page(
        Say("titles.params", {"layer": layer_fact(plan.bound)}),
        shapes(plan.bound),
        tuple(out),
        callout_title=head,
        callout=text,
        formula=checks.formula(plan),
        warnings=dead_warnings(plan),
    )


def axes_block(plan: Plan) -> Block:
    """How many output and input units there are."""
    main = plan.main
    assert main is not None
    out, inputs = main.tensor.out, main.tensor.inputs
    items: list[Item] = [Para(Say("steps.axes.both", axes_facts(main)))]
    if len(plan.weights) > 1:
        out, inputs = plan.bound.outputs, plan.layer.inputs
        items = blocks.tensor_axes(plan)
    rows = (
        _units(plan, "steps.lecture.outputs", out),
        _units(plan, "steps.lecture.inputs", inputs),
    )
    items.append(Rows(rows))
    fit = fit_line(plan.bound)
    if fit is not None:
        items.append(Para(fit, aside=True))
    return Block(Say("subgoals.axes"), tuple(items))


def _units(plan: Plan, identity: str, box: Box) -> Row:
    size = product(*plain(plan.bound.box(box)))
    return Row(size, _number(size), Say(identity))


def _number(size: Term) -> Term | None:
    found = whole(size)
    return None if found is None or Num(found) == size else Num(found)


def weight_blocks(plan: Plan, story: Story) -> list[Block]:
    """Dense, relative, restrict and share for one weight; a clause where nothing is done."""
    head = (
        [Block(Say("subgoals.tensor", {"w": letter(story)}), ())] if len(plan.weights) > 1 else []
    )
    return [
        *head,
        dense_block(plan, story),
        relative_block(plan, story),
        restrict_block(plan, story),
        share_block(plan, story),
    ]


def _capital(name: str) -> str:
    return name.upper() if len(name) == 1 else name


def dense_block(plan: Plan, story: Story) -> Block:
    """One weight for every pair."""
    start = story.start
    size = product(*plain(plan.bound.box(start)))
    entry = Entry(_capital(story.tensor.letter), tuple(S(a.index) for a in start))
    items: list[Item] = [
        Para(Say("steps.lecture.dense", {"entry": Formula(entry)})),
        Rows((Row(size, _number(size), strong=True),)),
    ]
    found = whole(size)
    if found is not None and found > 10**6:
        items.append(Para(Say("steps.lecture.bytes", {"bytes": Bytes(4 * found)}), aside=True))
    return Block(Say("subgoals.dense"), tuple(items))


def relative_block(plan: Plan, story: Story) -> Block:
    """Positions renamed relative to a site: an equality."""
    moved = [r for r in story.tensor.rules if isinstance(r, Reindex)]
    items = blocks.split_items(plan, (story,))
    if not moved:
        items = items or [Para(Say("steps.lecture.no_relative"))]
        return Block(Say("subgoals.relative"), tuple(items), "=")
    names = indices(tuple(story.axis(r.moved) for r in moved))
    sites = indices(tuple(story.axis(r.site) for r in moved))
    items.append(Para(Say("steps.lecture.relative", {"moved": names, "sites": sites})))
    items += [Equation(written) for written in equations(plan.bound, (story,))]
    items += blocks.padded_items(plan, story) if story.padded else []
    return Block(Say("subgoals.relative"), tuple(items), "=")


def restrict_block(plan: Plan, story: Story) -> Block:
    """Locality, diagonals and groups, with the product and its changed factor."""
    items: list[Item] = []
    bundle = story.tensor.start
    for rule in story.tensor.rules:
        if rule.subgoal == "relative":
            bundle = rule.apply(bundle)
    before = bundle.boxes[0]
    change = story.window_change()
    for para in blocks.restrict_items(plan, story):
        assert isinstance(para, Para)
        items.append(Para(para.say))
    after_all = plan.bound.put(story.unshared())
    if story.windows or story.diagonals or story.group or story.factor:
        items.append(_changed_row(plan, before, change, after_all, story))
        items += _restrict_notes(plan, story, product(*plan.bound.box(before)), after_all)
    else:
        items.append(Para(Say("steps.lecture.no_restrict")))
    return Block(Say("subgoals.restrict"), tuple(items), "~>")


def _changed_row(plan: Plan, before: Box, change: Change | None, after: Term, story: Story) -> Rows:
    """``256*100*100*128*(100*100 -> 3*3) = 2,949,120,000``."""
    put = plan.bound.put
    windows = {w.offset.tap for w in story.windows}
    points = {w.offset.tap for w in story.diagonals}
    cut = story.group.cut if story.group else ""
    factor = story.factor
    split = {*factor.left, *factor.right} if factor is not None else set()
    kept = tuple(put(a.size) for a in before if a.name not in windows | points | split | {cut})
    changes: list[tuple[Term, Term]] = []
    for window in story.diagonals:
        changes.append((put(window.before.size), ONE))
    if cut:
        size = put(story.axis(cut).size)
        changes.append((size, worked(size / put(story.group.groups)) if story.group else size))
    if change is not None:
        changes.append((change.before, change.after))
    if factor is not None:
        dense = product(*(put(a.size) for a in before if a.name in split))
        changes.append((dense, total(*(product(*box) for box in story.kept))))
    joined = Change(_flat(b for b, _ in changes), _flat(a for _, a in changes), "restrict")
    return Rows((Row(Changed(kept, joined, ()), _result(after), strong=True),))


def _flat(sizes: Iterable[Term]) -> Term:
    """One product of several, without ones beside other factors."""
    factors = [f for s in sizes for f in (s.factors if isinstance(s, Prod) else (s,))]
    several = [f for f in factors if f != ONE]
    return product(*(several or factors[:1]))


def _result(size: Term) -> Term:
    found = whole(size)
    return Num(found) if found is not None else worked(size)


def _restrict_notes(plan: Plan, story: Story, before: Term, after: Term) -> list[Item]:
    items: list[Item] = []
    factor = _factor(before, after)
    if factor is not None:
        found = whole(after)
        bytes_ = Bytes(4 * found) if found is not None and found > 10**6 else None
        items.append(
            Para(Say("steps.lecture.factor", {"factor": factor, "bytes": bytes_}), aside=True)
        )
    real = real_edges(plan, story)
    if real is not None and real != whole(after):
        facts = {"number": real, "least": _least_use(plan, story)}
        items.append(Para(Say("steps.lecture.border", facts), aside=True))
    return items


def _factor(before: Term, after: Term) -> Term | None:
    top, bottom = whole(after), whole(before)
    if top is None or bottom is None or not top or top == bottom:
        return None
    ratio = Fraction(top, bottom)
    return Quot(Num(ratio.numerator), Num(ratio.denominator))


def _tap_uses(plan: Plan, story: Story) -> list[list[int]] | None:
    out = []
    for window in story.windows:
        offset = window.offset
        sizes = [whole(plan.bound.put(t)) for t in (
            window.before.size, story.axis(offset.site).size, window.size or ONE,
            offset.stride, offset.dilation, offset.padding)]  # fmt: skip
        if any(size is None for size in sizes):
            return None
        n, sites, k, s, d, p = (int(size or 0) for size in sizes)
        out.append(tap_uses(n, sites, k, s, d, p))
    return out


def real_edges(plan: Plan, story: Story) -> int | None:
    """Uses that do not read padding: the sum over taps of N(i), along every axis."""
    uses = _tap_uses(plan, story)
    if not uses:
        return None
    rest = 1
    windows = {w.offset.tap for w in story.windows} | {w.offset.site for w in story.windows}
    for axis in _unshared_box(story):
        if axis.name not in windows:
            found = whole(plan.bound.put(axis.size))
            if found is None:
                return None
            rest *= found
    for along in uses:
        rest *= sum(along)
    return rest


def _unshared_box(story: Story) -> Box:
    bundle = story.tensor.start
    for rule in story.tensor.rules:
        if not isinstance(rule, Share):
            bundle = rule.apply(bundle)
    return bundle.boxes[0]


def _least_use(plan: Plan, story: Story) -> Dims:
    uses = _tap_uses(plan, story) or []
    return Dims(tuple(Num(min(along)) for along in uses))


def share_block(plan: Plan, story: Story) -> Block:
    """Sharing, with the product and its changed factor."""
    if not story.shared:
        clause = "steps.lecture.no_share" if plan.stays else "steps.lecture.no_sites"
        return Block(Say("subgoals.share"), (Para(Say(clause)),), "~>")
    items: list[Item] = []
    for para in blocks.share_items((story,)):
        assert isinstance(para, Para)
        items.append(Para(para.say))
    change = story.share_change()
    assert change is not None
    shared = {a.name for a in story.shared}
    before = _unshared_box(story)
    kept = plain(tuple(plan.bound.put(a.size) for a in before if a.name not in shared))
    if story.factor is not None:
        kept = (total(*(product(*box) for box in story.kept)),)
    after = plan.bound.put(story.tensor.size)
    items.append(Rows((Row(Changed((), change, kept), _result(after), strong=True),)))
    factor = _factor(plan.bound.put(story.unshared()), after)
    if factor is not None:
        found = whole(after)
        bytes_ = Bytes(4 * found) if found is not None and found > 10**5 else None
        items.append(
            Para(Say("steps.lecture.factor", {"factor": factor, "bytes": bytes_}), aside=True)
        )
    items.append(Para(Say("steps.lecture.gradients", {"n": _result(change.before)}), aside=True))
    return Block(Say("subgoals.share"), tuple(items), "~>")


def bias_block(plan: Plan) -> Block:
    """One bias per output unit, shared like the weights, or not there."""
    if not plan.biases:
        return Block(Say("subgoals.bias"), (Para(Say("steps.lecture.no_bias")),))
    shared = any(story.shared for story in plan.biases)
    items: list[Item] = [Para(Say("steps.lecture.bias", {"shared": shared}))]
    alike: dict[tuple[Term, ...], list[Story]] = {}
    for story in plan.biases:
        alike.setdefault(plain(plan.bound.box(story.start)), []).append(story)
    several = len(plan.biases) > 1
    rows = [_bias_row(plan, together, several) for together in alike.values()]
    kept = tuple(row for row in rows if row.right is not None or several)
    if kept:
        items.append(Rows(kept))
    return Block(Say("subgoals.bias"), tuple(items), "~>" if shared else "=")


def _bias_row(plan: Plan, together: list[Story], several: bool) -> Row:
    story = together[0]
    label = blocks.tensors_of(together) if several else None
    change = story.share_change()
    if change is None:
        size = product(*plain(plan.bound.box(story.start)))
        return Row(size, _number(size), label, strong=True)
    shared = {a.name for a in story.shared}
    kept = plain(tuple(plan.bound.put(a.size) for a in story.start if a.name not in shared))
    return Row(Changed(kept, change, ()), plan.sized(story.tensor.size), label, strong=True)


def result_block(plan: Plan) -> Block:
    """Which indices are left, and that none ranges over positions."""
    main = plan.main
    assert main is not None
    items: list[Item] = [_left_on(plan, story) for story in plan.weights]
    clause = _groups_clause(plan, main)
    if clause is not None:
        items.append(Para(clause, aside=True))
    return Block(Say("subgoals.result"), tuple(items))


def _left_on(plan: Plan, story: Story) -> Para:
    axes = {a.name: a for box in story.tensor.end.boxes for a in box}.values()
    left = [Say("steps.lecture.index", {"index": indices((a,)), "size": plan.sized(a.size)})
            for a in axes]  # fmt: skip
    facts = {
        "left": tuple(left),
        "w": letter(story),
        "positions": indices(plan.stays) if plan.stays else None,
        "space": bool(plan.positions),
        "time": any(a.role == "time" for a in story.shared),
    }
    return Para(Say("steps.lecture.remaining", facts))


def _groups_clause(plan: Plan, main: Story) -> Say | None:
    if main.tensor.kind != "weight":
        return None
    if main.group is not None or not any(c.divisor == "g" for c in plan.layer.requires):
        return None
    cut = plan.layer.requires[0].whole
    side = "spread" if main.spread else "seen"
    facts = {"g": Formula(S("g")), "part": Formula(S(cut) / S("g")), "side": side}
    return Say("steps.lecture.no_groups", facts)


def both_block(plan: Plan) -> Block | None:
    """What either assumption alone would leave: both are needed."""
    main = plan.main
    if main is None or not plan.drops or main.summed or not main.windows:
        return None
    rows = []
    circular = main.nonlocal_()
    if circular is not None and not main.spread:
        size = plan.bound.put(circular)
        rows.append(Row(size, _number(size), Say("steps.lecture.only_share")))
        bordered = _zero_border(plan, main)
        if bordered is not None:
            rows.append(Row(bordered, _number(bordered), Say("steps.lecture.only_share_border")))
    size = plan.bound.put(main.unshared())
    rows.append(Row(size, _number(size), Say("steps.lecture.only_local")))
    return Block(Say("subgoals.both"), (Rows(tuple(rows)),))


def _zero_border(plan: Plan, main: Story) -> Term | None:
    """Shared but not local with a zero border: n_out + n_in - 1 offsets along each axis."""
    if any(
        plan.bound.put(t) != ONE for w in main.windows for t in (w.offset.stride, w.offset.dilation)
    ):
        return None
    bundle = main.tensor.start
    for rule in main.tensor.rules:
        if isinstance(rule, Restrict):
            site = main.axis(rule.offset.site)
            plain = replace(rule.offset, stride=ONE, dilation=ONE)
            bundle = Pad(plain, site.size).apply(bundle)
        else:
            bundle = rule.apply(bundle)
    sizes = [plan.bound.put(axis.size) for axis in bundle.boxes[0]]
    return product(*(_result(size) if whole(size) is not None else size for size in sizes))


def where_block(plan: Plan) -> Block | None:
    """Where the size does matter: each quantity, its value, and at twice the size."""
    main = plan.main
    if main is None or not extents_of(plan.layer.inputs):
        return None
    twice = doubled(plan.bound)
    rows = [
        _where(plan, twice, "params", plan.bound.count(), True),
        _where(plan, twice, "macs", plan.bound.macs),
        _where(plan, twice, "activations", plan.bound.activations),
    ]
    if plan.drops and not main.summed and main.windows and not main.spread:
        rows.append(_where(plan, twice, "local", main.unshared()))
    rows += _followers(plan, twice)
    every = total(*(s.tensor.start.size for s in plan.weights if s.tensor.kind == "weight"))
    rows.append(_where(plan, twice, "dense", every if every != ZERO else main.tensor.start.size))
    last = "twice" if plan.positions else "longer"
    head = tuple(Say(f"tables.{name}") for name in ("quantity", "formula", "value", last))
    if twice is None:
        head = head[:2]
        rows = [row[:2] for row in rows]
    return Block(Say("subgoals.where"), (Table(head, tuple(rows)),))


def _followers(plan: Plan, twice: Bound | None) -> list[tuple[object, ...]]:
    """What a dense layer after this one would have: flattened, or averaged first."""
    outputs = plan.bound.outputs
    if not any(a.role == "position" for a in outputs):
        return []
    units = Num(1000)
    flat = product(units, *(a.size for a in outputs))
    pooled = product(units, *(a.size for a in outputs if a.role != "position"))
    return [
        _where(plan, twice, "flatten", flat),
        _where(plan, twice, "pooled", pooled),
    ]


def _where(
    plan: Plan, twice: Bound | None, name: str, size: Term, open_bias: bool = False
) -> tuple[object, ...]:
    structure = {k: v for k, v in plan.bound.values.items() if k in ("g", "m") and v == ONE}
    if open_bias:
        size = total(*(s.tensor.size for s in plan.weights))
    generic = Bound(plan.layer, {**_square(plan.bound), **structure})
    shown = Formula(worked(generic.put(size)))
    now = whole(plan.bound.put(size))
    after = whole(twice.put(size)) if twice is not None else None
    ratio = None
    if now and after is not None:
        ratio = Say("tables.times", {"n": after // now}) if after % now == 0 else Num(after)
    return (Say(f"tables.{name}"), shown, now if now is None else Num(now), ratio)


def _square(bound: Bound) -> dict[str, Term]:
    out: dict[str, Term] = {}
    for key in bound.layer.keys:
        given = {bound.values.get(part) for part in key.letters}
        if key.kind == "size" and len(key.parts) > 1 and len(given) == 1:
            out.update({part: S(key.symbol) for part in key.parts})
        elif as_another(bound, key):
            out.update(zip(key.letters, key.default, strict=True))
    return out


def dead_warnings(plan: Plan) -> tuple[Say, ...]:
    """Taps that only ever read padding: declared, counted, never used."""
    out = []
    for story in plan.weights:
        uses = _tap_uses(plan, story)
        for window, along in zip(story.windows, uses or (), strict=False):
            dead = [Num(i + 1) for i, n in enumerate(along) if not n]
            if dead:
                facts = {"taps": Dims(tuple(dead)), "n": len(dead), "k": Num(len(along)),
                         "axis": Formula(S(window.before.name)), "shown": _taps(dead)}  # fmt: skip
                out.append(Say("steps.dead", facts))
    return tuple(out)


def _taps(dead: list[Num]) -> str:
    texts = [str(d.value) for d in dead[:8]]
    return ", ".join(texts) + (" ..." if len(dead) > 8 else "")
