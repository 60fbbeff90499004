"""Why an axis drops out of a count, or where it stays: read off the rules that met it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..algebra import depends_on
from ..axes import Axis, box_size
from ..binding import find_key
from ..calculus import Factor, Group, Reindex, Restrict, Rule, Share, Split
from ..chain import Chain
from ..declaration import Bound, BoundPart, Tensor, usual
from ..errors import UnknownName
from ..evidence import Evidence, evidence
from ..terms import ONE, ZERO, Num, S, Term, letters, product
from ..words import first
from .checks import machine_line
from .page import (
    Block,
    Change,
    Changed,
    Formula,
    Item,
    Letter,
    Listing,
    Page,
    Para,
    Row,
    Rows,
    Say,
    Table,
)
from .plan import Plan, formula_bound, indices, layer_fact, plain, shapes, whole, worked
from .story import Story

REMOVERS = ("reindex", "restrict", "share", "split", "group", "fix", "dynamic", "tie")


@dataclass(frozen=True)
class Side:
    """What happened to one axis of one tensor: the rules that met it, the count of the
    tensor's index tuples before and after them, and the evidence."""

    axis: str
    index: str
    role: str
    tensor: str
    removed_by: tuple[str, ...]
    before: Term
    after: Term
    change: Change | None
    kept: tuple[Term, ...]
    evidence: Evidence | None
    lag: bool = False  # restricted to the index before its own


@dataclass(frozen=True)
class Why:
    """The answer: whether the count depends on an axis, what removed it, where it stays."""

    axis: str
    drops_out: bool
    removed_by: tuple[str, ...]
    sides: tuple[Side, ...]
    stays_in: tuple[str, ...]
    page: Page


def why(bound: Bound, name: str) -> Why:
    """Ask about an axis or symbol of a layer, by any of its names.

    Raises:
        UnknownName: the layer has no such symbol.
    """
    asked = symbols(bound, name)
    bound = _asked_open(bound, asked)
    if bound.parts:
        return _in_parts(bound, asked)
    stored = tuple(t for t in bound.tensors if t.end.stored)
    tensors = stored or bound.tensors  # what is computed from the data has no weights to lose
    if asked[0] == "N":
        tensors = tuple(tensor.per_batch() for tensor in tensors)
    found = [side for letter in asked for t in tensors for side in _sides(bound, t, letter)]
    sides = tuple(sorted(found, key=lambda side: "reindex" not in side.removed_by))
    removed = tuple(r for r in REMOVERS if any(r in side.removed_by for side in sides))
    counted = (t for t in tensors if t.end.stored and t.kind != "buffer")
    stays = tuple(t.name for t in counted if _depends(bound, t.size, asked))
    drops = not stays and not _switches(bound, asked[0])
    return Why(asked[0], drops, removed, sides, stays, _page(bound, asked, drops, sides, stays))


def _asked_open(bound: Bound, asked: tuple[str, ...]) -> Bound:
    """The layer with a modifier that is asked about left open, so that what hangs on it is there:
    a usual value (one group, one layer) hides it."""
    keys = (k for k in bound.layer.keys if k.kind in ("modifier", "copies"))
    hidden = {letter for k in keys for letter in k.letters if letter in asked}
    if not hidden & bound.values.keys():
        return bound
    values = {name: held for name, held in bound.values.items() if name not in hidden}
    return Bound(bound.layer, values, bound.given)


def _switches(bound: Bound, letter: str) -> bool:
    """Whether a letter is a switch of something that is counted."""
    if letter not in bound.layer.switches or not bound.tensors:
        return False
    ours = [tensor for tensor in bound.layer.tensors if tensor.when == letter]
    return not ours or any(tensor.kind != "buffer" for tensor in ours)


def symbols(bound: Bound, name: str) -> tuple[str, ...]:
    """The letters a name asks about: a bare spatial letter asks for both sides.

    Raises:
        UnknownName: the layer has no such symbol.
    """
    if name in ("N", "batch", "batch_size"):
        return ("N",)
    axes = [a.name for a in (*bound.layer.inputs, *bound.layer.outputs)]
    if name in axes and not bound.layer.key(name):
        return (name,)
    key = bound.layer.key(name)
    if key is None:
        key = find_key(bound.layer, name)
    if name in key.letters and name != key.symbol:
        return (name,)
    if key.kind == "extent" and key.symbol + "_out" in axes:
        return (key.symbol, key.symbol + "_out")
    return key.letters


