"""MathML that means the number it shows, holds only MathML Core, and lets no text through."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symparams.binding import bind
from symparams.catalog import builder
from symparams.derivation.count import derive
from symparams.derivation.page import (
    Block,
    Change,
    Changed,
    Dims,
    Equation,
    Indices,
    Letter,
    Page,
    Row,
    Rows,
    Say,
)
from symparams.render import mathml
from symparams.terms import (
    BigSum,
    Ceil,
    Entry,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Pow,
    Prod,
    Quot,
    Rel,
    S,
    Size,
    Sum,
    Term,
    product,
)

XMLNS = f"{{{mathml.NAMESPACE}}}"
GLOBAL = {"class", "style", "displaystyle"}
CORE = {
    "math": {"display"},
    "mrow": set(),
    "mi": {"mathvariant"},
    "mn": set(),
    "mo": {"form", "lspace", "rspace", "stretchy"},
    "mtext": set(),
    "mspace": {"width"},
    "mfrac": set(),
    "msub": set(),
    "msup": set(),
    "msubsup": set(),
    "munderover": set(),
}
CONV = {"C_in": 128, "C_out": 256, "k": 3, "H": 100, "W": 100, "H_out": 100, "W_out": 100}
GIVEN = {
    "conv": ("conv2d", CONV),
    "linear": ("linear", {"C_in": 128, "C_out": 256}),
    "symbolic": ("conv2d", {}),
    "grouped": ("conv2d", {"C_in": 6, "C_out": 8, "k": (3, 5), "s": 2, "g": 2, "H": 32, "W": 32}),
    "conv3d": ("conv3d", {"C_in": 3, "C_out": 16, "k": 3, "D": 10, "H": 20, "W": 30}),
}


def page_of(name: str, level: str = "exam") -> Page:
    layer, values = GIVEN[name]
    return derive(bind(builder(layer), dict(values)), level).page


# --- a reader of MathML, as a person reads it ---------------------------------------------


class Reader:
    """The value of a row of elements; the right side of an arrow is what is left."""

    def __init__(self, elements: list[Element]) -> None:
        signs = [(e.text or "") if e.tag == "mo" else "" for e in elements]
        kept = slice(None)
        if "→" in signs:
            kept = slice(signs.index("→") + 1, -1 if signs[0] == "(" else None)
        self.todo, self.signs = elements[kept], signs[kept]
        self.place = 0

    def sign(self, *wanted: str) -> str:
        here = self.signs[self.place] if self.place < len(self.signs) else ""
        if here and here in wanted:
            self.place += 1
            return here
        return ""

    def total(self) -> Fraction:
        found = -self.product() if self.sign("−") else self.product()
        while sign := self.sign("+", "−"):
            found += self.product() if sign == "+" else -self.product()
        return found

    def product(self) -> Fraction:
        found = self.atom()
        while sign := self.sign("·", "×", "\u2062", "/"):
            found = found / self.atom() if sign == "/" else found * self.atom()
        return found

    def atom(self) -> Fraction:
        if opening := self.sign("(", "⌊", "⌈"):
            inner = self.total()
            assert self.sign({"(": ")", "⌊": "⌋", "⌈": "⌉"}[opening])
            return Fraction({"(": inner, "⌊": math.floor(inner), "⌈": math.ceil(inner)}[opening])
        element = self.todo[self.place]
        self.place += 1
        return self.function(element.text) if element.tag == "mi" else value(element)

    def function(self, name: str | None) -> Fraction:
        assert self.sign("\u2061")
        parts: list[list[Element]] = [[]]
        for element in list(self.todo[self.place])[1:-1]:
            if element.text == ",":
                parts.append([])
            else:
                parts[-1].append(element)
        self.place += 1
        return {"min": min, "max": max}[name or ""](Reader(part).whole() for part in parts)

    def whole(self) -> Fraction:
        found = self.total()
        assert self.place == len(self.todo), "something is left over"
        return found


def value(element: Element) -> Fraction:
    if element.tag == "mn":
        assert re.fullmatch(r"\d{1,3}(,\d{3})*|\d+", element.text or "")
        return Fraction((element.text or "").replace(",", ""))
    if element.tag == "mfrac":
        return value(element[0]) / value(element[1])
    if element.tag == "msup":
        return value(element[0]) ** int(value(element[1]))
    assert element.tag in {"mrow", "math"}, element.tag
    return Reader(list(element)).whole()


def plain(text: str) -> Element:
    """Well-formed XML, its namespace taken off."""
    root = fromstring(text)
    for element in root.iter():
        element.tag = element.tag.removeprefix(XMLNS)
    return root


def sides(element: Element) -> Iterator[list[Element]]:
    """The sides of a relation, without a note behind them."""
    side: list[Element] = []
    for child in element:
        if child.tag == "mspace":
            break
        if child.tag == "mo" and child.text in {"=", "≈"}:
            yield side
            side = []
        else:
            side.append(child)
    yield side


def numeric(elements: list[Element]) -> bool:
    letters = ("mi", "mtext", "munderover")
    return bool(elements) and not any(e.tag in letters for top in elements for e in top.iter())


def assert_core(root: Element) -> None:
    for element in root.iter():
        assert element.tag in CORE, element.tag
        assert set(element.attrib) <= CORE[element.tag] | GLOBAL, element.attrib
        assert element.get("mathvariant", "normal") == "normal"


# --- the value of a Term, by itself -------------------------------------------------------


def worth(node: Term) -> Fraction:
    match node:
        case Num(number):
            return Fraction(number)
        case Sum(terms):
            return sum(map(worth, terms), Fraction(0))
        case Prod(factors):
            return math.prod(map(worth, factors), start=Fraction(1))
        case Neg(inner):
            return -worth(inner)
        case Quot(num, den):
            return worth(num) / worth(den)
        case Pow(base, exp):
            return worth(base) ** int(worth(exp))
        case Floor(inner):
            return Fraction(math.floor(worth(inner)))
        case Ceil(inner):
            return Fraction(math.ceil(worth(inner)))
        case Min(terms):
            return min(map(worth, terms))
        case Max(terms):
            return max(map(worth, terms))
    raise TypeError(type(node).__name__)


def _more(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        several.map(Sum),
        several.map(Prod),
        several.map(Min),
        several.map(Max),
        inner.map(Neg),
        inner.map(Floor),
        inner.map(Ceil),
        st.builds(Quot, inner, inner),
        st.builds(Pow, inner, st.integers(0, 3).map(Num)),
    )


TERMS = st.recursive(st.integers(-1200, 3_000_000).map(Num), _more, max_leaves=9)


@given(TERMS, st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_number_is_read_back(term: Term, formula: bool, display: bool) -> None:
    try:
        expected = worth(term)
    except ZeroDivisionError:
        assume(False)
    root = plain(mathml.render_term(term, formula, display))
    assert_core(root)
    assert value(root) == expected


@pytest.mark.parametrize("level", ["line", "exam", "lecture"])
@pytest.mark.parametrize("name", GIVEN)
def test_every_line_that_is_a_count_is_read_back(name: str, level: str) -> None:
    lines = [plain(line) for line in mathml.render(page_of(name, level)).splitlines()]
    assert lines
    counts = 0
    for line in lines:
        assert_core(line)
        assert line.get("display") == "block"
        known = [Reader(side).whole() for side in sides(line) if numeric(side)]
        assert len(set(known)) <= 1
        counts += len(known) == 2
    assert counts or name == "symbolic" or level == "line"


@pytest.mark.parametrize(
    ("term", "written"),
    [
        (Num(294_912), "<mn>294,912</mn>"),
        (S("C_in"), "<msub><mi>C</mi><mtext>in</mtext></msub>"),
        (S("k_h"), "<msub><mi>k</mi><mi>h</mi></msub>"),
        (S("conv1.H_out"), "<msub><mi>H</mi><mrow><mtext>out</mtext>"
         '<mo lspace="0" rspace="0.1em">,</mo><mtext>conv1</mtext></mrow></msub>'),
        (S("alpha"), "<mi>α</mi>"),
        (S("rate"), "<mi>rate</mi>"),
        (S("C_in") ** 2, "<msubsup><mi>C</mi><mtext>in</mtext><mn>2</mn></msubsup>"),
        (S("k") - 1, "<mi>k</mi><mo>−</mo><mn>1</mn>"),
        (Size("weight"), '<mo stretchy="true" form="prefix">|</mo><mtext>weight</mtext>'
         '<mo stretchy="true" form="postfix">|</mo>'),
        (Rel(S("y"), S("x"), "<="), "<mi>y</mi><mo>≤</mo><mi>x</mi>"),
        (Rel(S("y"), S("x"), "+="), "<mi>y</mi><mo>+=</mo><mi>x</mi>"),
    ],
)  # fmt: skip
def test_what_stands_for_what(term: Term, written: str) -> None:
    found = mathml.render_term(term)
    assert found == f'<math xmlns="{mathml.NAMESPACE}">{written}</math>'


def test_times_is_invisible_only_between_letters_of_a_formula() -> None:
    term = product(S("k"), S("C_in"), 3, 4)
    assert "\u2062" not in mathml.render_term(term)
    assert mathml.render_term(term).count("·") == 3
    assert mathml.render_term(term, formula=True).count("\u2062") == 1
    assert mathml.render_term(term, formula=True).count("·") == 2
    assert "\u2062" not in mathml.render_term(product(2, Quot(Num(3), Num(4))), formula=True)


def test_a_floor_stretches_over_a_fraction() -> None:
    shown = mathml.render_term(Floor(Quot(S("H") - 3, Num(2))), display=True)
    assert '<mo form="prefix" stretchy="true">⌊</mo><mfrac>' in shown
    assert "<mfrac>" not in mathml.render_term(Floor(Quot(S("H") - 3, Num(2))))


def test_a_displayed_sum_has_its_bounds_below_and_above() -> None:
    body = product(Entry("w", (S("o"), S("c"))), Entry("x", (S("c"),)))
    sum_over = BigSum((("c", Quot(S("C_in"), S("g"))),), body)
    root = plain(mathml.render_term(sum_over, formula=True, display=True))
    assert_core(root)
    (bounds,) = root.iter("munderover")
    assert [part.tag for part in bounds] == ["mo", "mrow", "mrow"]
    assert not list(bounds.iter("mfrac"))


def test_a_relation_in_a_sentence_may_break_at_its_sign() -> None:
    first, second, third = mathml.pieces(Rel(Rel(Num(1) + 2, Num(3)), S("n")))
    assert (value(plain(first)), plain(third)[1].text) == (3, "n")
    sign = plain(second)[0]
    assert (sign.text, sign.get("form")) == ("=", "infix")


def test_what_divides_out_is_struck_on_the_side_a_row_begins_with() -> None:
    quotient = Quot(product(S("H"), S("k")), S("H"))
    for row in (
        Row(quotient, cancelled=((0, 0), (1,))),
        Row(None, quotient, cancelled=((0, 0), (1,))),
    ):
        page = Page(Say("titles.simplify"), blocks=(Block(Say("subgoals.count"), (Rows((row,)),)),))
        root = plain(mathml.render(page))
        assert_core(root)
        struck = [e for e in root.iter("mrow") if e.get("class") == "struck"]
        assert [e[0].text for e in struck] == ["H", "H"]
        assert all("linear-gradient" in e.get("style", "") for e in struck)


def test_a_change_is_marked_and_is_no_equality() -> None:
    change = Change(product(100, 100), product(3, 3), "restrict")
    root = plain(mathml.math(Changed((Num(256),), change, (Num(128),))))
    assert_core(root)
    (marked,) = [e for e in root.iter() if e.get("class") == "change"]
    assert "".join(marked.itertext()) == "(100·100→3·3)"
    assert value(root) == 256 * 9 * 128


HOSTILE = [
    "<script>alert(1)</script>", '"onload="x', "a_<svg/onload=x>", r"\text{a}_\href{x}{y}", "a&b;",
    "x\x00\x08y", "\ud800", chr(0xF0000), chr(0xF0001) + "_\ufffe", "{}}^_", "${7*7}", "' style='",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_user_is_markup(text: str) -> None:
    facts = [
        S(text) * 2 + S("C_" + text), Entry(text, (S(text),)), Size(text), Rel(S(text), S(text)),
        BigSum(((text, S(text)),), S(text)), Dims((S(text),)), Indices((text, "p")), Letter(text),
        Rel(S("a"), S("b"), text),
    ]  # fmt: skip
    for fact in facts:
        root = plain(mathml.math(fact, True))
        assert_core(root)
        assert not {"href", "onload"} & {key for e in root.iter() for key in e.attrib}
        mathml.math(fact, True).encode("utf-8")
    page = Page(
        Say("titles.params", {"layer": text}),
        blocks=(Block(Say("subgoals.axes"), (Equation(S(text)),)),),
        formula=(Say("formula.params", {"formula": text}),),
    )
    for line in mathml.render(page).splitlines():
        assert_core(plain(line))


def test_a_hundred_brackets_inside_one_another() -> None:
    term: Term = Num(1)
    for _ in range(100):
        term = Prod((Sum((term, Num(1))), Num(2)))
    assert "(" * 3 in "".join(plain(mathml.render_term(term)).itertext())


def test_the_converter_is_not_needed_to_import() -> None:
    code = "import symparams.render.mathml, sys; print('latex2mathml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout.strip() == "False", done.stderr
