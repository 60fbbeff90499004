"""The derivation of a parameter count, at the levels line, exam and lecture."""

from __future__ import annotations

import functools

from ..algebra import Value, depends_on, number, value
from ..axes import SITES, box_size
from ..layer import Bound, Tensor
from ..rewriting import factored
from ..terms import ONE, Floor, Num, Quot, Rel, S, Sum, Term, letters, product, substitute, total
from .page import (
    Block,
    Dims,
    Equation,
    Indices,
    Item,
    Letter,
    Listing,
    Page,
    Para,
    Row,
    Rows,
    Say,
)
from .steps import Derivation, Step, count_steps, index_steps
from .story import Story, equation


class Plan:
    """The facts of one layer's count, worked out once and used by every level."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.layer = bound.layer
        self.tensors = tuple(t for t in bound.tensors if t.trainable)
        self.stories = tuple(Story(bound, t) for t in self.tensors)
        self.weights = tuple(s for s in self.stories if s.tensor.kind != "bias")
        self.biases = tuple(s for s in self.stories if s.tensor.kind == "bias")
        self.main = self.weights[0] if self.weights else None
        self.bias_open = any(t.when for t in self.tensors)

    @functools.cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step, index sets first, then the total."""
        out: tuple[Step, ...] = ()
        for tensor in self.tensors:
            out += index_steps(self.bound, tensor)
        return out + count_steps(self.bound, self.tensors, "params")

    @functools.cached_property
    def weight_total(self) -> Term:
        """All weights together."""
        return self.worked(total(*(self.bound.put(s.tensor.size) for s in self.weights)))

    @functools.cached_property
    def bias_total(self) -> Term | None:
        """All biases together, where there are any."""
        if not self.biases:
            return None
        return self.worked(total(*(self.bound.put(s.tensor.size) for s in self.biases)))

    @functools.cached_property
    def with_bias(self) -> Term:
        """Weights and biases."""
        if self.bias_total is None:
            return self.weight_total
        return self.worked(self.weight_total + self.bias_total)

    def worked(self, size: Term) -> Term:
        """A size worked out: a number, or letters collected and factored."""
        found = number(size)
        if found is not None:
            return Num(int(found))
        return factored(size)

    @property
    def drops(self) -> bool:
        """Whether positions are sites that leave the count."""
        return self.main is not None and any(a.role == "position" for a in self.main.shared)


# --- the parts of a page -----------------------------------------------------------------


def layer_fact(bound: Bound) -> Say:
    """The noun phrase of a layer, ``a 3x3 convolution``."""
    kernel = tuple(bound.put(S(p)) for p in kernel_parts(bound))
    numeric = bool(kernel) and all(isinstance(k, Num) for k in kernel)
    return Say(
        f"layers.{bound.layer.family}.a",
        {
            "id": bound.layer.id,
            "kernel": Dims(kernel) if numeric else None,
            "axes": len(kernel),
            "name": Say(f"layers.{bound.layer.id}.name"),
        },
    )


def kernel_parts(bound: Bound) -> tuple[str, ...]:
    """The letters of the kernel's sizes, if the layer has one."""
    key = bound.layer.key("k")
    return key.letters if key else ()


def shape(bound: Bound, side: str) -> Dims:
    """A shape as the questions write it: positions first, channels last."""
    box = bound.layer.outputs if side == "out" else bound.layer.inputs
    ordered = sorted(box, key=lambda axis: axis.role not in SITES)
    return Dims(tuple(bound.put(axis.size) for axis in ordered))


def title(bound: Bound, quantity: str) -> Say:
    """The page's title."""
    return Say(f"titles.{quantity}", {"layer": layer_fact(bound)})


def subtitle(bound: Bound) -> Say:
    """From which shape to which, where a size is known."""
    return Say("titles.shapes", {"inp": shape(bound, "in"), "out": shape(bound, "out")})


def axes_block(plan: Plan) -> Block:
    """The first subgoal: every axis with its size."""
    bound, main = plan.bound, plan.main
    assert main is not None
    out, inputs = main.tensor.out, main.tensor.inputs
    facts = {
        "out": Indices(tuple(a.index for a in out)),
        "out_sizes": Listing(bound.box(out)),
        "inp": Indices(tuple(a.index for a in inputs)),
        "in_sizes": Listing(bound.box(inputs)),
    }
    items: list[Item] = [Para(Say("steps.axes.both", facts))]
    fit = fit_line(bound)
    if fit is not None:
        items.append(Para(fit, aside=True))
    written = equation(bound, plan.stories)
    if not main.windows and written is not None:
        items.append(Equation(written))
    return Block(Say("subgoals.axes"), tuple(items))


