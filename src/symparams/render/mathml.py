"""Terms, facts and a page's formula lines as MathML Core, to be pasted into Word, HTML or EPUB.

A line's skeleton goes through latex2mathml; every number, name, word and sign of ours goes
in as one private letter and is swapped in the tree that comes back.  So no text of a user
passes through a converter, and one number is one ``<mn>``.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element, tostring

from ..derivation.page import (
    Change,
    Changed,
    Equation,
    Item,
    Page,
    Para,
    Row,
    Rows,
    Say,
    Table,
)
from ..symbols import name
from ..terms import Num, Quot, Rel, Sym, Term
from .writer import POWER, PRODUCT, Struck, Writer, sides

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_LETTER = 0xF0000  # the first private letter; a line may hold as many as it likes

# A diagonal stroke that both engines draw: neither of them draws the other's way of striking.
STRIKE = (
    "background:linear-gradient(to top left,transparent calc(50% - .03em),currentcolor "
    "calc(50% - .03em),currentcolor calc(50% + .03em),transparent calc(50% + .03em));"
    "-webkit-print-color-adjust:exact;print-color-adjust:exact"
)
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "~>": "→", "⇝": "→"}
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _element(tag: str, text: str = "", **attributes: str) -> Element:
    made = Element(tag, attributes)
    if text:
        made.text = _ILLEGAL.sub("\ufffd", text)
    return made


def _row(*parts: Element) -> Element:
    if len(parts) == 1:
        return parts[0]
    made = Element("mrow")
    made.extend(parts)
    return made


def _sub(piece: str) -> Element:
    if piece.isdigit():
        return _element("mn", piece)
    return _element("mi" if len(piece) == 1 else "mtext", piece)


def _named(plain: str) -> Element:
    """A letter with its subscripts: words upright, single letters italic."""
    known = name(plain)
    letter = known.base.rstrip("'")
    base = _element("mi", letter)
    if letter != known.base:  # a primed index: the input's of one direction
        primed = Element("msup")
        primed.extend((base, _element("mo", "′" * (len(known.base) - len(letter)))))
        base = primed
    if not known.sub:
        return base
    parts: list[Element] = []
    for piece in known.sub.split(","):
        parts += [_element("mo", ",", lspace="0", rspace="0.1em")] if parts else []
        parts.append(_sub(piece))
    made = Element("msub")
    made.extend((base, _row(*parts)))
    return made


class _Latex(Writer):
    """The skeleton of a line in simple LaTeX, with a private letter for everything of ours."""

    times = r"\cdot "
    minus = "-"
    cross = r"\times "
    comma = ","

    def __init__(self, tall: bool = False, language: str = "en") -> None:
        self.tall = tall  # whether quotients are stacked everywhere
        self.small = False  # in a bound or an exponent, where none is stacked
        self.language = language
        self.held: dict[str, Element] = {}
        self.marks: dict[str, dict[str, str]] = {}

    def hold(self, element: Element) -> str:
        """A private letter that stands for an element of ours."""
        letter = chr(_LETTER + len(self.held) + len(self.marks))
        self.held[letter] = element
        return letter

    def mark(self, written: str, **attributes: str) -> str:
        """A group that carries attributes: its first letter says which."""
        letter = chr(_LETTER + len(self.held) + len(self.marks))
        self.marks[letter] = {key.rstrip("_"): value for key, value in attributes.items()}
        return f"{{{letter}{written}}}"

    # --- terms ---

    def struck(self, written: str) -> str:
        """What divides out, struck through."""
        return self.mark(written, class_="struck", style=STRIKE)

    def negative(self, text: str) -> str:
        """A group of its own, so that the minus is not taken for a difference."""
        return f"{{-{text}}}"

    def number(self, value: int) -> str:
        """One number, grouped."""
        return self.hold(_element("mn", f"{value:,}"))

    def symbol(self, plain: str) -> str:
        """A letter."""
        return self.hold(_named(plain))

    def between(self, left: Term, right: Term, formula: bool) -> str:
        """A dot, or between the letters of a formula the invisible sign for "times"."""
        left, right = (n.term if isinstance(n, Struck) else n for n in (left, right))
        mixed = isinstance(left, Num) and isinstance(right, Quot)
        if mixed or super().between(left, right, formula) == self.times:
            return self.times
        close = isinstance(left, Num) and left.value < 1000 and not _subscripted(right)
        spread = {} if close else {"lspace": "0", "rspace": "0.16em"}
        return self.hold(_element("mo", "\u2062", **spread))

    def bracket(self, text: str) -> str:
        """Brackets, as tall as a stacked quotient or a big sum inside them."""
        if r"\frac" in text or r"\sum" in text:
            return f"{{\\left({text}\\right)}}"
        return f"{{({text})}}"

    def quotient(self, num: Term, den: Term, formula: bool) -> tuple[str, int]:
        """Stacked in formulas and on lines of their own, else with a slash."""
        if self.small or not (self.tall or formula):
            top, under = self._write(num, PRODUCT, formula), self._write(den, POWER, formula)
            slash = self.hold(_element("mo", "/", lspace="0", rspace="0"))
            return f"{top}{slash}{under}", PRODUCT
        top, under = self._write(num, 0, formula), self._write(den, 0, formula)
        return f"\\frac{{{top}}}{{{under}}}", PRODUCT

    def _little(self, node: Term) -> str:
        """A Term set small, on one line."""
        before, self.small = self.small, True
        try:
            return self._write(node, 0, True)
        finally:
            self.small = before

    def power(self, base: str, exp: Term, formula: bool) -> str:
        """A power."""
        return f"{{{base}}}^{{{self._little(exp)}}}"

    def floor(self, inner: str) -> str:
        """The floor of something."""
        return self._fenced("⌊", inner, "⌋")

    def ceil(self, inner: str) -> str:
        """The ceiling of something."""
        return self._fenced("⌈", inner, "⌉")

    def _fenced(self, left: str, inner: str, right: str) -> str:
        """Fences that stretch, where there is something tall between them."""
        stretchy = "true" if r"\frac" in inner or r"\sum" in inner else "false"
        opening = self.hold(_element("mo", left, form="prefix", stretchy=stretchy))
        closing = self.hold(_element("mo", right, form="postfix", stretchy=stretchy))
        return f"{{{opening}{inner}{closing}}}"

    def function(self, label: str, inner: str) -> str:
        """A named function."""
        applied = self.hold(_element("mo", "\u2061"))
        return f"{{{self.hold(_element('mi', label))}{applied}{self.bracket(inner)}}}"

    def entry(self, letter: str, indices: tuple[str, ...]) -> str:
        """One entry of a tensor."""
        return f"{{{self.symbol(letter)}{{[{','.join(indices)}]}}}}"

    def big_sum(self, over: tuple[tuple[str, Term], ...], body: str) -> str:
        """A sum over index letters, each with its bounds."""
        sums = [
            f"\\sum_{{{self.symbol(letter)}=1}}^{{{self._little(bound)}}}" for letter, bound in over
        ]
        return "".join(sums) + body

    def relation(self, left: str, sign: str, right: str) -> str:
        """Two sides of a relation."""
        return left + self.sign(sign) + right

    def sign(self, sign: str, first: bool = False) -> str:
        """A relation's sign; the first on its line says that it stands between two sides."""
        where = {"form": "infix", "lspace": "0.278em", "rspace": "0.278em"} if first else {}
        return self.hold(_element("mo", SIGNS.get(sign, sign), **where))

    def size(self, label: str) -> str:
        """The size of a tensor, not yet unfolded."""
        return f"\\left|{self.hold(_element('mtext', label))}\\right|"

    # --- facts and sentences ---

    def text(self, words: str) -> str:
        """Words; spaces at their ends would be lost and are made to stay."""
        inner = words.strip(" ")
        before = words[: len(words) - len(words.lstrip(" "))]
        after = words[len(before) + len(inner) :]
        kept = "\u00a0" * len(before) + inner + "\u00a0" * len(after)
        return self.hold(_element("mtext", kept)) if words else ""

    def change(self, fact: Change) -> str:
        """What an assumption does to a factor; never an equality."""
        return f"{self.term(fact.before)}{self.sign('→')}{self.term(fact.after)}"

    def changed(self, fact: Changed) -> str:
        """A product with the changed factor marked in its place."""
        parts = [self._factor(f, 1, False) for f in fact.before]
        parts.append(self.mark(self.bracket(self.change(fact.change)), class_="change"))
        parts += [self._factor(f, 1, False) for f in fact.after]
        return self.times.join(parts)

    def gap(self) -> str:
        """Room between a line and its note."""
        return self.hold(_element("mspace", width="1em"))

    # --- the tree ---

    def math(self, written: str) -> str:
        """Mathematics inside a sentence."""
        return written

    def tree(self, latex: str, block: bool) -> Element:
        """The MathML of a skeleton, with our own nodes in their places."""
        from latex2mathml.converter import convert_to_element

        made = convert_to_element(latex, display="block" if block or self.tall else "inline")
        tidy = Element("math")
        for child in made:
            done = self._tidy(child)
            tidy.extend(list(done) if _plain_row(done) else [done])
        return tidy

    def _tidy(self, node: Element) -> Element:
        text = html.unescape(node.text or "")
        if node.tag == "mi" and text in self.held:
            return self.held[text]
        made = Element(node.tag, {k: v for k, v in node.attrib.items() if k != "fence"})
        made.text = text or None
        children = list(node)
        if node.tag == "mrow" and len(children) and children[0].text in self.marks:
            made.attrib.update(self.marks[children.pop(0).text or ""])
        made.extend(self._tidy(child) for child in children)
        if _plain_row(made) and len(made) == 1:
            return made[0]
        return _raised(made) if made.tag == "msup" else made


