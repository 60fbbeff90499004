"""A page as HTML: a fragment to set into other pages, or a page of its own without any script."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import jinja2
from markupsafe import Markup, escape

from ..derivation.page import Change, Changed, Dims, Formula, Item, Listing, Page, Row, Say, Table
from ..symbols import name
from ..terms import Num, Rel, Term, at
from ..words import templates
from . import mathml
from .writer import TextWriter, Writer

_GAP = re.compile(" {3,}")  # the words' own column gap
_NUMERIC = re.compile(r"[×x−]?[\d,.]+")


class HtmlWriter(Writer):
    """Sentences with their words escaped and their mathematics as MathML."""

    def text(self, words: str) -> str:
        """Words, escaped; a hyphen between spaces is a dash, a line's end a line's end."""
        made = str(escape(words.replace(" - ", " – ")))
        return made.replace("\n", "<br/>")

    def sentence(self, said: Say) -> str:
        """A sentence; where its words leave a wide gap, its parts stay together."""
        whole = super().sentence(said)
        parts = [part for part in _GAP.split(whole) if part]
        if len(parts) < 2:
            return whole
        return " ".join(f'<span class="part">{part}</span>' for part in parts)

    def number(self, value: int) -> str:
        """A number in running text."""
        return f"{value:,}".replace("-", self.minus)

    def fact(self, fact: object) -> str:
        """A fact: bare numbers and shapes as text, everything else as ``<math>``."""
        match fact:
            case int():
                return self.number(fact)
            case Num(value) | Formula(Num(value)):
                return self.number(value)
            case Dims(sizes) if all(isinstance(size, Num) for size in sizes):
                return self.cross.join(self.dim(size) for size in sizes)
            case Formula(Rel() as term):
                return "<wbr/>".join(mathml.pieces(term, True, bare=True))
            case Term():
                return "<wbr/>".join(mathml.pieces(fact, bare=True))
            case Listing(sizes):
                return ", ".join(self.fact(size) for size in sizes)
            case Change():
                return f'<span class="change">{mathml.math(fact, bare=True)}</span>'
            case Say():
                return self.sentence(fact)
        made = super().fact(fact)
        return made

    def math(self, written: str) -> str:
        """Never reached with mathematics of a page; words stay words."""
        return str(escape(written))