def _depends(bound: Bound, size: Term, asked: tuple[str, ...]) -> bool:
    """Whether a size changes with a letter, derived sizes opened, numbers left out."""
    structure = {k: v for k, v in bound.values.items() if k in _structural(bound)}
    full = Bound(bound.layer, structure).expand(size)
    return any(depends_on(size, letter) or depends_on(full, letter) for letter in asked)


def _structural(bound: Bound) -> set[str]:
    return {*bound.layer.switches, *(c.divisor for c in bound.layer.requires)}


def _sides(bound: Bound, tensor: Tensor, letter: str) -> list[Side]:
    out = []
    for axis in tensor.start.boxes[0]:
        if axis.size == S(letter) and (axis.name.rstrip("'") == letter or axis.role == "batch"):
            side = _side(bound, tensor, axis)
            if side is not None:
                out.append(side)
    if not out:
        out = [_rank_side(bound, tensor, rule) for rule in tensor.rules
               if isinstance(rule, Factor) and rule.rank.size == S(letter)]  # fmt: skip
    if not out:
        out = [_offset_side(bound, tensor, rule, letter) for rule in tensor.rules
               if isinstance(rule, Restrict) and rule.size == S(letter)]  # fmt: skip
    return out


def _meets(rule: Rule, names: set[str]) -> bool:
    match rule:
        case Reindex(moved=moved):
            return moved in names
        case Restrict(offset=offset):
            return offset.tap in names
        case Share(names=shared):
            return bool(names & set(shared))
        case Group(cut=cut):
            return cut in names
        case Split(outer=outer, inner=inner):
            return bool(names & {outer.name, inner.name})
    return rule.id in ("fix", "dynamic", "tie")


def _side(bound: Bound, tensor: Tensor, axis: Axis) -> Side | None:
    """The rules that met an axis under any of its names, and the step they belong to.

    A window is restricted along all its axes in one step and positions are shared in one
    step, so the numbers before and after are those of the whole step.
    """
    offsets = [r for r in tensor.rules if isinstance(r, Reindex) and r.moved == axis.name]
    names = {axis.name} | {r.tap for r in offsets}
    met = [rule for rule in tensor.rules if _meets(rule, names)]
    ids = tuple(dict.fromkeys(rule.id for rule in met))
    proof = _proof(bound, tensor) if met else None
    lag = any(r.size is None and r.offset in offsets and r.offset.padding != ZERO
              for r in tensor.rules if isinstance(r, Restrict))  # fmt: skip
    blank = Side(axis.name, axis.index, axis.role, tensor.name, ids, tensor.size, tensor.size,
                 None, (), proof, lag)  # fmt: skip
    acting = [rule for rule in met if isinstance(rule, Restrict | Share | Group)]
    merge = next((rule for rule in met if isinstance(rule, Split)), None)
    if merge is not None and not acting:
        return _merged_side(bound, tensor, merge, blank)
    if not acting or not tensor.end.stored:
        return blank
    run = [n for n, rule in enumerate(tensor.rules) if _one_step(rule, acting[-1])]
    before, after = tensor.bundles[run[0]], tensor.bundles[run[-1] + 1]
    gone = {name for n in run for name in _touched(tensor.rules[n])}
    old = [a for a in before.boxes[0] if a.name in gone]
    new = [a for a in after.boxes[0] if a.name in gone]
    change = Change(product(*bound.box(old)), product(*bound.box(new)), acting[-1].id)
    kept = tuple(bound.put(a.size) for a in before.boxes[0] if a.name not in gone)
    return replace(blank, before=before.cells, after=after.cells, change=change, kept=kept)


def _merged_side(bound: Bound, tensor: Tensor, rule: Split, blank: Side) -> Side:
    """Two axes written as one: the size is the same before and after."""
    at = tensor.rules.index(rule)
    before, after = tensor.bundles[at].cells, tensor.bundles[at + 1].cells
    old = product(*plain(bound.box((rule.outer, rule.inner))))
    change = Change(old, worked(bound.put(rule.whole.size)), rule.id)
    return replace(blank, before=before, after=after, change=change)


def _one_step(rule: Rule, chosen: Rule) -> bool:
    """Whether two rules are one step: windows together, a diagonal or a sharing alone."""
    if isinstance(chosen, Restrict) and chosen.size is not None:
        return isinstance(rule, Restrict) and rule.size is not None
    return rule is chosen


