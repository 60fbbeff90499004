"""A page as HTML: a fragment to set into other pages, or a page of its own without any script."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup, escape

from ..derivation.page import (
    Bytes,
    Change,
    Dims,
    Formula,
    Item,
    Listing,
    Page,
    Row,
    Rows,
    Say,
    Table,
)
from ..terms import Num, Rel, Term, at
from ..words import templates
from . import mathml
from .writer import TextWriter, Writer, sides

_GAP = re.compile(" {3,}")  # the words' own column gap
_NUMERIC = re.compile(r"[×x−]?[\d,.]+")
_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class HtmlWriter(Writer):
    """Sentences with their words escaped and their mathematics as MathML."""

    def text(self, words: str) -> str:
        """Words, escaped; a hyphen between spaces is a dash, a line's end a line's end."""
        made = str(escape(_ILLEGAL.sub("\ufffd", words)))
        return made.replace(" - ", " – ").replace("\n", "<br/>")

    def number(self, value: int) -> str:
        """A number in running text."""
        return f"{value:,}".replace("-", self.minus)

    def fact(self, fact: object) -> str:
        """A fact: bare numbers and shapes as text, everything else as ``<math>``."""
        match fact:
            case int(value) | Num(value) | Formula(Num(value)):
                return self.number(value)
            case Dims(sizes) if all(isinstance(size, Num) for size in sizes):
                return self.cross.join(self.dim(size) for size in sizes)
            case Term() | Formula(Rel()):
                term, formula = (fact, False) if isinstance(fact, Term) else (fact.term, True)
                return "<wbr/>".join(mathml.pieces(term, formula, bare=True))
            case Listing(sizes):
                return ", ".join(self.fact(size) for size in sizes)
            case Change():
                return f'<span class="change">{mathml.math(fact, bare=True)}</span>'
            case Say() | Bytes():
                return super().fact(fact)
        return mathml.math(fact, bare=True)

    def sentence(self, said: Say) -> str:
        """A sentence; where its words leave a wide gap, its parts stay together."""
        whole = super().sentence(said)
        parts = [part for part in _GAP.split(whole) if part]
        if len(parts) < 2:
            return whole
        return " ".join(f'<span class="part">{part}</span>' for part in parts)


class _View:
    """What a template asks for: the pieces of a page, written and safe to insert."""

    def __init__(self, language: str) -> None:
        self.writer, self.text = HtmlWriter(), TextWriter()
        self.writer.language = self.text.language = language

    def say(self, said: Say) -> Markup:
        """A sentence."""
        return Markup(self.writer.sentence(said))

    def plain(self, shown: Say | Term) -> str:
        """A sentence or an equation as plain text, for a title or a voice."""
        if isinstance(shown, Say):
            return _ILLEGAL.sub("\ufffd", self.text.sentence(shown))
        return _ILLEGAL.sub("\ufffd", self.text.term(shown, formula=True))

    def equation(self, term: Term) -> Markup:
        """A displayed equation."""
        return Markup(mathml.math(term, True, "block", bare=True))

    def change(self, change: Change) -> Markup:
        """What an assumption does to a factor."""
        return Markup(self.writer.fact(change))

    def left(self, row: Row) -> Markup:
        """The left side of a row; empty where the row goes on from the one above."""
        left, _ = sides(row)
        return Markup("" if left is None else mathml.math(left, False, "tall", bare=True))

    def right(self, row: Row) -> Markup:
        """The right side of a row."""
        _, right = sides(row)
        return Markup(mathml.math(right, True, "tall", bare=True))

    def sign(self, row: Row) -> str:
        """The sign between the two sides of a row."""
        return mathml.SIGNS.get(row.sign, row.sign)

    def struck(self, row: Row) -> str:
        """What divides out in a row, in words; empty where nothing does."""
        whole = row.right if row.left is None else row.left
        if not row.cancelled or not isinstance(whole, Term):
            return ""
        parts = [self.text.term(at(whole, path)) for path in row.cancelled]
        return self.plain(Say("html.struck", {"parts": ", ".join(dict.fromkeys(parts))}))

    def cell(self, cell: object) -> Markup:
        """A cell of a table."""
        if cell is None or isinstance(cell, str):
            return Markup(self.writer.text(cell or ""))
        return Markup(self.writer.fact(cell))

    def numeric(self, table: Table, column: int) -> bool:
        """Whether a column is set flush right: it holds numbers, and only numbers."""
        cells = [self._bare(row[column]) for row in table.rows]
        return any(cells) and all(not cell or _NUMERIC.fullmatch(cell) for cell in cells)

    def _bare(self, cell: object) -> str:
        return "" if cell is None else cell if isinstance(cell, str) else self.text.fact(cell)


def _any(rows: Sequence[Any], attribute: str) -> bool:
    return any(getattr(row, attribute) is not None for row in rows)


def _numbered(item: Rows) -> bool:
    return all(row.right is None or isinstance(row.right, Num) for row in item.rows)


def _kind(item: Item) -> str:
    return type(item).__name__


@functools.cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates() / "html"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters.update(kind=_kind)
    made.tests.update(having=_any, numbered=_numbered)
    made.globals.update(Say=Say)
    return made


@functools.cache
def css() -> str:
    """The style sheet of a fragment, everything in it under ``.symparams``."""
    return (templates() / "html" / "style.css").read_text(encoding="utf-8").strip()


def render(page: Page, standalone: bool = False, language: str = "en", style: bool = True) -> str:
    """A page as an ``<article>``, or as a whole document that stands alone.

    A fragment brings its style sheet along, so that it looks the same in a notebook;
    ``style=False`` leaves it out where the surrounding page has :func:`css`.
    """
    template = _environment().get_template("page.html" if standalone else "fragment.html")
    return template.render(
        page=page,
        view=_View(language),
        language=language,
        css=Markup(css()) if style else "",
        level=1 if standalone else 2,
    )