def _subscripted(node: Term) -> bool:
    return isinstance(node, Sym) and bool(name(node.name).sub)


def _plain_row(node: Element) -> bool:
    return node.tag == "mrow" and not node.attrib


def _raised(power: Element) -> Element:
    """A power of a letter with a subscript, one above the other."""
    base, exponent = power
    if base.tag != "msub":
        return power
    made = Element("msubsup")
    made.extend((*base, exponent))
    return made


def _string(tree: Element, layout: str, bare: bool) -> str:
    if not bare:
        tree.set("xmlns", NAMESPACE)
    if layout == "block":
        tree.set("display", "block")
    elif layout == "tall":
        tree.set("displaystyle", "true")
    return tostring(tree, encoding="unicode")


@functools.lru_cache(maxsize=8192)
def math(
    fact: object, formula: bool = False, layout: str = "inline", bare: bool = False,
    after: str = "",
) -> str:  # fmt: skip
    """A Term or fact as one ``<math>``.

    ``layout`` is ``inline`` (in a sentence), ``tall`` (a cell of its own) or ``block`` (a
    displayed line); ``bare`` leaves the namespace out, which HTML does not need; ``after``
    is the sign of a relation whose left side stands before.
    """
    writer = _Latex(tall=layout != "inline")
    latex = writer.sign(after, first=True) if after else ""
    latex += writer.term(fact, formula) if isinstance(fact, Term) else writer.fact(fact)
    return _string(writer.tree(latex, layout == "block"), layout, bare)