def _touched(rule: Rule) -> tuple[str, ...]:
    match rule:
        case Restrict(offset=offset):
            return (offset.tap,)
        case Share(names=names):
            return names
        case Group(cut=cut):
            return (cut,)
    return ()


def _offset_side(bound: Bound, tensor: Tensor, rule: Restrict, letter: str) -> Side:
    """A kernel size: the offsets that are left of a restricted axis."""
    axis = next(a for a in tensor.end.boxes[0] if a.name == rule.offset.tap)
    return Side(letter, axis.index, "offset", tensor.name, (), tensor.size, tensor.size, None, (),
                _proof(bound, tensor))  # fmt: skip


def _rank_side(bound: Bound, tensor: Tensor, rule: Factor) -> Side:
    """The rank that joins the two maps of a factored one."""
    return Side(rule.rank.name, rule.rank.index, rule.rank.role, tensor.name, (), tensor.size,
                tensor.size, None, (), _proof(bound, tensor))  # fmt: skip


def _proof(bound: Bound, tensor: Tensor) -> Evidence:
    return evidence(bound.layer, tensor)


# --- the page ---------------------------------------------------------------------------------


def _page(
    bound: Bound, asked: tuple[str, ...], drops: bool, sides: tuple[Side, ...],
    stays: tuple[str, ...],
) -> Page:  # fmt: skip
    plan = Plan(bound)
    facts = {"axis": Formula(S(_shown(bound, asked))), "layer": layer_fact(bound)}
    title = Say(f"whys.title.{'drops' if drops else 'stays'}", facts)
    blocks: list[Block] = []
    summed = plan.main is not None and plan.main.summed
    for alike in _alike(sides):
        block = _side_block(bound, alike, len(bound.tensors) > 1, summed)
        if block is not None:
            blocks.append(block)
    if not sides:
        blocks += _no_axis(bound, asked, drops)
    if stays:
        blocks.append(_stays_block(bound, asked, stays))
    remove = _remove_block(plan, sides, stays)
    if remove is not None:
        blocks.append(remove)
    if drops and plan.main is not None and sides:
        blocks += _went(plan, asked)
    if plan.main is not None:
        blocks.append(Block(Say("subgoals.check"), (Para(machine_line(plan.steps), aside=True),)))
    return Page(title, shapes(bound), tuple(blocks), answer=_answer(plan, asked, drops, sides))


def _shown(bound: Bound, asked: tuple[str, ...]) -> str:
    key = bound.layer.key(asked[0])
    return key.symbol if key is not None and len(asked) > 1 and key.kind != "extent" else asked[0]


def _answer(plan: Plan, asked: tuple[str, ...], drops: bool, sides: tuple[Side, ...]) -> Para:
    role = sides[0].role if sides else "none"
    if plan.main is None:
        return Para(Say("whys.answer.no_weights"))
    main = plan.main
    kind = role
    if asked[0] in plan.layer.switches:
        kind = "switch"
    elif role == "position" and drops:
        kind = "summed" if main.summed else "spread" if main.spread else "position"
        kind = kind if main.windows or main.summed else "scaled"
    elif role == "position":
        kind = "local" if main.windows else "normed" if main.diagonals else "flattened"
    facts = {
        "axis": Formula(S(_shown(plan.bound, asked))),
        "w": Letter(main.tensor.letter),
        "one": indices(main.shared) if main.shared else None,
        "side": main.axis(sides[0].axis).side if sides and _has(main, sides[0].axis) else "",
    }
    which, shown = "drops" if drops else "stays", _shown(plan.bound, asked)
    own = f"whys.{plan.layer.id}.{which}_{shown}", f"whys.{plan.family}.{shown}"
    return Para(Say(first(*own, f"whys.answer.{which}_{kind}"), facts))


def _has(story: Story, name: str) -> bool:
    return any(a.name == name for a in story.start)


def _alike(sides: tuple[Side, ...]) -> list[list[Side]]:
    """Sides that met the same rules with the same change, told once for all their tensors; a row
    for each that keeps other sizes."""
    met: dict[tuple[object, ...], list[Side]] = {}
    for side in sides:
        change = (side.change.before, side.change.after) if side.change else None
        key = (side.axis, side.removed_by, change, side.lag)
        met.setdefault(key, []).append(side)
    return list(met.values())


