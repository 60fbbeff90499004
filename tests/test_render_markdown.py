"""Markdown whose mathematics reaches the reader as it was written, and whose words are words."""

from __future__ import annotations

import html
import importlib.util
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
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
    Page,
    Para,
    Row,
    Rows,
    Say,
    Table,
)
from symparams.render import markdown
from symparams.terms import Entry, Num, Quot, Rel, S, Size, product

GOLDEN = Path(__file__).parent / "golden" / "conv.md"
CONV = {"C_in": 128, "C_out": 256, "k": 3, "H": 100, "W": 100, "H_out": 100, "W_out": 100}
HOSTILE = r"<script>x</script> *b* _i_ [l](u) `c` $m$ | \ & # ~~s~~ ![i](u) &lt;"
MATH = re.compile(r"\$\$\n(.+?)\n\$\$|(?<!\\)\$([^$\n]+?)(?<!\\)\$")


def conv(level: str = "exam", **values: object) -> Page:
    return derive(bind(builder("conv2d"), values), level).page


def words(text: str) -> Say:
    return Say("titles.params", {"layer": text})


def everything() -> Page:
    change = Change(product(100, 100), product(3, 3), "restrict")
    rows = Rows(
        (
            Row(Changed((Num(256),), change, ()), Num(294912), words(HOSTILE), words("n")),
            Row(Quot(product(S("H"), S("k")), S("H")), S("k"), strong=True, cancelled=((0, 0),)),
            Row(Size("weight_ih|"), Num(7), strong=True, sign="<"),
        )
    )
    body = ((HOSTILE, Dims((Num(3), S("C"))), 12345), (words("sum"), None, Num(1)))
    table = Table((words("a"), words("b"), words("c")), body, total=True)
    equation = Equation(Rel(Entry("y", (S("o"), S("p") + 1)), S("C_in") / S("g"), "<"))
    blocks = (
        Block(words(HOSTILE), (Para(words(HOSTILE), change=change), table), "~>"),
        Block(words("second"), (equation, rows, Para(words("aside"), aside=True)), "="),
    )
    said = words(HOSTILE)
    return Page(said, said, blocks, Para(said), said, said, (said,), (said,))


def written_mathematics(text: str) -> list[str]:
    return [display or inline for display, inline in MATH.findall(text)]


PAGES: dict[str, Callable[[], Page]] = {
    "conv": lambda: conv(**CONV),
    "lecture": lambda: conv("lecture", **CONV),
    "letters": lambda: conv("lecture", g=S("g"), s=S("s"), P=S("P"), d=S("d")),
    "everything": everything,
}


@pytest.mark.parametrize("name", PAGES)
def test_markdown_leaves_mathematics_alone(name: str, absent: Callable[[str], NoReturn]) -> None:
    if importlib.util.find_spec("markdown_it") is None:
        absent("not installed: markdown-it-py")
    from markdown_it import MarkdownIt

    text = markdown.render(PAGES[name]())
    shown = html.unescape(MarkdownIt("commonmark").enable("table").render(text))
    found = written_mathematics(text)
    assert found
    for piece in found:
        assert piece in shown


@pytest.mark.parametrize("name", PAGES)
def test_mathematics_holds_nothing_markdown_reads(name: str) -> None:
    for piece in written_mathematics(markdown.render(PAGES[name]())):
        assert not re.search(r"\\[^A-Za-z]|[<>|*`]|(?<=\})_", piece), piece


def test_hostile_words_are_words(absent: Callable[[str], NoReturn]) -> None:
    if importlib.util.find_spec("markdown_it") is None:
        absent("not installed: markdown-it-py")
    from markdown_it import MarkdownIt

    shown = MarkdownIt("commonmark").enable("table").render(markdown.render(everything()))
    tags = set(re.findall(r"<(\w+)", shown))
    assert tags <= {"h2", "h3", "p", "em", "strong", "blockquote"} | {
        "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert HOSTILE in html.unescape(shown)
    assert shown.count("<table>") == 2
    assert shown.count("</h3>") == 2


@given(st.text(max_size=40))
def test_words_stay_on_one_line_and_open_nothing(text: str) -> None:
    written = markdown.MarkdownWriter().text(text)
    assert "\n" not in written
    assert not re.search(r"(?<!\\)[`*_\[\]<>|~$]", re.sub(r"\\\\", "", written))


@pytest.mark.parametrize("start", ["- a", "+ a", "1. a", "12) a", "# a", "> a"])
def test_a_paragraph_is_no_list(start: str) -> None:
    page = Page(words("t"), answer=Para(Say("titles.shapes", {"inp": start, "out": "b"})))
    line = markdown.render(page).splitlines()[2]
    assert not re.match(r"[-+#>]|\d+[.)]", line)


def test_the_golden_page() -> None:
    text = markdown.render(conv(**CONV))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8", newline="\n")
    assert text == GOLDEN.read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 writes it anew"


def test_an_assumption_is_said_in_words() -> None:
    text = markdown.render(conv(**CONV))
    assert "### Restrict *(assumption)*" in text
    assert r"$100 \cdot 100 \to 3 \cdot 3$" in text
    assert "| 256 filters | $256 \\cdot 1{,}152 =$ | **294,912** | without bias |" in text
