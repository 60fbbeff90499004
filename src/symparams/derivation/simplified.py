"""Simplifying as a derivation: named steps from what was written to the form asked for."""

from __future__ import annotations

from dataclasses import dataclass

from ..algebra import Value, number
from ..rewriting import Form, Rewrite, numeric, replay, simplify, verify
from ..terms import Term, at, letters
from .page import Block, Formula, Page, Para, Row, Rows, Say
from .steps import Step


@dataclass(frozen=True)
class Simplified:
    """What was written, what it comes to, and the verified steps between."""

    before: Term
    after: Term
    value: Value | None
    steps: tuple[Step, ...]
    page: Page


def simplified(written: Term, form: Form | None = "factored") -> Simplified:
    """Simplify a Term in named steps, each verified.

    Raises:
        VerificationError: a step does not hold.
    """
    lines = lines_of(written, form)
    steps = tuple(step(line) for line in lines)
    for one in steps:
        one.verify()
    after = lines[-1].after if lines else written
    found = None if letters(after) else number(after)
    page = Page(
        Say("titles.simplify"),
        blocks=(Block(Say("subgoals.steps"), (Rows(rows(written, lines), chain=True),), "="),),
        answer=None if lines else Para(Say("simplify.nothing")),
    )
    return Simplified(written, after, found, steps, page)


def lines_of(written: Term, form: Form | None) -> tuple[Rewrite, ...]:
    """The rewrites, each verified by the judge."""
    lines = simplify(written, form) if letters(written) else numeric(written)
    for line in lines:
        verify(line)
    return lines


def step(line: Rewrite, path: str = "expression") -> Step:
    """A rewrite as a step."""
    return Step(line.rule, "=", "count", path, line.before, line.after,
                rewrite=lambda _: replay(line))  # fmt: skip


def rows(start: Term, lines: tuple[Rewrite, ...], label: Say | None = None) -> tuple[Row, ...]:
    """The lines below each other, each with its rule, and what the next one cancels struck."""
    out = [Row(start, None, label, cancelled=struck(lines, 0))]
    for n, line in enumerate(lines):
        paths = dict.fromkeys(at(line.before, path) for path in struck(lines, n))
        shown = tuple(Formula(term) for term in paths if letters(term))
        note = Say(f"rules.{line.rule}", {"detail": line.detail, "struck": shown})
        last = n == len(lines) - 1
        out.append(Row(None, line.after, note=note, cancelled=struck(lines, n + 1), strong=last))
    return tuple(out)


def struck(lines: tuple[Rewrite, ...], position: int) -> tuple[tuple[int, ...], ...]:
    """The paths struck out in a line are those that the next line cancels."""
    if position >= len(lines):
        return ()
    return tuple(path for group in lines[position].cancelled for path in group)