def _side_block(
    bound: Bound, alike: list[Side], several: bool, summed: bool
) -> Block | None:  # fmt: skip
    """One side: the rules that met the axis, and the number before and after."""
    side, items = alike[0], list[Item]()
    if not side.removed_by or side.change is None:
        if side.removed_by:
            items += [
                Para(Say(f"whys.rule.{rule}", {"axis": Formula(S(side.axis)), "window": None,
                                               "one": False, "index": Letter(side.index)}))
                for rule in side.removed_by if rule in ("fix", "dynamic", "tie")
            ]  # fmt: skip
            label = Say("whys.side", {"axis": Formula(S(side.axis)), "tensor": None})
            return Block(label, tuple(items), "~>") if items else None
        return None
    facts = {
        "axis": Formula(S(side.axis)),
        "index": Letter(side.index),
        "change": side.change,
        "window": side.change.after,
        "one": side.change.after == ONE,
        "tensor": side.tensor,
        "several": several,
    }
    if len(alike) > 1:
        items.append(Para(Say("whys.tensors", {"names": _letters(bound, alike)})))
    diagonal = side.role not in ("position", "offset") or _own_place(bound, side)
    for rule in side.removed_by:
        say = ("before" if side.lag else "diagonal") if rule == "restrict" and diagonal else rule
        say = "summed" if rule == "share" and summed else say
        items.append(Para(Say(f"whys.rule.{say}", facts)))
    named = side.tensor if several and len(alike) == 1 else None
    label = Say("whys.side", {"axis": Formula(S(side.axis)), "tensor": named})
    if side.change.rule == "split":
        items.append(Rows((Row(side.change.before, side.change.after),)))
        return Block(label, tuple(items), "=")
    items.append(Rows(tuple(_changed_rows(bound, alike))))
    return Block(label, tuple(items), "~>")


def _changed_rows(bound: Bound, alike: list[Side]) -> list[Row]:
    """The change in its product, once for all that keep the same sizes."""
    met: dict[tuple[Term, ...], list[Side]] = {}
    for side in alike:
        met.setdefault(side.kept, []).append(side)
    rows = []
    for kept, same in met.items():
        change = same[0].change
        assert change is not None
        say = Say("whys.letters", {"names": _letters(bound, same)}) if len(met) > 1 else None
        rows.append(Row(Changed((), change, kept), _number(bound.put(same[0].after)), say))
    return rows


def _own_place(bound: Bound, side: Side) -> bool:
    """Whether an axis was restricted to its own index."""
    found = [Story(bound, t) for t in bound.tensors if t.name == side.tensor]
    return any(w.before.name == side.axis for story in found for w in story.diagonals)


def _letters(bound: Bound, alike: list[Side]) -> tuple[Letter, ...]:
    letters_of = {tensor.name: tensor.letter for tensor in bound.tensors}
    return tuple(Letter(letters_of[side.tensor]) for side in alike)


def _number(size: Term) -> Term:
    found = whole(size)
    return Num(found) if found is not None else worked(size)


def _no_axis(bound: Bound, asked: tuple[str, ...], drops: bool) -> list[Block]:
    """A symbol that is no axis is answered through the sizes it is in."""
    through = [d.symbol for d in bound.layer.defines
               if any(a in letters(_opened(bound, d.term)) for a in asked)
               and not d.symbol.startswith("k_eff")]  # fmt: skip
    if not through:
        return []
    axes = Listing(tuple(S(name) for name in through))
    say = Say("whys.through", {"sizes": axes, "drops": drops, "n": len(through)})
    return [Block(Say("subgoals.axes"), (Para(say),))]


def _opened(bound: Bound, size: Term) -> Term:
    return Bound(bound.layer).expand(size)


def _stays_block(bound: Bound, asked: tuple[str, ...], stays: tuple[str, ...]) -> Block:
    generic = formula_bound(bound)
    rows = []
    for tensor in bound.tensors:
        if tensor.name in stays:
            size = worked(generic.put(tensor.size))
            now = whole(bound.put(tensor.size))
            label = Say("whys.tensor", {"name": tensor.name})
            rows.append(Row(Formula(size), Num(now) if now is not None else None, label))
    return Block(Say("whys.where"), (Rows(tuple(rows)),))


def _remove_block(plan: Plan, sides: tuple[Side, ...], stays: tuple[str, ...]) -> Block | None:
    """What would remove an axis that stays."""
    main = plan.main
    if main is None or not stays or not sides:
        return None
    role = sides[0].role
    box = main.tensor.end.boxes[0]
    facts: dict[str, object] = {"axis": Formula(S(sides[0].axis))}
    if role == "position":
        left = tuple(a for a in box if a.role != "position")
        facts["count"] = Formula(plan.sized(box_size(left)))
        if main.padded:
            return None
        say = "shared" if main.windows else "scaled" if main.diagonals else "summed"
        return _say_block("whys.remove", say, facts)
    grouped = any(c.divisor == "g" for c in plan.layer.requires) and main.tensor.kind == "weight"
    if role == "channel" and grouped:
        return _say_block("whys.remove", "groups" if main.group is None else "more_groups", facts)
    return None


