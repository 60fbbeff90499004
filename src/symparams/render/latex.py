"""A page as LaTeX: a fragment for any document with amsmath, or a whole page that stands alone."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jinja2

from ..derivation.page import (
    Block,
    Change,
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
from ..symbols import latex_text, name
from ..terms import Entry, Num, Quot, Term
from ..words import Sentence, say, templates
from .writer import PRODUCT, Writer, sides

ROOM = 63  # how many digits a line holds, about: below this nothing is broken or stacked

_SIGNS = {
    "≈": r"\approx", "≤": r"\le", "<=": r"\le", "≥": r"\ge", ">=": r"\ge", "≠": r"\ne",
    "!=": r"\ne", "<": "<", ">": ">", "~>": r"\to", "⇝": r"\to", "→": r"\to", "|": r"\mid",
}  # fmt: skip

# What stands for a mark in running text.
_MARKS = {
    "→": r"$\to$", "⇝": r"$\to$", "·": r"$\cdot$", "×": r"$\times$", "−": "$-$", "±": r"$\pm$",
    "²": "$^2$", "³": "$^3$", "≈": r"$\approx$", "≤": r"$\le$", "≥": r"$\ge$", "≠": r"$\ne$",
    "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "∈": r"$\in$",
    "Σ": r"$\Sigma$", "∞": r"$\infty$", "√": r"$\surd$", "✓": r"\checkmark{}", "✗": r"$\times$",
    "•": r"$\bullet$", "–": "--", "—": "---", " - ": "~-- ", "…": r"\dots{}", "’": "'", "‘": "`",
    "“": "``", "”": "''", '"': "''", "\N{NO-BREAK SPACE}": "~", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}", "\n": " ",
    "\t": " ",
    **{g: f"$\\{n}$" for n, g in {"alpha": "α", "beta": "β", "gamma": "γ", "theta": "θ",
                                  "lambda": "λ", "mu": "μ", "sigma": "σ"}.items()},
}  # fmt: skip
_UNSAFE = re.compile(r" {2,}| - |-{2,}|[^A-Za-z0-9 ,.:;()'/=+!?@-]")


_LETTER = re.compile("[A-Za-z0-9_.]+")


def _mark(found: re.Match[str]) -> str:
    """A piece of text that is not plain letters, digits and stops, as TeX should read it."""
    piece = found[0]
    if piece in _MARKS:
        return _MARKS[piece]
    if piece[0] == " ":
        return r"\quad "
    if piece[0] == "-":
        return "{-}" * len(piece)
    if piece.isascii():
        return latex_text(piece) if piece.isprintable() else "?"
    return piece if piece.isalpha() else "?"


@functools.lru_cache(maxsize=4096)
def _letter(plain: str) -> str:
    """A letter; a text that cannot be one is set as words."""
    if _LETTER.fullmatch(plain.rstrip("'")):  # a prime marks the other index set
        return name(plain).latex
    return rf"\text{{{_UNSAFE.sub(_mark, plain)}}}"


class LatexWriter(Writer):
    """LaTeX mathematics in running text; quotients stay on the line."""

    times = r" \cdot "
    minus = "-"
    cross = r"{\times}"
    arrow = r"\to"
    beside = r"\, "
    comma = ","

    def __init__(self, language: str = "en", tall: bool = False, gap: str = "") -> None:
        self.language = language
        self.tall = tall  # whether quotients are stacked everywhere, as in a displayed equation
        self.gap = gap  # what says where a long equation may be broken
        self.fixed: dict[str, str] = {}  # sentences without facts, written once

    def number(self, value: int) -> str:
        """A whole number, grouped in threes that do not spread."""
        return f"{value:,}".replace(",", "{,}") if value > 999 else str(value)

    def symbol(self, plain: str) -> str:
        """A letter."""
        return _letter(plain)

    def between(self, left: Term, right: Term, formula: bool) -> str:
        """A dot; in a formula a thin space, after a number nothing to be seen."""
        sign = super().between(left, right, formula)
        if sign is not self.beside:
            return sign
        if isinstance(left, Num) and left.value < 1000:
            return " "
        return sign + self.gap if isinstance(right, Entry) else sign

    def bracket(self, text: str) -> str:
        """Brackets, as tall as a stacked quotient or a big sum inside them."""
        high = r"frac" in text or r"\sum" in text
        return f"\\left({text}\\right)" if high else f"({text})"

    def quotient(self, num: Term, den: Term, formula: bool) -> tuple[str, int]:
        """A stacked quotient in formulas and displays, else a slash."""
        if not (self.tall or formula):
            return super().quotient(num, den, formula)
        command = r"\dfrac" if self.tall else r"\frac"
        top, bottom = self._write(num, 0, formula), self._write(den, 0, formula)
        return f"{command}{{{top}}}{{{bottom}}}", PRODUCT

    def power(self, base: str, exp: Term, formula: bool) -> str:
        """A power."""
        raised = self._write(exp, 0, formula)
        return f"{base}^{raised}" if len(raised) == 1 else f"{base}^{{{raised}}}"

    def floor(self, inner: str) -> str:
        """The floor of something."""
        return self._fenced("lfloor", inner, "rfloor")

    def ceil(self, inner: str) -> str:
        """The ceiling of something."""
        return self._fenced("lceil", inner, "rceil")

    def _fenced(self, left: str, inner: str, right: str) -> str:
        if r"frac" in inner or r"\sum" in inner:
            return f"\\left\\{left} {inner} \\right\\{right}"
        return f"\\{left} {inner} \\{right}"

    def function(self, label: str, inner: str) -> str:
        """A named function."""
        return f"\\{label}{self.bracket(inner)}"

    def entry(self, letter: str, indices: tuple[str, ...]) -> str:
        """One entry of a tensor."""
        plain = all(" " not in index for index in indices)
        comma = "," if plain else f",{self.beside}{self.gap}"
        return f"{self.symbol(letter)}[{comma.join(indices)}]"

    def big_sum(self, over: tuple[tuple[str, Term], ...], body: str) -> str:
        """A sum over index letters, each with its bounds."""
        sums = (
            f"\\sum_{{{self.symbol(letter)}=1}}^{{{self._flat(bound)}}}" for letter, bound in over
        )
        return f"{' '.join(sums)} {body}"

    def _flat(self, node: Term) -> str:
        """Something small above a sign, where a quotient keeps to one line."""
        if isinstance(node, Quot):
            return Writer.quotient(self, node.num, node.den, True)[0]
        return self._write(node, 0, True)

    def relation(self, left: str, sign: str, right: str) -> str:
        """Two sides of a relation."""
        return f"{left} {self.sign(sign)} {right}"

    def sign(self, sign: str) -> str:
        """A relation's sign."""
        return (
            "=" if sign == "=" else _SIGNS.get(sign) or rf"\mathrel{{\text{{{self.text(sign)}}}}}"
        )

    def size(self, label: str) -> str:
        """The size of a tensor, not yet unfolded."""
        return rf"\lvert\text{{{self.text(label)}}}\rvert"

    def struck(self, written: str) -> str:
        """What divides out."""
        return f"\\cancel{{{written}}}"

    def text(self, words: str) -> str:
        """Words, with what TeX would misread made harmless."""
        return _UNSAFE.sub(_mark, words)

    def math(self, written: str) -> str:
        """Mathematics inside a sentence; a long product may be broken."""
        if len(written) > 60 and self.beside in written:
            written = written.replace(self.beside, self.beside + r"\allowbreak ")
        return f"${written}$"

    # --- what a page adds ---

    def sentence(self, said: Say) -> str:
        """A sentence with its facts written in this medium."""
        if said.facts:
            return super().sentence(said)
        if said.id not in self.fixed:
            self.fixed[said.id] = super().sentence(said)
        return self.fixed[said.id]

    def lines(self, said: Say) -> list[str]:
        """A sentence of several lines."""
        pieces = say(said.id, dict(said.facts), self.language)
        if not any(isinstance(piece, str) and "\n" in piece for piece in pieces):
            return [self.pieces(pieces)]
        return [line for line in map(self.pieces, _split(pieces)) if line]

    def cell(self, cell: object) -> str:
        """A cell of a table."""
        return "" if cell is None else self.text(cell) if isinstance(cell, str) else self.fact(cell)

    def sides(self, row: Row) -> tuple[str, str]:
        """The two sides of a row, with what divides out struck through."""
        left, right = sides(row)
        if isinstance(left, Changed):
            begun = self.product_changed(left)
        elif isinstance(left, Formula):
            begun = self.term(left.term, formula=True)
        else:
            begun = "" if left is None else self.term(left)
        return begun, "" if right is None else self.term(right, formula=True)

    def strong(self, text: str) -> str:
        """An answer, bold."""
        return f"\\mathbf{{{text}}}" if text[0].isdigit() else f"\\boldsymbol{{{text}}}"

    def answers(
        self, rows: tuple[Row, ...], lefts: list[str], rights: list[str]
    ) -> tuple[list[str], list[str]]:
        """Both sides of the rows, with what is an answer bold: the right side if there is one."""
        begun, done = list(lefts), list(rights)
        for n, row in enumerate(rows):
            if row.strong:
                side = done if done[n] else begun
                side[n] = self.strong(side[n]) if side[n] else ""
        return begun, done

    def becomes(self, change: Change) -> str:
        """What an assumption does, as mathematics; never an equality."""
        return f"{self.term(change.before)} {self.arrow} {self.term(change.after)}"

    def change(self, fact: Change) -> str:
        """What an assumption does, in a sentence."""
        return self.math(self.becomes(fact))

    def product_changed(self, fact: Changed) -> str:
        """A product with the changed factor in its place, as mathematics."""
        parts = [self._factor(f, 1, False) for f in fact.before]
        parts.append(self.bracket(self.becomes(fact.change)))
        parts += [self._factor(f, 1, False) for f in fact.after]
        return self.times.join(parts)

    def changed(self, fact: Changed) -> str:
        """A product with the changed factor in its place, in a sentence."""
        return self.math(self.product_changed(fact))

    def soft(self, text: str) -> str:
        """A remark beside a line."""
        return text

    tuck = ""  # how much nearer than a line the second line of a table's row stands