def fit_line(bound: Bound) -> Say | None:
    """Stride and padding, and that they map the input size to the output size."""
    checks: list[Term] = []
    for define in bound.layer.defines:
        if not define.symbol.endswith("_out"):
            continue
        result = bound.values.get(define.symbol)
        line = size_line(bound, define.term)
        if isinstance(result, Num) and line is not None and Rel(line, result) not in checks:
            checks.append(Rel(line, result))
    if not checks:
        return None
    facts = {
        "stride": _once(bound, "s"),
        "padding": _once(bound, "P"),
        "dilation": _once(bound, "d"),
        "output_padding": _once(bound, "op"),
        "dilated": _once(bound, "d") not in (None, Dims((ONE,))),
        "extra": _once(bound, "op") not in (None, Dims((Num(0),))),
        "line": checks[0],
        "other": checks[1] if len(checks) > 1 else None,
        "third": checks[2] if len(checks) > 2 else None,
    }
    return Say("steps.axes.fit", facts)


def _once(bound: Bound, symbol: str) -> Dims | None:
    key = bound.layer.key(symbol)
    if key is None:
        return None
    sizes = tuple(bound.put(S(letter)) for letter in key.letters)
    return Dims(sizes[:1] if len(set(sizes)) == 1 else sizes)


def size_line(bound: Bound, definition: Term) -> Term | None:
    """A size rule with the numbers in, without what does nothing (stride 1, no padding)."""
    size = bound.put(definition)
    for define in bound.layer.defines:
        if define.symbol in letters(size):
            size = substitute(size, {define.symbol: Num(int(value(bound.put(define.term))))})
    if letters(size):
        return None
    return _neat(size)


def _neat(size: Term) -> Term:
    """100 + 2*1 - 3 over 1, floor, + 1 reads 100 + 2 - 3 + 1."""
    match size:
        case Sum(terms):
            flat: list[Term] = []
            for part in terms:
                neat = _neat(part)
                flat += neat.terms if isinstance(neat, Sum) else [neat]
            return total(*(t for t in flat if t != Num(0)))
        case Floor(Quot(top, Num(1))):
            return _neat(top)
        case Floor(inside) if isinstance(inside, Sum):
            return Floor(_neat(inside))
        case Floor(Quot(top, bottom)):
            return Floor(Quot(_neat(top), bottom))
    found = number(size)
    return Num(int(found)) if found is not None and found >= 0 and not _has_floor(size) else size


def _has_floor(size: Term) -> bool:
    return isinstance(size, Floor)


def relative_block(plan: Plan) -> Block | None:
    """The equation with inputs named relative to an output."""
    main = plan.main
    if main is None or not main.windows:
        return None
    written = equation(plan.bound, plan.stories)
    if written is None:
        return None
    items: list[Item] = [Equation(written)]
    if main.group is not None:
        other = main.axis(main.group.other).index
        items.append(
            Para(
                Say("steps.relative.group", {"letter": Letter("g_" + other), "o": Letter(other)}),
                aside=True,
            )
        )
    return Block(Say("subgoals.relative"), tuple(items), "=")


def restrict_block(plan: Plan) -> Block | None:
    """Locality: what one output sees; groups; diagonals of sites."""
    main = plan.main
    if main is None:
        return None
    items: list[Item] = []
    change = main.window_change()
    if change is not None:
        say = "steps.restrict.spread" if main.spread else "steps.restrict.window"
        items.append(
            Para(Say(say, {"window": change.after, "n": number(change.after)}), change=change)
        )
        unshared = plan.bound.put(main.unshared())
        found = number(unshared)
        if found is not None and plan.drops:
            items.append(Para(Say("steps.restrict.local", {"number": int(found)}), aside=True))
    if main.group is not None:
        items += _group_items(plan, main)
    sites = tuple(w for w in main.diagonals if w.before.role in SITES)
    if sites:
        items.append(
            Para(
                Say(
                    "steps.restrict.diagonal",
                    {"letters": Indices(tuple(main.axis(w.offset.site).index for w in sites))},
                )
            )
        )
    return Block(Say("subgoals.restrict"), tuple(items), "~>") if items else None


def _group_items(plan: Plan, main: Story) -> list[Item]:
    from .page import Change

    group = main.group
    assert group is not None
    put = plan.bound.put
    cut = main.axis(group.cut)
    before, g = put(cut.size), put(group.groups)
    after = put(next(a.size for a in main.tensor.end.boxes[0] if a.name == group.cut))
    after = plan.worked(after) if not letters(after) else after
    facts = {"groups": g, "part": after, "side": cut.side}
    return [Para(Say("steps.restrict.group", facts), change=Change(before, after, "group"))]