def _say_block(label: str, which: str, facts: dict[str, object]) -> Block:
    return Block(Say(f"{label}.label"), (Para(Say(f"{label}.{which}", facts)),))


def _went(plan: Plan, asked: tuple[str, ...]) -> list[Block]:
    """Where the size went instead, and what would bring it back."""
    main = plan.main
    assert main is not None
    rows = []
    generic = formula_bound(plan.bound)
    for name, size in (("macs", plan.bound.macs), ("activations", plan.bound.activations)):
        opened = size if any(depends_on(size, a) for a in asked) else None
        if opened is None:
            full = Bound(plan.layer).expand(size)
            opened = size if any(depends_on(full, a) for a in asked) else None
        if opened is not None:
            now = whole(plan.bound.put(size))
            shown = Formula(worked(generic.put(size)))
            rows.append(Row(shown, Num(now) if now is not None else None, Say(f"tables.{name}")))
    blocks = []
    if rows:
        blocks.append(Block(Say("whys.went"), (Rows(tuple(rows)),)))
    elif asked[0] == "N":
        blocks.append(Block(Say("whys.went"), (Para(Say("whys.went_batch")),)))
    back = _back(plan)
    if back is not None and asked[0] != "N":
        blocks.append(back)
    return blocks


def _back(plan: Plan) -> Block | None:
    main = plan.main
    if main is None or not plan.drops:
        return None
    size = plan.bound.put(main.tensor.start.size if main.summed else main.unshared())
    say = "summed" if main.summed else "spread" if main.spread else "shared"
    say = say if main.windows or main.summed else "scaled"
    facts: dict[str, object] = {"count": Formula(worked(size))}
    return _say_block("whys.back", say, facts)


def _of_part(bound: Bound, name: str, asked: str, names: set[str]) -> Why:
    """A part's answer: about its own axis, and whether a size it takes holds the letter."""
    try:
        answer = why(bound, name)
    except UnknownName:
        answer = Why(asked, True, (), (), (), Page(Say("titles.simplify")))
    held = tuple(
        t.name
        for t in bound.tensors
        if t.end.stored and any(depends_on(bound.expand(t.size), letter) for letter in names)
    )
    stays = tuple(dict.fromkeys((*answer.stays_in, *held)))
    drops = answer.drops_out and not stays
    return replace(answer, axis=asked, stays_in=stays, drops_out=drops)


def why_in_sequence(chain: Chain, name: str) -> Why:
    """Ask about an axis of a sequence: each part answers for itself.

    Raises:
        UnknownName: no part has such a symbol.
    """
    asked = why(chain.parts[0].bound, name).axis  # the letter is the first layer's
    opened = chain.opened(name)
    key = chain.parts[0].bound.layer.key(name)
    names = {asked, key.symbol} if key is not None else {asked}
    for part in opened.parts:  # a size of a part in front may hold the letter
        for letter, size in part.scoped().items():
            if any(depends_on(size, known) for known in names):
                names.add(letter)
    answers = [(part, _of_part(part.bound, name, asked, names)) for part in opened.parts]
    rows: list[tuple[object, ...]] = []
    for part, answer in answers:
        shown = "drops" if answer.drops_out else "stays"
        tensors = ", ".join(answer.stays_in)
        facts = {"rules": ", ".join(answer.removed_by), "tensors": tensors,
                 "none": not part.bound.tensors}  # fmt: skip
        rows.append((Say("tables.name", {"layer": layer_fact(part.bound)}),
                     Say(f"whys.part.{shown}", facts)))  # fmt: skip
    head = (Say("tables.part"), Say("whys.part.head", {"axis": Formula(S(answers[0][1].axis))}))
    stays = tuple(f"{p.name}.{t}" for p, a in answers for t in a.stays_in)
    removed = tuple(r for r in REMOVERS if any(r in a.removed_by for _, a in answers))
    sides = tuple(
        replace(side, tensor=f"{p.name}.{side.tensor}") for p, a in answers for side in a.sides
    )
    title = Say(f"whys.title.{'stays' if stays else 'drops'}", {
        "axis": Formula(S(answers[0][1].axis)),
        "layer": Say("layers.sequence.a", {"n": len(chain.parts)})})  # fmt: skip
    page = Page(title, blocks=(Block(Say("subgoals.parts"), (Table(head, tuple(rows)),)),))
    drops = all(answer.drops_out for _, answer in answers)
    return Why(answers[0][1].axis, drops, removed, sides, stays, page)