class _Page(LatexWriter):
    """The same for a page that stands alone, where changes lie on a wash."""

    tuck = "[-4pt]"

    def becomes(self, change: Change) -> str:
        """What an assumption does, on a wash."""
        return f"\\changed{{{super().becomes(change)}}}"

    def change(self, fact: Change) -> str:
        """What an assumption does, in a sentence."""
        return self.becomes(fact)

    def bracket(self, text: str) -> str:
        """Brackets; a wash needs none."""
        return text if text.startswith("\\changed{") else super().bracket(text)

    def soft(self, text: str) -> str:
        """A remark beside a line."""
        return f"\\soft{{{text}}}" if text else ""


def _split(pieces: Sentence) -> Iterator[Sentence]:
    """The pieces of a sentence, line by line."""
    line: list[Any] = []
    for piece in pieces:
        first, *more = piece.split("\n") if isinstance(piece, str) else (piece,)
        line.append(first)
        for text in more:
            yield tuple(line)
            line = [text]
    yield tuple(line)


# --- how wide something is, about ---------------------------------------------------------

_TOKEN = re.compile(r"_\{\\text\{\w+\}\}|\\sum_\{\w+=1\}\^|\\[a-zA-Z]+|\\.|.", re.DOTALL)
_WEIGHT = {
    **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1.4),
    **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", 0.92),
    **dict.fromkeys("iljt.,:;()[]", 0.6),
    **dict.fromkeys(("{", "}", "$", "^", "_", r"\text", r"\mathbf", r"\boldsymbol", r"\cancel"), 0),
    **dict.fromkeys((r"\soft", r"\left", r"\right", r"\frac", r"\dfrac", r"\allowbreak"), 0),
    " ": 0.3, r"\,": 0.3, r"\quad": 2, r"\cdot": 0.9, r"\times": 1.4, r"\to": 2.6,
    "+": 1.8, "-": 1.4, "=": 2.2,
}  # fmt: skip