def pieces(term: Term, formula: bool = False, bare: bool = False) -> list[str]:
    """A Term of a sentence, in pieces between which a line may be broken."""
    if not isinstance(term, Rel):
        return [math(term, formula, bare=bare)]
    *before, left = pieces(term.left, formula, bare) if isinstance(term.left, Rel) else [
        math(term.left, formula, bare=bare)
    ]  # fmt: skip
    return [*before, left, math(term.right, formula, bare=bare, after=term.sign)]


def render_term(term: Term, formula: bool = False, display: bool = False) -> str:
    """A Term as one ``<math>``; ``formula`` sets letters side by side.

    >>> from ..terms import product
    >>> render_term(product(256, 1152)).replace(f' xmlns="{NAMESPACE}"', "")
    '<math><mn>256</mn><mo>·</mo><mn>1,152</mn></math>'
    """
    return math(term, formula, "block" if display else "inline")


# --- the formula lines of a page ----------------------------------------------------------


def _row_line(writer: _Latex, row: Row) -> str:
    left, right = sides(row)
    latex = "" if left is None else writer.fact(left)
    if right is not None:
        latex += writer.sign(row.sign, first=left is None) + writer.term(right, formula=True)
    return latex + (writer.gap() + writer.sentence(row.note) if row.note else "")


def _cells(writer: _Latex, cells: Sequence[Any]) -> str:
    shown = [cell for cell in cells if cell is not None and cell != ""]
    return writer.gap().join(
        writer.text(cell) if isinstance(cell, str) else writer.fact(cell) for cell in shown
    )


def _lines(item: Item, writer: _Latex) -> Iterator[str]:
    match item:
        case Para(change=Change() as change):
            yield writer.change(change)
        case Equation(term):
            yield writer.term(term, formula=True)
        case Rows(rows):
            yield from (_row_line(writer, row) for row in rows)
        case Table(head, rows):
            yield from (_cells(writer, cells) for cells in (head, *rows))


def render(page: Page, language: str = "en") -> str:
    """The formula lines of a page, one ``<math display="block">`` a line."""
    said: list[Say] = [page.answer.say] if page.answer else []
    writer = _Latex(True, language)
    latex = [writer.sentence(say) for say in said]
    for block in page.blocks:
        for item in block.items:
            latex += _lines(item, writer)
    latex += [writer.sentence(say) for say in page.formula[:1]]  # then follow its letters
    return "".join(_string(writer.tree(line, True), "block", False) + "\n" for line in latex)