def share_block(plan: Plan) -> Block | None:
    """Sharing: which sites are no index of the weights."""
    main = plan.main
    if main is None or not main.shared:
        return None
    role = main.shared[0].role
    facts = {
        "sites": Indices(tuple(a.index for a in main.shared)),
        "w": Letter(main.tensor.letter),
        "b": Letter(plan.biases[0].tensor.letter) if plan.biases else None,
        "bias_shared": bool(plan.biases) and bool(plan.biases[0].shared),
        "open": plan.bias_open,
    }
    say = "summed" if main.summed else "spread" if main.spread else role
    return Block(
        Say("subgoals.share"),
        (Para(Say(f"steps.share.{say}", facts), change=main.share_change()),),
        "~>",
    )


def count_rows(plan: Plan) -> Rows:
    """One unit, all units, biases: the lines that earn the marks."""
    rows: list[Row] = []
    family = plan.layer.family
    for story in plan.weights:
        rows += _weight_rows(plan, story, family)
    if plan.bias_total is not None:
        each = Say(f"units.{family}.bias", {"n": plan.bias_total})
        note = Say("notes.with_bias") if plan.bias_open else None
        rows.append(
            Row(
                plan.weight_total + plan.bias_total,
                _new(plan.weight_total + plan.bias_total, plan.with_bias),
                each,
                note,
                True,
            )
        )
    return Rows(tuple(rows))


def _new(left: Term, right: Term) -> Term | None:
    return None if left == right else right


def _weight_rows(plan: Plan, story: Story, family: str) -> list[Row]:
    one = product(*story.inner)
    unit = plan.worked(one)
    many = product(*story.outer) if story.outer else ONE
    rows = []
    note = Say("notes.without_bias") if plan.bias_open else None
    strong = plan.bias_open or plan.bias_total is None
    if len(story.inner) > 1:
        label = Say(f"units.{family}.one", {"n": ONE})
        rows.append(Row(one, _new(one, unit), label))
    label = Say(f"units.{family}.many", {"n": many, "each": unit})
    left = product(*story.outer, unit)
    rows.append(Row(left, _new(left, plan.weight_total), label, note, strong))
    return rows


def count_block(plan: Plan) -> Block:
    """Count what remains."""
    return Block(Say("subgoals.count"), (count_rows(plan),), "=")


def check_block(plan: Plan) -> Block:
    """A check a reader can do, then what the machine checked."""
    items: list[Item] = []
    main = plan.main
    assert main is not None
    if plan.drops:
        doubled = _doubled(plan)
        if doubled is not None:
            items.append(Para(Say("steps.check.doubled", {"shape": doubled})))
    if (
        plan.biases
        and len(plan.weights) == 1
        and plan.biases[0].tensor.end.boxes == ((),) + ()
        or plan.biases
    ):
        grouped = _grouped(plan)
        if grouped is not None:
            items.append(Para(grouped))
    items.append(Para(machine_line(plan), aside=True))
    return Block(Say("subgoals.check"), tuple(items))


def _doubled(plan: Plan) -> Dims | None:
    sizes = [plan.bound.put(a.size) for a in plan.layer.inputs if a.role == "position"]
    if not all(isinstance(size, Num) for size in sizes):
        return None
    return Dims(tuple(Num(2 * size.value) for size in sizes if isinstance(size, Num)))


def _grouped(plan: Plan) -> Say | None:
    """(inputs of one unit + 1) times the units: the bias stands with the inputs."""
    main = plan.main
    assert main is not None
    if len(plan.weights) != 1 or len(plan.biases) != 1 or main.spread:
        return None
    outer = product(*main.outer)
    if plan.worked(outer) != plan.bias_total:
        return None
    line = Rel(product(product(*main.inner) + 1, outer), plan.with_bias)
    return Say(
        "steps.check.grouped",
        {
            "line": line,
            "unit": Say(f"units.{plan.layer.family}.the"),
            "n": plan.worked(product(*main.inner)),
            "open": plan.bias_open,
        },
    )


def machine_line(plan: Plan) -> Say:
    """What was verified, and where labels were counted."""
    proofs = [s.evidence for s in plan.steps if s.evidence is not None]
    assumed = any(s.kind == "~>" for s in plan.steps)
    letter, sizes = proofs[0].shown if proofs else ("", ())
    return Say(
        "steps.check.machine",
        {
            "assumed": assumed,
            "letter": S(letter) if letter else None,
            "sizes": Listing(tuple(Num(n) for n in sizes)),
        },
    )