def breadth(latex: str) -> float:
    """How many digits wide a piece of LaTeX is, about.

    >>> round(breadth(r"3 \\cdot 3 \\cdot C_{\\text{in}}")), round(breadth("294{,}912"))
    (8, 7)
    """
    wide = 0.0
    for token in _TOKEN.findall(latex):
        if token[0] == "_" and len(token) > 1:
            wide += 0.7 * (len(token) - 9)
        else:
            wide += 1.5 if token[:4] == r"\sum" else _WEIGHT.get(token, 1)
    return 1.12 * wide if r"\boldsymbol" in latex else wide


def _at_most(latex: str) -> int:
    return len(latex) - 2 * latex.count("{") - 3 * latex.count("\\")


def _fits(*columns: list[str], gap: float = 1.7) -> bool:
    """Whether columns stand side by side; raw lengths settle most cases at once."""
    extra = gap * len(columns)
    if sum(max(map(_at_most, column), default=0) for column in columns) + extra <= ROOM:
        return True
    return sum(max(map(breadth, column), default=0) for column in columns) + extra <= ROOM


# --- the parts of a page ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One item of a subgoal, written; its kind chooses how the template sets it."""

    kind: str
    text: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """A subgoal, written."""

    label: str
    kind: str
    word: str
    parts: tuple[Part, ...]


