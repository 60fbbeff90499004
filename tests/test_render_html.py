"""HTML that says what the page says: whole, escaped, readable without colour and on a phone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from symparams.derivation.page import Block, Equation, Page, Para, Row, Rows, Say, Table
from symparams.render import html
from symparams.terms import Num, Quot, S, product
from test_render_mathml import GIVEN, HOSTILE, Reader, assert_core, numeric, page_of, value

GOLDEN = Path(__file__).parent / "golden" / "conv.html"


def fragment(page: Page) -> Element:
    """A fragment is well-formed XML too, so that it may stand in an EPUB."""
    return fromstring(html.render(page))


def having(root: Element, tag: str, name: str) -> list[Element]:
    return [e for e in root.iter(tag) if name in e.get("class", "").split()]


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def of(*items: Rows | Table | Para | Equation, kind: str = "") -> Page:
    return Page(Say("titles.simplify"), blocks=(Block(Say("subgoals.count"), items, kind),))


# --- what is on the page ------------------------------------------------------------------


def test_the_golden_page() -> None:
    found = html.render(page_of("conv"), style=False)
    assert found == GOLDEN.read_text(encoding="utf-8"), f"python {Path(__file__).name} renews it"


@pytest.mark.parametrize("level", ["line", "exam", "lecture"])
@pytest.mark.parametrize("name", GIVEN)
def test_every_row_that_is_a_count_is_read_back(name: str, level: str) -> None:
    root = fragment(page_of(name, level))
    for math in root.iter("math"):
        assert_core(math)
    for row in root.iter("tr"):
        left, right = having(row, "td", "left"), having(row, "td", "right")
        if left and right:
            a, b = next(left[0].iter("math")), next(right[0].iter("math"))
            if numeric(list(a)) and numeric(list(b)):
                assert value(a) == value(b)
    for parent in root.iter():
        for before, after in zip(list(parent), list(parent)[2:], strict=False):
            if after.tag == before.tag == "math" and after[0].text == "=" and numeric(list(before)):
                assert value(before) == Reader(list(after)[1:]).whole()


def test_subgoals_are_sections_with_headings() -> None:
    root = fragment(page_of("conv"))
    assert (root.tag, root.get("class"), root.get("lang")) == ("article", "symparams", "en")
    sections = list(root.iter("section"))
    assert [text_of(s.find(".//h3")) for s in sections] == [  # type: ignore[arg-type]  # each has one
        "Axes", "Relative coordinates", "Restrict", "Share", "Count what remains", "Check",
    ]  # fmt: skip
    kinds = [text_of(kind) for s in sections for kind in having(s, "p", "kind")]
    assert kinds == ["equality", "assumption", "assumption", "equality"]
    assert [e.get("role") for e in root.iter("math")] == [None] * len(list(root.iter("math")))


def test_an_equation_has_words_beside_it() -> None:
    (box,) = having(fragment(page_of("linear")), "div", "equation")
    assert [child.tag for child in box] == ["math", "span"]
    assert text_of(box[1]) == "y[o] = b[o] + Σ(c) w[o,c] x[c]"


def test_what_divides_out_is_said() -> None:
    term = Quot(product(S("H"), S("k")), S("H"))
    root = fragment(of(Rows((Row(term, S("k"), cancelled=((0, 0), (1,))),))))
    assert text_of(having(root, "span", "unseen")[0]) == "(divides out: H)"


def test_numbers_stand_flush_right_and_letters_do_not() -> None:
    rows = (Row(product(2, 3), Num(6)), Row(product(2, 3000), Num(6000), strong=True))
    (table,) = having(fragment(of(Rows(rows))), "table", "rows")
    assert "numbers" in table.get("class", "")
    assert [row.get("class") for row in table.iter("tr")] == [None, "strong"]
    (table,) = having(fragment(of(Rows((*rows, Row(S("a"), S("b")))))), "table", "rows")
    assert "numbers" not in table.get("class", "")


def test_a_chain_goes_on_below_its_beginning() -> None:
    rows = (Row(product(2, 3)), Row(None, Num(6), note=Say("notes.with_bias"), strong=True))
    (table,) = having(fragment(of(Rows(rows, chain=True))), "table", "chain")
    assert [text_of(row) for row in table.iter("tr")] == ["2·3", "= 6 with bias"]


def test_a_table_has_a_head_and_a_total() -> None:
    head = (Say("tables.part"), Say("tables.formula"), Say("tables.count"))
    body = (("conv1", S("C_in") * 2, Num(1200)), (Say("tables.total"), None, 1200))
    root = fragment(of(Table(head, body, total=True)))
    assert [text_of(e) for e in root.iter("th")] == [
        "part", "formula", "parameters", "conv1", "total",
    ]  # fmt: skip
    assert [text_of(e) for e in having(root, "td", "number")] == ["1,200", "1,200"]
    assert len(list(root.iter("tfoot"))) == 1


# --- nothing of a user's is markup --------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    page = Page(
        Say("titles.params", {"layer": text}),
        Say("titles.shapes", {"inp": text, "out": S(text)}),
        (
            Block(Say("subgoals.axes"), (
                Equation(S(text)),
                Para(Say("formula.params", {"formula": text})),
                Table((Say("tables.part"),), ((text,), (S(text),))),
                Rows((Row(S(text), S(text), Say("formula.params", {"formula": text})),)),
            )),
        ),
        callout=Say("formula.params", {"formula": text}),
        warnings=(Say("formula.params", {"formula": text}),),
    )  # fmt: skip
    for made in (html.render(page), html.render(page, standalone=True)):
        made.encode("utf-8")
        root = fromstring(made.removeprefix("<!DOCTYPE html>"))
        tags = {element.tag for element in root.iter()}
        assert not tags & {"script", "svg", "a", "img", "iframe", "object"}
        assert not {"href", "src", "onload"} & {key for e in root.iter() for key in e.attrib}
    title = re.search("<title>(.*)</title>", html.render(page, standalone=True))
    assert title is not None
    assert "<" not in title[1]
    if text.isprintable():
        assert text in unescape(title[1])


def test_a_page_stands_alone() -> None:
    page = html.render(page_of("conv"), standalone=True)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert not re.search(r"<script|<link|@import|url\(|https?:|//", page)
    assert '<meta name="color-scheme" content="light dark"/>' in page
    assert page.count("<style>") == 1
    assert "<h1" in page
    assert "@media print" in page
    assert '"Latin Modern Math", "STIX Two Math", math' in page


def test_a_fragment_brings_its_style_or_not() -> None:
    assert html.css() in html.render(page_of("linear"))
    assert "<style>" not in html.render(page_of("linear"), style=False)
    rules = re.findall(r"^ *([.:][^{@]*)\{", html.css(), re.MULTILINE)
    assert rules
    assert all(".symparams" in rule for rule in rules)


# --- it can be read -----------------------------------------------------------------------


def _light(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough(scheme: int) -> None:
    page = html.render(page_of("conv"), standalone=True)
    pairs = {n: c for n, *c in re.findall(r"([\w-]+): light-dark\((#\w+), (#\w+)\)", page)}
    ground, ink, wash = (pairs[n][scheme] for n in ("background", "color", "--wash"))
    for colour in (ink, pairs["--soft"][scheme], pairs["--assume"][scheme]):
        assert contrast(colour, ground) >= 4.5
    assert contrast(ink, wash) >= 4.5
    assert contrast(pairs["--bar"][scheme], ground) >= 3


# --- in a browser -------------------------------------------------------------------------

# A browser's own window is never as narrow as a phone; a frame is.
FRAMES = """<body>{frames}<script>
addEventListener("load", () => document.querySelectorAll("iframe").forEach(frame => {{
  const page = frame.contentDocument;
  frame.dataset.page = page.documentElement.scrollWidth;
  frame.dataset.window = frame.contentWindow.innerWidth;
  frame.dataset.math = Math.round(page.querySelector("math").getBoundingClientRect().height);
}}));
</script></body>"""
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def browse(tmp_path: Path, need: Callable[..., str]) -> Callable[..., str]:
    chromium = need("chromium", "chromium-browser", "google-chrome")

    def browse(page: str, *flags: str) -> str:
        file = tmp_path / "page.html"
        file.write_text(page, encoding="utf-8")
        done = subprocess.run(
            [chromium, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *flags, file.as_uri()],
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return browse


def test_on_a_phone_the_page_never_scrolls_sideways(browse: Callable[..., str]) -> None:
    pages = [
        html.render(page_of(name, level), standalone=True)
        for name in GIVEN
        for level in ("exam", "lecture")
    ]
    frames = "".join(
        f'<iframe width="360" height="800" frameborder="0" srcdoc="{escape(page)}"></iframe>'
        for page in pages
    )
    found = browse(FRAMES.format(frames=frames), "--dump-dom")
    measured = re.findall(r'data-page="(\d+)" data-window="(\d+)" data-math="(\d+)"', found)
    assert len(measured) == len(pages)
    for page, window, math in measured:
        assert int(window) == 360
        assert int(page) <= 360
        assert int(math) > 4


@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_the_page_is_drawn(scheme: int, tmp_path: Path, browse: Callable[..., str]) -> None:
    shot = tmp_path / "page.png"
    browse(
        html.render(page_of("conv"), standalone=True),
        f"--screenshot={shot}",
        "--window-size=1280,1000",
        f"--blink-settings=preferredColorScheme={scheme}",
    )
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert shot.stat().st_size > 30_000


if __name__ == "__main__":
    GOLDEN.write_text(html.render(page_of("conv"), style=False), encoding="utf-8")
