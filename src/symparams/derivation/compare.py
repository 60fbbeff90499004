"""Two sides against each other: the ratio of a quantity, derived, with what cancels struck out."""

from __future__ import annotations

from dataclasses import dataclass

from ..algebra import Value, number, same
from ..chain import Chain, named_alike
from ..errors import Error
from ..rewriting import Rewrite, simplify, verify
from ..terms import ZERO, Num, Quot, S, Size, Term
from .page import Block, Formula, Item, Page, Para, Row, Rows, Say
from .plan import layer_fact, worked
from .simplified import rows, step
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


def compare(
    left: Chain, right: Chain, quantity: str = "params", biases: bool = False
) -> Comparison:
    """Derive how many times as large one side is as the other.

    Raises:
        VerificationError: a step does not hold.
    """
    meaning: dict[str, Term] = {}
    if quantity != "params":
        (left, right), meaning = named_alike((left, right))
    sides = [_quantity(side, quantity) for side in (left, right)]
    counts = [_collected(size) for size in sides]
    if same(counts[1][-1], ZERO):
        raise Error("ratio_to_nothing", quantity=quantity)
    start = Quot(counts[0][-1], counts[1][-1])
    lines = simplify(start)
    for line in lines:
        verify(line)
    ratio = lines[-1].after if lines else start
    steps = (*_side_steps("left", sides[0]), *_side_steps("right", sides[1]),
             *(step(line, "ratio") for line in lines))  # fmt: skip
    for one in steps:
        one.verify()
    page = _page(left, right, counts, lines, ratio, quantity, biases, meaning)
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
    steps = [Step("define", "=", "count", name, Size(name), size, rewrite=lambda _: size)]
    found = number(size)
    if found is not None:
        return steps
    return steps + [step(line, name) for line in simplify(size, "expanded")]


def _page(
    left: Chain, right: Chain, counts: list[list[Term]], lines: tuple[Rewrite, ...], ratio: Term,
    quantity: str, biases: bool, meaning: dict[str, Term],
) -> Page:  # fmt: skip
    names = [_name(side) for side in (left, right)]
    facts = {"left": names[0], "right": names[1]}
    blocks = []
    for side, count in zip(("left", "right"), counts, strict=True):
        line = Row(count[0], count[1] if len(count) > 1 else None)
        say = Para(Say("compare.side", {"name": facts[side]}))
        blocks.append(Block(Say(f"compare.{side}"), (say, Rows((line,)))))
    start = Quot(counts[0][-1], counts[1][-1])
    items: list[Item] = [Rows(rows(start, lines), chain=True)]
    blocks.append(Block(Say("compare.ratio"), tuple(items), "="))
    if meaning:
        sizes = tuple(Row(S(name), worked(size)) for name, size in meaning.items())
        blocks.append(Block(Say("subgoals.output"), (Rows(sizes),)))
    return Page(
        Say("titles.compare", {**facts, "quantity": Say(f"compare.quantity.{quantity}")}),
        None,
        tuple(blocks),
        answer=Para(_verdict(ratio, counts)),
        warnings=() if biases or quantity != "params" else (Say("compare.biases"),),
    )


def _name(side: Chain) -> Say:
    names: list[object] = []
    for n, part in enumerate(side.parts):
        if n:
            names.append(Say("compare.then"))
        names.append(layer_fact(part.bound))
    return Say("compare.names", {"names": tuple(names)})


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