_WORDS = {"=": Say("kinds.equality"), "~>": Say("kinds.assumption")}


class Printer:
    """The items of a page, written by one writer for running text and one for displays."""

    def __init__(self, kind: type[LatexWriter], language: str) -> None:
        self.writer = kind(language)
        self.display = kind(language, tall=True)
        self.broken = kind(language, tall=True, gap=r"\allowbreak ")

    def goal(self, block: Block) -> Goal:
        """A subgoal."""
        word = self.writer.sentence(_WORDS[block.kind]) if block.kind in _WORDS else ""
        label = self.writer.sentence(block.label)
        return Goal(label, block.kind, word, tuple(self.item(i) for i in block.items))

    def item(self, item: Item) -> Part:
        """One item."""
        match item:
            case Para():
                return self.para(item)
            case Equation(term):
                return self.equation(term)
            case Rows(rows):
                return self.rows(rows)
            case Table():
                return self.table(item)
        raise TypeError(type(item).__name__)

    def para(self, para: Para) -> Part:
        """A sentence; a change is set after it."""
        change = self.writer.change(para.change) if para.change is not None else ""
        return Part("aside" if para.aside else "para", self.writer.sentence(para.say), change)

    def equation(self, term: Term) -> Part:
        """A displayed equation; a long one is left to TeX to break."""
        text = self.display.term(term, formula=True)
        if breadth(text) <= ROOM:
            return Part("equation", text)
        return Part("long", self.broken.term(term, formula=True))

    def rows(self, rows: tuple[Row, ...]) -> Part:
        """Aligned lines, or a paragraph each where they are too wide."""
        rows = joined(rows)
        writer, display = self.writer, self.display
        labels = [writer.sentence(r.label) if r.label else "" for r in rows]
        pairs = [display.sides(r) for r in rows]
        lefts, rights = [left for left, _ in pairs], [right for _, right in pairs]
        notes = [writer.sentence(r.note) if r.note else "" for r in rows]
        signs = [
            display.sign(r.sign) if right else "" for r, right in zip(rows, rights, strict=True)
        ]
        shown = display.answers(rows, lefts, rights)
        if not _fits(labels, *shown, notes):
            return self.stacked(rows, labels, lefts, signs, rights, notes)
        columns = (
            ("l@{\\quad}", [f"\\text{{{t}}}" if t else "" for t in labels]),
            ("l", shown[0]),
            ("@{\\;}c@{\\;}", signs),
            ("r" if _numeric(rights) else "l", shown[1]),
            ("@{\\quad}l", [f"\\text{{{writer.soft(t)}}}" if t else "" for t in notes]),
        )
        return Part("rows", _array([(spec, cells) for spec, cells in columns if any(cells)]))

    def stacked(self, rows: tuple[Row, ...], *columns: list[str]) -> Part:
        """A paragraph for each line, which TeX breaks where it must."""
        out = []
        for row, label, left, sign, right, note in zip(rows, *columns, strict=True):
            value = self.writer.math(f"{left} {sign}".strip())
            if right:
                shown = self.writer.math(right)
                value += f" \\textbf{{\\boldmath {shown}}}" if row.strong else f" {shown}"
            lead = f"{label}: " if label else ""
            out.append(lead + value + (f" \\quad {self.writer.soft(note)}" if note else ""))
        return Part("stacked", "\\par\n  ".join(out))

    def table(self, table: Table) -> Part:
        """A table between thin rules; where it is too wide its second column goes below."""
        writer = self.writer
        head = [writer.soft(writer.sentence(cell)) for cell in table.head]
        body = [[writer.cell(cell) for cell in row] for row in table.rows]
        under = [""] * len(body)
        if len(head) > 2 and not _fits(*map(list, zip(head, *body, strict=True)), gap=2.4):
            head.pop(1)
            under = [row.pop(1) for row in body]
        spec = "".join(_columns([head, *body]))
        lines = [_cells(row) for row in (head, *body)]
        for n, text in enumerate(under, 1):
            if text:
                below = f"\\multicolumn{{{len(head)}}}{{@{{}}l@{{}}}}{{\\quad {writer.soft(text)}}}"
                lines[n] += f"{writer.tuck}\n    {below} \\tabularnewline"
        lines[0] += r" \hline"
        if table.total and len(body) > 1:
            lines[-2] += r" \hline"
        rows = "\n    ".join(lines)
        start = f"\\begin{{tabular}}[t]{{@{{}}{spec}@{{}}}}"
        text = f"{start}\n    {rows}\n  \\end{{tabular}}"
        wide = sum(max(map(breadth, column)) for column in zip(head, *body, strict=True))
        return Part("table", f"{{\\small {text}}}" if wide > 1.1 * ROOM else text)


