"""The derivation of an output shape: the size rule, its numbers, the floor shown."""

from __future__ import annotations

from collections.abc import Callable

from ..algebra import value
from ..axes import box_size
from ..declaration import Bound
from ..rewriting import numeric, tidy
from ..terms import Floor, Num, S, Term, letters, substitute, walk
from .page import Block, Item, Page, Para, Row, Rows, Say
from .plan import layer_fact, neat, shape, shapes
from .simplified import step
from .steps import Derivation, Step


def derive(bound: Bound, level: str = "exam", convention: str = "textbook") -> Derivation:
    """Derive and verify a layer's output shape.

    Raises:
        VerificationError: a step does not hold.
    """
    block = shape_block(bound, level)
    out = shape(bound, bound.outputs)
    title = Say("titles.shape", {"layer": layer_fact(bound)})
    answer = Para(Say("shape.answer", {"inp": shape(bound, bound.layer.inputs), "out": out}))
    page = Page(title, shapes(bound), (block,) if block and level != "line" else (), answer=answer)
    derivation = Derivation(
        layer=bound.layer.id,
        quantity="shape",
        level=level,
        convention=convention,
        formula=box_size(bound.layer.outputs),
        symbolic=bound.put(box_size(bound.outputs)),
        steps=steps(bound),
        page=page,
    )
    derivation.verify()
    return derivation


def rules(bound: Bound) -> list[tuple[str, Term]]:
    """The size rules that apply, outputs only, each along its own axis."""
    used = {name for axis in bound.outputs for name in letters(axis.size)}
    used |= {name for d in bound.layer.defines if d.symbol in used for name in letters(d.term)
             if name.endswith("_out")}  # fmt: skip
    return [(d.symbol, d.term) for d in bound.layer.defines if d.symbol in used]


def steps(bound: Bound) -> tuple[Step, ...]:
    """Define, substitute, work out: for every output size that follows from a rule."""
    out: list[Step] = []
    for symbol, rule in rules(bound):
        opened = _opened(bound, rule)
        out.append(Step("define", "=", "count", symbol, S(symbol), opened, rewrite=_being(opened)))
        put = bound.put(opened)
        if put != opened:
            out.append(
                Step("substitute", "=", "count", symbol, opened, put, rewrite=bound.put,
                     values=bound.values)
            )  # fmt: skip
        if letters(put):
            continue
        for line in numeric(put):
            out.append(step(line, symbol))
    return tuple(out)


def _being(opened: Term) -> Callable[[Term], Term]:
    return lambda _: opened


def _opened(bound: Bound, rule: Term) -> Term:
    """The rule with the effective kernel size put in, where the kernel is dilated."""
    inner = {}
    for define in bound.layer.defines:
        if define.symbol.startswith("k_eff") and define.symbol in letters(rule):
            mark = define.symbol.removeprefix("k_eff")
            undilated = bound.values.get("d" + mark) == Num(1)
            inner[define.symbol] = S("k" + mark) if undilated else define.term
    return substitute(rule, inner)


def shape_block(bound: Bound, level: str = "exam") -> Block | None:
    """The size rule with its numbers, once for every different axis."""
    items: list[Item] = []
    seen: set[Term] = set()
    floored = False
    for symbol, rule in rules(bound):
        opened = _opened(bound, rule)
        if opened == S(symbol) or bound.put(opened) in seen or _as_first(bound, opened) in seen:
            continue
        seen |= {bound.put(opened), _as_first(bound, opened)}
        floored = floored or any(
            isinstance(node, Floor) for _, node in walk(tidy(bound.put(opened)))
        )
        items.append(Rows(tuple(_rows(bound, symbol, opened, level))))
    if not items:
        return None
    mode = dict(bound.layer.options).get("padding")
    if mode == "same":
        items.append(Para(Say("shape.same"), aside=True))
    elif floored and mode != "ceil":
        items.append(Para(Say("shape.floor"), aside=True))
    return Block(Say("subgoals.output"), tuple(items), "=")


def _as_first(bound: Bound, opened: Term) -> Term:
    """A rule with its own axis called n, to see that two axes follow the same one."""
    square = bound.put(_square(bound, opened))
    own = {a.name: S("n") for a in bound.layer.inputs if a.role == "position"}
    return substitute(square, own)


def _rows(bound: Bound, symbol: str, opened: Term, level: str) -> list[Row]:
    rows = [Row(S(symbol), _square(bound, opened))]
    put = bound.put(opened)
    if letters(put):
        short = tidy(put)
        return [*rows, Row(None, short)] if short != rows[0].right else rows
    if level == "lecture":
        shown = [put, *(line.after for line in numeric(put))]
    else:
        shown = list(dict.fromkeys((neat(put), Num(int(value(put))))))
    last = len(shown) - 1
    return [*rows, *(Row(None, term, strong=n == last) for n, term in enumerate(shown))]


def _square(bound: Bound, rule: Term) -> Term:
    """The rule with one letter where the axes have the same setting."""
    values: dict[str, Term] = {}
    for key in bound.layer.keys:
        given = {bound.values.get(part) for part in key.letters}
        if len(key.parts) > 1 and len(given) == 1 and key.kind != "derived":
            values.update({part: S(key.symbol) for part in key.parts})
    return substitute(rule, values)
