"""A page as text: Unicode mathematics in 80 columns, readable without colour."""

from __future__ import annotations

import re
import textwrap

from ..derivation.page import (
    Block,
    Changed,
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
from .writer import TextWriter

MARGIN = 2
LABEL = 12
WIDTH = 80
NARROWEST = 16  # a column of words is not made narrower

# What an ASCII stream shows for each mark.
ASCII = {
    "·": "*", "×": "x", "−": "-", "→": "->", "✓": "[ok]", "Σ": "sum", "⌊": "floor(", "⌋": ")",
    "⌈": "ceil(", "⌉": ")", "≈": "~", "²": "^2", "³": "^3", "–": "-", "—": "-", "…": "...",
    "─": "-", "’": "'", "“": '"', "”": '"', "⇝": "~>",
    **{sup: f"^{digit}" for sup, digit in zip("⁰¹⁴⁵⁶⁷⁸⁹", "01456789", strict=True)},
    **{g: n for n, g in {"alpha": "α", "beta": "β", "gamma": "γ", "theta": "θ", "lambda": "λ",
                         "mu": "μ", "sigma": "σ"}.items()},
}  # fmt: skip

_SUPERSCRIPTS = re.compile("[⁰¹²³⁴-⁹]{2,}")  # k⁶³ is k^63
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

DIM, BOLD, RESET = "\x1b[2m", "\x1b[1m", "\x1b[0m"


def to_ascii(text: str) -> str:
    """A text for a stream that cannot hold Unicode.

    >>> to_ascii("k² · 3×3 → 1")
    'k^2 * 3x3 -> 1'
    >>> to_ascii("x⁶³")
    'x^63'
    """
    joined = _SUPERSCRIPTS.sub(lambda run: run[0][0] + run[0][1:].translate(_LOWERED), text)
    return "".join(ASCII.get(c, c if c.isascii() else "?") for c in joined)


class _Unbroken(TextWriter):
    """Mathematics in a sentence is not broken at its spaces while it is short."""

    def math(self, written: str) -> str:
        return written.replace(" ", "\xa0") if len(written) <= 44 else written


class _Printer:
    def __init__(self, width: int, colour: bool, language: str) -> None:
        self.writer = _Unbroken()
        self.writer.language = language
        self.width = max(width, 40)
        self.colour = colour
        self.indent = MARGIN + LABEL
        self.body = self.width - self.indent

    def say(self, said: Say) -> str:
        return self.writer.sentence(said)

    def dim(self, text: str) -> str:
        return f"{DIM}{text}{RESET}" if self.colour and text else text

    def bold(self, text: str) -> str:
        return f"{BOLD}{text}{RESET}" if self.colour and text else text

    # --- items ---

    def item(self, item: Item) -> list[str]:
        match item:
            case Para():
                return self.para(item)
            case Equation(term):
                return _wrap_equation(self.writer.term(term, formula=True), self.body)
            case Rows(rows, chain):
                return self.rows(rows, chain)
            case Table():
                return self.table(item)
        raise TypeError(type(item).__name__)

    def para(self, para: Para) -> list[str]:
        text = self.say(para.say)
        if para.change is None:
            lines = textwrap.wrap(text, self.body, break_on_hyphens=False) or [""]
            return [self.dim(line) for line in lines] if para.aside else lines
        change = self.writer.change(para.change)
        room = self.body - len(change) - 2
        if room < 24:
            return [*textwrap.wrap(text, self.body), change.rjust(self.body)]
        lines = textwrap.wrap(text, room, break_on_hyphens=False)
        lines[-1] = lines[-1].ljust(self.body - len(change)) + change
        return lines

    def rows(self, rows: tuple[Row, ...], chain: bool = False) -> list[str]:
        labels = [self.say(r.label) if r.label else "" for r in rows]
        lefts = [self.left(r) for r in rows]
        rights = [self.writer.term(r.right, True) if r.right is not None else "" for r in rows]
        notes = [self.say(r.note) if r.note else "" for r in rows]
        wide = [max(map(len, column), default=0) for column in (labels, lefts, rights, notes)]
        digits = all(_numeric(right) for right in rights if right)
        if chain or sum(wide) + 12 > self.body:
            return self.stacked(rows, labels, lefts, rights, notes)
        out = []
        for row, label, left, right, note in zip(rows, labels, lefts, rights, notes, strict=True):
            line = label.ljust(wide[0]) + ("  " if wide[0] else "") + left.ljust(wide[1])
            if right:
                shown = self.bold(right) if row.strong else right
                gap = " " * (wide[2] - len(right))
                line += f"  {row.sign} {gap + shown if digits else shown + gap}"
            elif wide[2]:
                line += " " * (wide[2] + 4)
            out.append((line + (f"   {self.dim(note)}" if note else "")).rstrip())
        return out

    def left(self, row: Row) -> str:
        if row.left is None:
            return ""
        if isinstance(row.left, Changed | Formula):
            return self.writer.fact(row.left)
        return _airy(self.writer.term(row.left))

    def stacked(
        self, rows: tuple[Row, ...], labels: list[str], lefts: list[str], rights: list[str],
        notes: list[str],
    ) -> list[str]:  # fmt: skip
        out = []
        for row, label, left, right, note in zip(rows, labels, lefts, rights, notes, strict=True):
            out += textwrap.wrap(label, self.body) if label else []
            value = f"{left} {row.sign} {right}" if right else left
            if left and right and len(value) + 2 > self.body:
                out += [*self.hanging(left), *self.hanging(f"  {row.sign} {right}")]
            else:
                out += self.hanging(value) if left else self.hanging(f"  {value.strip()}", 4)
            if note and len(out[-1]) + len(note) + 3 <= self.body:
                out[-1] += "   " + self.dim(note)
            elif note:
                out += ["      " + self.dim(t) for t in textwrap.wrap(note, self.body - 6)]
        return out

    def table(self, table: Table) -> list[str]:
        head = [self.say(cell) for cell in table.head]
        body = [[self.cell(cell) for cell in row] for row in table.rows]
        wide, left = (
            _columns([head, *body]),
            [not any(_numeric(r[i]) for r in body) for i in range(len(head))],
        )
        under: list[str] = [""] * len(body)
        full = list(head), body
        if _width(wide) > self.body and len(head) > 2:  # the second column goes below
            front = f"{head[1]}: " if table.total else ""
            under = [front + row[1] if row[1] else "" for row in body]
            body = [[row[0], *row[2:]] for row in body]
            head.pop(1)
            left.pop(1)
            wide = _columns([head, *body])
        room = (
            self.body
            - _width(wide)
            + max((w for w, x in zip(wide, left, strict=True) if x), default=0)
        )
        if _width(wide) > self.body and room < NARROWEST:
            return self.listed(*full)
        if _width(wide) > self.body:  # the widest column of words is broken into lines
            wide[wide.index(max(w for w, x in zip(wide, left, strict=True) if x))] = room
        lines = [self.dim(_line(head, wide, left)), self.dim("─" * _width(wide))]
        for n, row in enumerate(body):
            if table.total and n == len(body) - 1:
                lines.append(lines[1])
            lines += _broken(row, wide, left)
            if under[n]:
                lines += [self.dim(line) for line in self.hanging(under[n])]
        return lines

    def listed(self, head: list[str], body: list[list[str]]) -> list[str]:
        out = []
        for row in body:
            out += textwrap.wrap(row[0], self.body) or [""]
            for label, cell in zip(head[1:], row[1:], strict=True):
                if cell:
                    out += self.hanging(f"{label}: {cell}")
        return out

    def hanging(self, text: str, deeper: int = 2) -> list[str]:
        """A text set in, its further lines set in deeper."""
        further = " " * (2 + deeper)
        return textwrap.wrap(
            text, self.body, initial_indent="  ", subsequent_indent=further, break_on_hyphens=False
        )

    def cell(self, cell: object) -> str:
        return "" if cell is None else cell if isinstance(cell, str) else self.writer.fact(cell)

    # --- the page ---

    def block(self, block: Block) -> list[str]:
        label = textwrap.wrap(self.say(block.label), LABEL - 1) or [""]
        lines: list[str] = []
        for item in block.items:
            lines += self.item(item)
        out = []
        for n in range(max(len(lines), len(label))):
            left = label[n] if n < len(label) else ""
            right = lines[n] if n < len(lines) else ""
            shown = self.bold(left) + " " * (LABEL - len(left))
            out.append((" " * MARGIN + shown + right).rstrip())
        return out

    def page(self, page: Page) -> str:
        title = self.say(page.title)
        sub = self.say(page.subtitle) if page.subtitle else ""
        gap = self.width - MARGIN * 2 - len(title) - len(sub)
        if sub and gap >= 2:
            lines = [" " * MARGIN + self.bold(title) + " " * gap + self.dim(sub)]
        else:
            wrapped = textwrap.wrap(title, self.width - 2 * MARGIN)
            lines = [" " * MARGIN + self.bold(line) for line in wrapped]
            lines += [" " * MARGIN + self.dim(t) for t in textwrap.wrap(sub, self.width - 4)]
        if page.answer is not None:
            lines += ["", *self.plain(page.answer.say)]
        for block in page.blocks:
            lines += ["", *self.block(block)]
        if page.callout is not None:
            head = self.say(page.callout_title) + " " if page.callout_title else ""
            lines += ["", *self.filled(head + self.say(page.callout))]
        for warning in page.warnings:
            lines += ["", *self.plain(warning)]
        if page.formula:
            lines.append("")
        for n, said in enumerate(page.formula):
            lines += [self.dim(line) if n else line for line in self.plain(said)]
        return "\n".join(lines).replace("\xa0", " ") + "\n"

    def plain(self, said: Say) -> list[str]:
        return self.filled(self.say(said))

    def filled(self, text: str) -> list[str]:
        out = []
        for part in text.split("\n"):
            out += textwrap.wrap(part, self.width - 2 * MARGIN, break_on_hyphens=False) or [""]
        return [(" " * MARGIN + line).rstrip() for line in out]


def _columns(rows: list[list[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _width(wide: list[int]) -> int:
    return sum(wide) + 3 * (len(wide) - 1)


def _broken(row: list[str], wide: list[int], left: list[bool]) -> list[str]:
    """A row whose cells are broken into as many lines as they need."""
    cells = [
        textwrap.wrap(c, w, break_on_hyphens=False) or [""] for c, w in zip(row, wide, strict=True)
    ]
    height = max(map(len, cells))
    padded = [cell + [""] * (height - len(cell)) for cell in cells]
    return [_line(list(line), wide, left) for line in zip(*padded, strict=True)]


def _line(row: list[str], wide: list[int], left: list[bool]) -> str:
    cells = [
        c.ljust(w) if flush else c.rjust(w) for c, w, flush in zip(row, wide, left, strict=True)
    ]
    return "   ".join(cells).rstrip()


def _numeric(cell: str) -> bool:
    return bool(re.fullmatch(r"[×x]?[\d,.]+", cell))


def _airy(text: str) -> str:
    """Product signs with space around them, as lines of a solution are set."""
    return text.replace("·", " · ")


def _wrap_equation(text: str, width: int) -> list[str]:
    """A long equation broken before a top-level sum sign."""
    if len(text) <= width:
        return [text]
    lines = [text]
    for mark in (" + Σ", " = "):
        if len(lines[-1]) > width and mark in lines[-1]:
            head, _, tail = lines[-1].partition(mark)
            lines[-1:] = [head, "    " + mark.strip() + (" " if mark == " = " else "") + tail]
    out = []
    for line in lines:
        out += textwrap.wrap(line, width, subsequent_indent="        ", drop_whitespace=True,
                             replace_whitespace=False) if len(line) > width else [line]  # fmt: skip
    return out


def render(
    page: Page, width: int = WIDTH, colour: bool = False, ascii_only: bool = False,
    language: str = "en",
) -> str:  # fmt: skip
    """A page as text of a given width."""
    text = _Printer(width, colour, language).page(page)
    return to_ascii(text) if ascii_only else text
