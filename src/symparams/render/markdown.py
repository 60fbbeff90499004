"""A page as GitHub-flavoured Markdown: headings, tables, and mathematics between dollar signs."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from ..derivation.page import Page, Para, Row, Table
from ..symbols import name
from ..terms import Term
from .latex import LatexWriter, Part, Printer, joined, page_template, parts

_SIGNS = {"<": r"\lt", ">": r"\gt"}  # an angle bracket may start a tag
_UNUSUAL = re.compile(r"[^A-Za-z0-9_.]")
_SPECIAL = re.compile(r" {2,}| - |[\\`*_{}\[\]<>#|~$&]")
_ENTITY = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_START = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s)")
_PLAIN = re.compile(r"[\d{},]+")


def _mark(found: re.Match[str]) -> str:
    piece = found[0]
    if piece[0] == " ":
        return " – " if "-" in piece else "\N{EM SPACE}"
    return _ENTITY.get(piece) or "\\" + piece


class MarkdownWriter(LatexWriter):
    """LaTeX mathematics as KaTeX and MathJax read it, inside escaped Markdown."""

    cross = r"\times "
    beside = r"\thinspace "

    def symbol(self, plain: str) -> str:
        """A letter; whatever no name holds is left out."""
        return name(_UNUSUAL.sub("", plain) or "?").latex

    def size(self, label: str) -> str:
        """The size of a tensor; no underscore, which Markdown would want escaped."""
        return rf"\lvert\text{{{_UNUSUAL.sub('', label).replace('_', ' ')}}}\rvert"

    def sign(self, sign: str) -> str:
        """A relation's sign, never a bare angle bracket."""
        return _SIGNS.get(sign) or super().sign(sign)

    def text(self, words: str) -> str:
        """Words, with what Markdown would misread made harmless."""
        return _SPECIAL.sub(_mark, words).replace("\n", " ")

    def math(self, written: str) -> str:
        """Mathematics between dollar signs; a number alone needs none."""
        if _PLAIN.fullmatch(written):
            return written.replace("{,}", ",")
        return f"${written}$"


class _Printer(Printer):
    """Rows and tables as Markdown has them."""

    def para(self, para: Para) -> Part:
        part = super().para(para)
        return Part("para", _opening(part.text), part.change)

    def equation(self, term: Term) -> Part:
        return Part("equation", self.display.term(term, formula=True))

    def rows(self, rows: tuple[Row, ...]) -> Part:
        cells = [self.cells(row) for row in joined(rows)]
        if not any(label or note for label, _, _, note in cells):
            return Part(
                "rows", "\n\n".join(f"{left} {right}".strip() for _, left, right, _ in cells)
            )
        return Part("rows", _grid(["", "", "", ""], cells, ["l", "l", "r", "l"]))

    def cells(self, row: Row) -> tuple[str, str, str, str]:
        """Label, left side with its sign, right side, note."""
        writer, display = self.writer, self.display
        left, right = display.sides(row)
        left = f"{left} {display.sign(row.sign) if right else ''}".strip()
        shown = writer.math(right) if right else ""
        if row.strong and right:
            plain = shown[0] != "$"
            shown = f"**{shown}**" if plain else writer.math(display.strong(right))
        label = writer.sentence(row.label) if row.label else ""
        note = writer.sentence(row.note) if row.note else ""
        return label, writer.math(left) if left else "", shown, note

    def table(self, table: Table) -> Part:
        writer = self.writer
        head = [writer.sentence(cell) for cell in table.head]
        body = [[writer.cell(cell) for cell in row] for row in table.rows]
        flush = ["r" if _numbers([row[n] for row in body]) else "l" for n in range(len(head))]
        if table.total and len(body) > 1:
            body[-1] = [cell if "$" in cell or not cell else f"**{cell}**" for cell in body[-1]]
        return Part("table", _grid(head, body, flush))


def _opening(text: str) -> str:
    """A paragraph, whose first word must not start a list."""
    return _START.sub(r"\1\\\2", text)


def _numbers(cells: list[str]) -> bool:
    return all(re.fullmatch(r"[×x]?[\d,.]+", cell) for cell in cells if cell)


def _grid(head: Sequence[str], body: Sequence[Sequence[str]], flush: Sequence[str]) -> str:
    """A table; GitHub wants a head, if only an empty one."""
    rule = ["--:" if side == "r" else ":--" for side in flush]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


@functools.cache
def _printer(language: str) -> _Printer:
    return _Printer(MarkdownWriter, language)


def render(page: Page, language: str = "en") -> str:
    """A page as Markdown."""
    shown = parts(page, _printer(language))
    for key in ("answer", "warnings", "formula"):
        shown[key] = [_opening(line) for line in shown[key]]
    text = page_template("markdown/page.md").render(shown)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
