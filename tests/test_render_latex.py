"""LaTeX that compiles, means what it shows, lets no text through, and keeps its golden page."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from symparams import algebra
from symparams.binding import bind
from symparams.catalog import builder
from symparams.derivation.count import derive
from symparams.derivation.page import (
    Block,
    Bytes,
    Change,
    Changed,
    Dims,
    Equation,
    Formula,
    Indices,
    Letter,
    Page,
    Para,
    Row,
    Rows,
    Say,
    Table,
)
from symparams.errors import Error
from symparams.reading.expressions import read
from symparams.render import latex
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
    letters,
    product,
    total,
)

GOLDEN = Path(__file__).parent / "golden" / "conv.tex"
CONV = {"C_in": 128, "C_out": 256, "k": 3, "H": 100, "W": 100, "H_out": 100, "W_out": 100}
GIVEN: dict[str, tuple[str, dict[str, object]]] = {
    "conv": ("conv2d", CONV),
    "linear": ("linear", {"C_in": 128, "C_out": 256}),
    "letters": ("conv2d", {}),
    "grouped": ("conv2d", {"C_in": 64, "C_out": 128, "k": 3, "H": 56, "W": 56, "s": 2, "g": 32}),
    "loose": ("conv2d", {"g": S("g"), "s": S("s"), "P": S("P"), "d": S("d")}),
    "conv3d": ("conv3d", {"C_in": 512, "C_out": 1024, "k": 3, "D": 128, "H": 128, "W": 128}),
}
HOSTILE = r"\input{/etc/passwd} 50% $x_1$ #1 a&b ^^5c ~ {open }close <b> [o] *s* |b| `q`" + '"'
SPAN = re.compile(r"(?<!\\)\$")
TOO_MUCH = {"too_deep", "too_many_digits", "too_many_tokens", "text_too_long"}  # to be read back
COMMANDS = set(
    re.findall(
        r"\\[A-Za-z]+",
        r"\textbackslash\textless\textgreater\textbar\quad\to\cdot\times\pm\approx\le\ge\ne"
        r"\lfloor\rfloor\lceil\rceil\in\Sigma\infty\surd\checkmark\bullet\dots\alpha\beta\gamma"
        r"\theta\lambda\mu\sigma",
    )
)

WRITERS = {
    "line": latex.LatexWriter(),
    "tall": latex.LatexWriter(tall=True),
    "broken": latex.LatexWriter(tall=True, gap=r"\allowbreak "),
}


def page_of(name: str, level: str = "exam") -> Page:
    layer, values = GIVEN[name]
    return derive(bind(builder(layer), dict(values)), level).page


def words(text: str) -> Say:
    """A sentence that says a given text."""
    return Say("titles.params", {"layer": text})


def long_equation() -> Equation:
    places = (
        product(S("s_" + a), S(p) - 1) + product(S("d_" + a), S(i) - 1) + 1 - S("P_" + a)
        for a, p, i in (("d", "r", "l"), ("h", "p", "i"), ("w", "q", "j"))
    )
    body = product(Entry("w", tuple(map(S, "oclij"))), Entry("x", (S("c"), *places)))
    sums = BigSum(tuple((letter, S("k_" + letter)) for letter in "clij"), body)
    left = Entry("y", tuple(map(S, "orpq")))
    return Equation(Rel(left, total(Entry("b", (S("o"),)), sums)))


def everything() -> Page:
    """A page with every kind of item, wide ones and hostile ones among them."""
    change = Change(product(100, 100), product(3, 3), "restrict")
    sizes = product(S("H_out"), S("W_out"))
    struck = Quot(product(S("H_out"), S("W_out"), S("C_in")), sizes)
    wide = total(*(product(S("C_in"), S("k_h"), S("k_w"), S("C_out"), n) for n in range(1, 8)))
    rows = Rows(
        (
            Row(Changed((Num(256),), change, (Num(128),)), Num(294912), words("one"), words("two")),
            Row(struck, S("C_in"), strong=True, cancelled=((0, 0), (0, 1), (1, 0), (1, 1))),
            Row(None, Num(7), sign="≈"),
            Row(Formula(product(S("C_in"), S("k") ** 2)), strong=True),
        )
    )
    head = (words("a"), words("b"), words("c"))
    table = Table(
        head, ((HOSTILE, Dims((Num(3), S("C"))), 12345), (words("sum"), None, Num(1))), total=True
    )
    broad = Table(head, ((words("long " * 30), product(3, S("C_in")), Bytes(13_100_000_000)),))
    blocks = (
        Block(words("first"), (Para(words(HOSTILE), change=change), table), "~>"),
        Block(words("%"), (long_equation(), rows, Para(words("aside"), aside=True)), "="),
        Block(words("third"), (Rows((Row(wide, wide, words("wide"), strong=True),)), broad)),
        Block(words("fourth"), (broad, Equation(Floor(Quot(S("H") + 2, S("s")))))),
    )
    answer = Para(Say("titles.shapes", {"inp": "line one\n\nline two", "out": HOSTILE}))
    return Page(
        words(HOSTILE), words("sub"), blocks, answer, words("because"), words(HOSTILE),
        (words(HOSTILE),), (words(HOSTILE),),
    )  # fmt: skip


# --- what compiles ------------------------------------------------------------------------


def compiled(document: str, folder: Path, pdflatex: str) -> str:
    """The log of a document, which must come out as a PDF."""
    (folder / "page.tex").write_text(document, encoding="utf-8")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert (folder / "page.pdf").is_file()
    return log


def inside(page: Page, kind: str = "article") -> str:
    """A fragment in a document that loads what its first line asks for, and nothing else."""
    text = latex.render(page)
    found = re.match(r"% Needs (\\usepackage\{[a-z,]+\}) ", text)
    assert found
    return f"\\documentclass{{{kind}}}{found[1]}\\begin{{document}}\n{text}\\end{{document}}\n"


@pytest.mark.parametrize("level", ["line", "exam", "lecture"])
@pytest.mark.parametrize("name", GIVEN)
def test_pages_compile_and_fit(
    name: str, level: str, tmp_path: Path, need: Callable[..., str]
) -> None:
    pdflatex = need("pdflatex")
    page = page_of(name, level)
    log = compiled(latex.render(page, standalone=True), tmp_path, pdflatex)
    assert "Overfull" not in log
    assert "Warning" not in log
    assert "Overfull" not in compiled(inside(page), tmp_path, pdflatex)


@pytest.mark.parametrize("kind", ["article", "letter", "beamer", "exam"])
def test_everything_compiles_everywhere(
    kind: str, tmp_path: Path, need: Callable[..., str]
) -> None:
    document = inside(everything(), kind)
    if kind == "beamer":
        document = document.replace("\\begin{document}", "\\begin{document}\\begin{frame}")
        document = document.replace("\\end{document}", "\\end{frame}\\end{document}")
    log = compiled(document, tmp_path, need("pdflatex"))
    if kind == "article":
        assert "Overfull" not in log


def test_everything_stands_alone(tmp_path: Path, need: Callable[..., str]) -> None:
    log = compiled(latex.render(everything(), standalone=True), tmp_path, need("pdflatex"))
    assert "Overfull" not in log
    assert "Warning" not in log


def test_a_long_derivation_breaks_across_pages(tmp_path: Path, need: Callable[..., str]) -> None:
    many = Rows(tuple(Row(product(n, 3), Num(3 * n)) for n in range(1, 30)))
    page = Page(words("long"), blocks=(Block(words("all"), (many, many, many)),))
    log = compiled(latex.render(page, standalone=True), tmp_path, need("pdflatex"))
    assert re.search(r"\([23456] pages", log)
    assert "Overfull" not in log


# --- what it means ------------------------------------------------------------------------

NAMES = st.sampled_from(["k", "C_in", "C_out", "k_h", "H_out", "s", "g", "b", "alpha"])
LEAVES = st.one_of(st.integers(0, 10**7).map(Num), NAMES.map(S))


def _grown(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        several.map(Sum),
        several.map(Prod),
        inner.map(Neg),
        st.tuples(inner, inner).map(lambda pair: Quot(*pair)),
        st.tuples(inner, st.integers(0, 3).map(Num)).map(lambda pair: Pow(*pair)),
        inner.map(Floor),
        inner.map(Ceil),
        several.map(Min),
        several.map(Max),
    )


SIZES = st.recursive(LEAVES, _grown, max_leaves=8)
ENTRIES = st.builds(Entry, NAMES, st.lists(SIZES, min_size=1, max_size=4).map(tuple))
LINES = st.one_of(
    SIZES,
    ENTRIES,
    st.builds(BigSum, st.lists(st.tuples(NAMES, SIZES), min_size=1, max_size=3).map(tuple), SIZES),
    st.builds(Rel, SIZES, SIZES, st.sampled_from(["=", "≈", "<=", "<", "~>", "&%"])),
    st.text(max_size=12).map(Size),
    st.text(min_size=1, max_size=12).map(S),
)


def balanced(text: str) -> bool:
    """Whether braces close what they open, and every \\left has its \\right."""
    bare = re.sub(r"\\[{}\\]", "", text)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0 and len(re.findall(r"\\left\b", bare)) == len(re.findall(r"\\right\b", bare))


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@given(term=LINES, formula=st.booleans())
def test_braces_balance(writer: latex.LatexWriter, term: Term, formula: bool) -> None:
    assert balanced(writer.term(term, formula))


@pytest.mark.parametrize("writer", [WRITERS["line"], WRITERS["tall"]], ids=["line", "tall"])
@given(term=SIZES, formula=st.booleans())
def test_what_is_written_is_read_back(writer: latex.LatexWriter, term: Term, formula: bool) -> None:
    written = writer.term(term, formula)
    try:
        found = read(written)
    except Error as refused:
        assume(refused.id not in TOO_MUCH)
        raise
    point = {name: n for n, name in enumerate(sorted(letters(term)), 3)}
    try:
        expected = algebra.value(term, point)
    except Error:  # by zero, or too large
        assume(False)
    assert algebra.value(found, point) == expected


@given(st.text(max_size=40))
def test_words_hold_no_command(text: str) -> None:
    written = latex.LatexWriter().text(text)
    assert balanced(re.sub(r"\\[#$%&_]", "", written))
    assert len(SPAN.findall(written)) % 2 == 0
    assert "%" not in written.replace(r"\%", "")
    assert set(re.findall(r"\\[A-Za-z]+", written)) <= COMMANDS
    assert "\n" not in written


def test_hostile_text_is_set_and_not_obeyed() -> None:
    for standalone in (False, True):
        text = latex.render(everything(), standalone)
        assert r"\input" not in text
        assert r"\textbackslash{}input\{/etc/passwd\}" in text
        assert r"50\% \$x\_1\$ \#1 a\&b" in text
        assert "^^" not in text


@pytest.mark.parametrize("name", ["%", "$", "\\", "a%b", "x}y", "C_%", "a\n\nb", "\\input{x}"])
def test_hostile_names_are_set_as_words(name: str) -> None:
    written = latex.LatexWriter().term(S(name))
    assert balanced(written)
    assert written.startswith(r"\text{")
    assert r"\input" not in written
    assert "\n" not in written


# --- how it looks -------------------------------------------------------------------------


def test_the_golden_fragment() -> None:
    text = latex.render(page_of("conv"))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8", newline="\n")
    assert text == GOLDEN.read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.parametrize(
    ("term", "written"),
    [
        (Num(294912), "294{,}912"),
        (product(3, 3, S("C_in")), r"3 \cdot 3 \cdot C_{\text{in}}"),
        (product(S("C_out"), S("C_in") + 1), r"C_{\text{out}} \cdot (C_{\text{in}} + 1)"),
        (Quot(S("H") + 2, S("s")), "(H + 2)/s"),
        (S("k") ** 2, "k^2"),
        (S("k") ** 12, "k^{12}"),
        (Entry("w", (S("o"), S("c"))), "w[o,c]"),
        (BigSum((("c", Num(128)),), Entry("x", (S("c"),))), r"\sum_{c=1}^{128} x[c]"),
        (Size("weight_ih"), r"\lvert\text{weight\_ih}\rvert"),
        (Rel(S("a"), S("b"), "<="), r"a \le b"),
    ],
)
def test_terms(term: Term, written: str) -> None:
    assert latex.LatexWriter().term(term) == written


def test_an_assumption_is_never_an_equality() -> None:
    change = Change(product(100, 100), product(3, 3), "restrict")
    assert latex.LatexWriter().change(change) == r"$100 \cdot 100 \to 3 \cdot 3$"
    text = latex.render(page_of("conv", "lecture"))
    assert r"\item[{Restrict \textnormal{(assumption)}}]" in text
    assert r"(100 \cdot 100 \to 3 \cdot 3)" in text


def test_a_chain_goes_on_under_its_sign() -> None:
    rows = Rows(
        (
            Row(product(S("k"), S("k")) + S("k")),
            Row(None, S("k") ** 2 + S("k"), note=words("x")),
            Row(None, product(S("k"), S("k") + 1), strong=True),
        )
    )
    text = latex.render(Page(words("t"), blocks=(Block(words("b"), (rows,)),)))
    assert r"k \cdot k + k & = & k^2 + k & \text{" in text
    assert r"     & = & \boldsymbol{k\, (k + 1)}" in text


def test_cancel_is_asked_for_only_where_it_is_used() -> None:
    row = Row(Quot(product(S("H"), S("C")), S("H")), S("C"), cancelled=((0, 0), (1,)))
    text = latex.render(Page(words("t"), blocks=(Block(words("b"), (Rows((row,)),)),)))
    assert text.startswith(r"% Needs \usepackage{amsmath,cancel} ")
    assert r"\dfrac{\cancel{H} \cdot C}{\cancel{H}}" in text
    assert "cancel" not in latex.render(page_of("conv"))


def test_a_sentence_may_name_letters_and_indices() -> None:
    writer = latex.LatexWriter()
    assert writer.fact(Indices(("o", "p", "q"))) == "$(o,p,q)$"
    assert writer.fact(Letter("gamma")) == r"$\gamma$"
    assert writer.fact(Dims((Num(100), Num(100), Num(128)))) == r"$100{\times}100{\times}128$"
