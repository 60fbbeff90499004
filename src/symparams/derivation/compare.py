"""Two sides against each other: the ratio of a quantity, derived, with what cancels struck out."""

from __future__ import annotations

from dataclasses import dataclass

from ..algebra import Value, number
from ..chain import Chain
from ..rewriting import Rewrite, replay, simplify, verify
from ..terms import Num, Quot, Size, Term, at, letters
from .page import Block, Formula, Item, Page, Para, Row, Rows, Say
from .plan import layer_fact
from .steps import Step


@dataclass(frozen=True)
class Comparison:
    """Both counts, their ratio in lowest terms, and the verified steps to it."""

    quantity: str
    left: Term
    right: Term
    ratio: Term
    value: Value | None
    steps: tuple[Step, ...]
    page: Page


def compare(left: Chain, right: Chain, quantity: str = "params", biases: bool = False) -> Comparison:
    """Derive how many times as large one side is as the other.

    Raises:
        VerificationError: a step does not hold.
    """
    sides = [_quantity(side, quantity) for side in (left, right)]
    counts = [_collected(size) for size in sides]
    start = Quot(counts[0][-1], counts[1][-1])
    lines = simplify(start)
    for line in lines:
        verify(line)
    ratio = lines[-1].after if lines else start
    steps = (*_side_steps("left", sides[0]), *_side_steps("right", sides[1]),
             *(_step(line) for line in lines))  # fmt: skip
    for step in steps:
        step.verify()
    page = _page(left, right, counts, lines, ratio, quantity, biases)
    found = number(ratio)
    return Comparison(quantity, counts[0][-1], counts[1][-1], ratio, found, steps, page)


def _quantity(side: Chain, quantity: str) -> Term:
    if quantity == "params":
        return side.params
    return side.macs if quantity == "macs" else side.activations


def _collected(size: Term) -> list[Term]:
    """A count as written, then with equal factors and summands collected."""
    found = number(size)
    if found is not None:
        short: Term = Num(int(found))
    else:
        lines = simplify(size, "expanded")
        short = lines[-1].after if lines else size
    return [size] if short == size else [size, short]


def _side_steps(name: str, size: Term) -> list[Step]:
    steps = [Step("define", "=", "count", name, Size(name), size)]
    found = number(size)
    if found is not None:
        return steps
    return steps + [_step(line, name) for line in simplify(size, "expanded")]


def _step(line: Rewrite, path: str = "ratio") -> Step:
    return Step(line.rule, "=", "count", path, line.before, line.after,
                rewrite=lambda _: replay(line))  # fmt: skip


def _page(
    left: Chain, right: Chain, counts: list[list[Term]], lines: tuple[Rewrite, ...], ratio: Term,
    quantity: str, biases: bool,
) -> Page:  # fmt: skip
    names = [_name(side) for side in (left, right)]
    facts = {"left": names[0], "right": names[1]}
    blocks = []
    for side, count in zip(("left", "right"), counts, strict=True):
        rows = [Row(None if n else count[0], count[n] if n else None) for n in range(len(count))]
        if len(count) > 1:
            rows = [Row(count[0], count[1])]
        say = Para(Say("compare.side", {"name": facts[side]}))
        blocks.append(Block(Say(f"compare.{side}"), (say, Rows(tuple(rows)))))
    start = Quot(counts[0][-1], counts[1][-1])
    chain = [Row(None, start, Say("compare.over"), cancelled=_struck(lines, 0))]
    for n, line in enumerate(lines):
        struck = tuple(dict.fromkeys(at(line.before, p) for p in _struck(lines, n)))
        note = Say(f"rules.{line.rule}", {"detail": line.detail, "struck": _formulas(struck)})
        chain.append(Row(None, line.after, note=note, cancelled=_struck(lines, n + 1)))
    items: list[Item] = [Rows(tuple(chain))]
    blocks.append(Block(Say("compare.ratio"), tuple(items), "="))
    return Page(
        Say("titles.compare", {**facts, "quantity": Say(f"tables.{_column(quantity)}")}),
        None,
        tuple(blocks),
        answer=Para(_verdict(ratio, counts)),
        warnings=() if biases or quantity != "params" else (Say("compare.biases"),),
    )


def _formulas(struck: tuple[Term, ...]) -> tuple[Formula, ...]:
    return tuple(Formula(term) for term in struck if letters(term))


def _column(quantity: str) -> str:
    return "count" if quantity == "params" else quantity


def _name(side: Chain) -> Say:
    names: list[object] = []
    for n, part in enumerate(side.parts):
        if n:
            names.append(Say("compare.then"))
        names.append(layer_fact(part.bound))
    return Say("compare.names", {"names": tuple(names)})


def _struck(lines: tuple[Rewrite, ...], position: int) -> tuple[tuple[int, ...], ...]:
    """The paths struck out in a line are those that the next line cancelled."""
    if position >= len(lines):
        return ()
    return tuple(path for group in lines[position].cancelled for path in group)


def _verdict(ratio: Term, counts: list[list[Term]]) -> Say:
    found = number(ratio)
    if found is None:
        return Say("compare.letters", {"ratio": Formula(ratio)})
    facts: dict[str, object] = {"ratio": Formula(ratio), "percent": None, "equal": found == 1}
    if found < 1:
        facts["percent"] = f"{float(100 * (1 - found)):.3g}"
        return Say("compare.fewer", facts)
    facts["times"] = f"{float(found):.4g}"
    return Say("compare.more", facts)