def joined(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """A line that only begins a chain together with the line that goes on from it."""
    out: list[Row] = []
    for row in rows:
        first = out[-1] if out else None
        goes_on = row.left is None and row.label is None and not row.cancelled
        if first and goes_on and first.right is None and first.note is None:
            out[-1] = dataclasses.replace(row, left=first.left, label=first.label,
                                          cancelled=first.cancelled)  # fmt: skip
        else:
            out.append(row)
    return tuple(out)


def _array(columns: list[tuple[str, list[str]]]) -> str:
    spec = "@{}" + "".join(spec for spec, _ in columns) + "@{}"
    lines = map(" & ".join, zip(*(cells for _, cells in columns), strict=True))
    body = " \\\\\n    ".join(line.rstrip(" &") for line in lines)
    return f"\\begin{{array}}[t]{{{spec}}}\n    {body}\n  \\end{{array}}"


def _cells(row: list[str]) -> str:
    return " & ".join(row) + r" \tabularnewline"


def _columns(rows: list[list[str]]) -> list[str]:
    """Numbers to the right, words to the left; the widest words wrap if need be."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    specs = ["r" if _numeric(column[1:]) else "l" for column in columns]
    if _fits(*columns, gap=2.4):
        return specs
    wide = [max(map(breadth, column)) for column in columns]
    longest = max(range(len(wide)), key=lambda n: (specs[n] == "l", wide[n]))
    rest = sum(wide) - wide[longest] + 2.4 * len(wide)
    specs[longest] = f"p{{{max(0.18, 1 - rest / ROOM):.2f}\\linewidth}}"
    for row in rows:
        row[longest] = f"\\raggedright {row[longest]}"
    return specs


def _numeric(cells: list[str]) -> bool:
    """Whether a column holds numbers."""
    return all(_NUMBER.fullmatch(cell) for cell in cells if cell)


_NUMBER = re.compile(r"(?:\$?[\d{},.]+\$?|\$\\times\$\S*)")


# --- the page -----------------------------------------------------------------------------


@functools.cache
def page_template(file: str) -> jinja2.Template:
    """A page template; its marks are << >>, <% %> and <# #>, which TeX does not use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()),
        block_start_string="<%", block_end_string="%>",
        variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>",
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined, autoescape=False,
    )  # fmt: skip
    return environment.get_template(file)


@functools.cache
def _printer(standalone: bool, language: str) -> Printer:
    return Printer(_Page if standalone else LatexWriter, language)


def parts(page: Page, printer: Printer) -> dict[str, Any]:
    """Everything a page template shows, written."""
    writer = printer.writer
    return {
        "title": writer.sentence(page.title),
        "subtitle": writer.sentence(page.subtitle) if page.subtitle else "",
        "answer": writer.lines(page.answer.say) if page.answer is not None else [],
        "goals": [printer.goal(block) for block in page.blocks],
        "callout_title": writer.sentence(page.callout_title) if page.callout_title else "",
        "callout": writer.sentence(page.callout) if page.callout is not None else "",
        "warnings": [line for said in page.warnings for line in writer.lines(said)],
        "formula": [line for said in page.formula for line in writer.lines(said)],
    }


def _packages(latex: str) -> str:
    """The packages a piece of LaTeX needs."""
    needs = ["amsmath"]
    if r"\checkmark" in latex:
        needs.append("amssymb")
    if r"\cancel{" in latex:
        needs.append("cancel")
    return ",".join(needs)


def render(page: Page, standalone: bool = False, language: str = "en") -> str:
    """A page as a LaTeX fragment, or as a document that stands alone."""
    shown = parts(page, _printer(standalone, language))
    if standalone:
        return page_template("latex/page.tex").render(shown)
    text = page_template("latex/fragment.tex").render(shown)
    return text.replace("PACKAGES", _packages(text), 1)