# --- a layer with parts ---------------------------------------------------------------------------


def _in_parts(bound: Bound, asked: tuple[str, ...]) -> Why:
    """Each part answers for the letters of its own that hold what was asked about."""
    copies = {key.symbol for key in bound.layer.keys if key.kind == "copies"}
    kept = (_structural(bound) | copies) - set(asked)
    letters_kept = {k: v for k, v in bound.values.items() if k in kept}
    modifiers = {letter: S(letter) for letter in asked if letter in bound.layer.letters}
    opened = Bound(bound.layer, usual(bound.layer, letters_kept | modifiers))
    answers = [(piece, _of_piece(opened, piece, asked)) for piece in opened.parts]
    stays = tuple(f"{piece.name}.{t}" for piece, a in answers for t in a.stays_in)
    removed = tuple(r for r in REMOVERS if any(r in a.removed_by for _, a in answers))
    sides = tuple(replace(side, tensor=f"{piece.name}.{side.tensor}")
                  for piece, a in answers for side in a.sides)  # fmt: skip
    drops = all(a.drops_out for _, a in answers)
    return Why(asked[0], drops, removed, sides, stays, _parts_page(bound, asked, drops, answers))


def _of_piece(whole: Bound, piece: BoundPart, asked: tuple[str, ...]) -> Why:
    """One part's answer; how often it is there counts as well."""

    def holds(size: Term) -> bool:
        return any(depends_on(size, a) or depends_on(whole.expand(size), a) for a in asked)

    weights = stored_tensors(piece.bound)
    if piece.tied:
        weights = ()
    if piece.when in asked or holds(piece.copies):
        return Why(asked[0], not weights, (), (), weights, Page(Say("titles.simplify")))
    if asked[0] == "N":
        inner = ["N"]
    else:
        inner = [letter for letter, size in piece.bound.values.items() if holds(size)]
    found = [why(piece.bound, letter) for letter in inner if letter == "N" or
             piece.bound.layer.key(letter) is not None]  # fmt: skip
    stays = tuple(dict.fromkeys(t for one in found for t in one.stays_in)) if weights else ()
    removed = tuple(r for r in REMOVERS if any(r in one.removed_by for one in found))
    sides: list[Side] = []
    for side in (side for one in found for side in one.sides):
        if side not in sides:
            sides.append(side)
    drops = not weights or all(one.drops_out for one in found)
    page = next((one.page for one in found if one.drops_out == drops),
                Page(Say("titles.simplify")))  # fmt: skip
    return Why(asked[0], drops, removed, tuple(sides), stays, page)


def stored_tensors(bound: Bound) -> tuple[str, ...]:
    """The names of all tensors that a layer and its parts count."""
    own = tuple(t.name for t in bound.tensors if t.end.stored and t.kind != "buffer")
    return own + tuple(f"{p.name}.{t}" for p in bound.parts for t in stored_tensors(p.bound))


def _parts_page(
    bound: Bound, asked: tuple[str, ...], drops: bool, answers: list[tuple[BoundPart, Why]]
) -> Page:
    rows: list[tuple[object, ...]] = []
    for piece, answer in answers:
        facts = {"rules": ", ".join(answer.removed_by), "tensors": ", ".join(answer.stays_in),
                 "none": not stored_tensors(piece.bound)}  # fmt: skip
        named = {"name": piece.name, "layer": layer_fact(piece.bound)}
        shown = "drops" if answer.drops_out else "stays" if answer.stays_in else "switch"
        rows.append((Say("tables.named", named), Say(f"whys.part.{shown}", facts)))
    facts = {"axis": Formula(S(asked[0])), "layer": layer_fact(bound)}
    head = (Say("tables.part"), Say("whys.part.head", {"axis": facts["axis"]}))
    block = Block(Say("subgoals.parts"), (Table(head, tuple(rows)),))
    said = (a.page.answer for _, a in answers if a.drops_out == drops)
    return Page(Say(f"whys.title.{'drops' if drops else 'stays'}", facts), shapes(bound), (block,),
                answer=next((one for one in said if one is not None), None))  # fmt: skip