def callout(plan: Plan) -> tuple[Say, Say] | None:
    """The paragraph that says why the size does not matter, or why it does."""
    main = plan.main
    if main is None:
        return None
    positions = [a for a in plan.layer.inputs if a.role == "position"]
    size = Dims(plan.bound.box(positions))
    change = main.window_change()
    uses = plan.bound.put(main.tensor.uses)
    facts = {
        "size": size,
        "window": change.after if change else None,
        "sites": plan.worked(plan.bound.put(box_size(main.shared))) if main.shared else None,
        "uses": plan.worked(uses),
        "each": plan.weight_total,
        "spread": main.spread,
        "w": Letter(main.tensor.letter),
    }
    if plan.drops:
        which = "summed" if main.summed else "position"
        return Say("why.title.drops", facts), Say(f"why.callout.{which}", facts)
    if any(a.role == "position" for a in main.tensor.end.boxes[0]):
        return Say("why.title.stays", facts), Say("why.callout.stays", facts)
    if main.shared:
        return Say("why.title.lead", facts), Say("why.callout.lead", facts)
    return None


def formula_line(plan: Plan) -> tuple[Say, ...]:
    """The formula in letters, and what its letters are."""
    generic = Bound(plan.layer, letter_values(plan.bound))
    count = factored(generic.put(generic.count()))
    from .page import Formula

    words = tuple(
        Say(
            "glossary.symbol",
            {"letter": Formula(S(name)), "what": Say(f"glossary.{name_key(name)}")},
        )
        for name in formula_letters(count)
    )
    return (Say("formula.params", {"formula": Formula(count), "glossary": words}),)


def name_key(symbol: str) -> str:
    """The glossary's key of a letter: axis marks have one entry."""
    return symbol.replace(".", "_")


def formula_letters(count: Term) -> tuple[str, ...]:
    """The letters of a formula in the order they are read."""
    from ..terms import walk, Sym

    seen: dict[str, None] = {}
    for _, node in walk(count):
        if isinstance(node, Sym):
            seen.setdefault(node.name)
    return tuple(seen)


def letter_values(bound: Bound) -> dict[str, Term]:
    """The binding a formula is shown under: square kernels as one letter, usual modifiers.

    Only letters that stand for letters, and structure (one group), are kept.
    """
    out: dict[str, Term] = {}
    for key in bound.layer.keys:
        given = [bound.values.get(p) for p in key.letters]
        if key.kind == "modifier":
            if all(v == ONE for v in given):
                out.update({p: ONE for p in key.letters})
            continue
        if len(key.parts) > 1 and len({str(v) for v in given}) == 1:
            out.update({p: S(key.symbol) for p in key.parts})
    return out


# --- levels --------------------------------------------------------------------------------


def exam(plan: Plan) -> Page:
    """The default level: subgoals, every line worth a mark."""
    blocks = (
        axes_block(plan),
        relative_block(plan),
        restrict_block(plan),
        share_block(plan),
        count_block(plan),
        check_block(plan),
    )
    found = callout(plan)
    return Page(
        title(plan.bound, "params"),
        subtitle(plan.bound),
        tuple(block for block in blocks if block is not None),
        callout_title=found[0] if found else None,
        callout=found[1] if found else None,
        formula=formula_line(plan),
    )


def derive(bound: Bound, level: str, convention: str = "textbook") -> Derivation:
    """The derivation of a layer's trainable parameters."""
    plan = Plan(bound)
    page = exam(plan)
    derivation = Derivation(
        bound.layer.id, "params", level, convention, bound.formula(),
        bound.put(bound.count()), plan.steps, page,
        **_values(plan),
        remaining=_remaining(plan), dropped=_dropped(plan),
    )  # fmt: skip
    derivation.verify()
    return derivation


def _values(plan: Plan) -> dict[str, Value | None]:
    with_bias, without = number(plan.with_bias), number(plan.weight_total)
    if plan.bias_open:
        return {"value": None, "with_bias": with_bias, "without_bias": without}
    return {"value": with_bias}


def _remaining(plan: Plan) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for tensor in plan.tensors:
        for axis in tensor.end.boxes[0] if tensor.end.boxes else ():
            names.setdefault(axis.name)
    return tuple(names)


def _dropped(plan: Plan) -> tuple[str, ...]:
    count = plan.bound.expand(plan.layer and plan.bound.count())
    every = [a.name for a in (*plan.layer.inputs, *plan.layer.outputs)]
    remaining = set(_remaining(plan))
    return tuple(n for n in dict.fromkeys(every) if n not in remaining and not depends_on(count, n))


def tensors_of(bound: Bound) -> tuple[Tensor, ...]:
    """The trainable tensors that are there."""
    return tuple(t for t in bound.tensors if t.trainable)
