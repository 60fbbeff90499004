"""Reading algebra as people type it: ink kept, hostile text refused at once."""

import random
import re
import time
from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symparams import algebra, words
from symparams.errors import Error, UnknownName, UnreadableError
from symparams.reading import expressions
from symparams.reading.expressions import read, read_with_spans, scanner
from symparams.terms import (
    Ceil,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Pow,
    Prod,
    Quot,
    S,
    Sum,
    Sym,
    Term,
    at,
    children,
    letters,
    substitute,
    walk,
)

C, H, L, T, C_in, C_out, k_h = map(S, ("C", "H", "L", "T", "C_in", "C_out", "k_h"))
a, b, c, d, g, k, s = map(S, "abcdgks")


def n(value: int) -> Num:
    return Num(value)


def prod(*factors: Term | int) -> Prod:
    return Prod(tuple(Num(f) if isinstance(f, int) else f for f in factors))


def plus(*terms: Term | int) -> Sum:
    return Sum(tuple(Num(t) if isinstance(t, int) else t for t in terms))


NUMBERS = [
    ("1152", n(1152)),
    (" 7 ", n(7)),
    ("62,378,344", n(62378344)),
    ("1{,}152", n(1152)),
    (r"1\,152", n(1152)),
    ("1_000_000", n(1000000)),
    ("007", n(7)),
    ("+5", n(5)),
    ("9" * 200, n(int("9" * 200))),
]
NAMES = [
    ("C_in", C_in),
    ("C_{in}", C_in),
    (r"C_{\text{in}}", C_in),
    (r"C_{ \mathrm{in} }", C_in),
    (r"C_\text{in}", C_in),
    ("k_h", k_h),
    ("k_{h}", k_h),
    ("in_channels", S("in_channels")),
    (r"\text{in\_channels}", S("in_channels")),
    (r"H_{\text{out},\text{conv1}}", S("H_out_conv1")),
    ("conv1.H_out", S("conv1.H_out")),
    ("gamma", S("gamma")),
    (r"\gamma", S("gamma")),
    ("γ", S("gamma")),
    (r"\lambda_{1}", S("lambda_1")),
    ("lambda", S("lambda")),
    *((letter, S(letter)) for letter in ("N", "S", "E", "I", "O", "Q", "beta", "pi", "x")),
]
OPERATORS = [
    ("3*3*128*256 + 1*256", plus(prod(3, 3, 128, 256), prod(1, 256))),
    ("256*(3*3*128)", prod(256, prod(3, 3, 128))),
    ("(3*3)*128", prod(prod(3, 3), 128)),
    ("(a+b)+c", plus(plus(a, b), c)),
    ("a+(b-c)", plus(a, plus(b, Neg(c)))),
    ("256*(3)", prod(256, 3)),
    ("((a))", a),
    ("[a+b]*{c}", prod(plus(a, b), c)),
    ("3·3×3⋅3", prod(3, 3, 3, 3)),
    (r"3\cdot3\times 3", prod(3, 3, 3)),
    ("a - b", plus(a, Neg(b))),
    ("a − b – c", plus(a, Neg(b), Neg(c))),
    ("a-b*c", plus(a, Neg(prod(b, c)))),
    ("-a*b + c", plus(Neg(prod(a, b)), c)),
    ("a - -b", plus(a, Neg(Neg(b)))),
    ("3 + -4", plus(3, Neg(n(4)))),
    ("3*-a*b", prod(3, Neg(a), b)),
    ("a/b", Quot(a, b)),
    ("a/b*c", prod(Quot(a, b), c)),
    ("a*b/c", Quot(prod(a, b), c)),
    ("a*(b/c)", prod(a, Quot(b, c))),
    ("a/b/c", Quot(Quot(a, b), c)),
    ("a÷(b*c)", Quot(a, prod(b, c))),
    ("(H - k)//s + 1", plus(Floor(Quot(plus(H, Neg(k)), s)), 1)),
    ("2^3^2", Pow(n(2), Pow(n(3), n(2)))),
    ("k**2", Pow(k, n(2))),
    ("k^{2}", Pow(k, n(2))),
    ("k²", Pow(k, n(2))),
    ("k¹²", Pow(k, n(12))),
    ("(a+b)³", Pow(plus(a, b), n(3))),
    ("-2^2", Neg(Pow(n(2), n(2)))),
    ("2^-3^2", Pow(n(2), Neg(Pow(n(3), n(2))))),
    ("2^-b*c", prod(Pow(n(2), Neg(b)), c)),
    ("2^k²", Pow(n(2), Pow(k, n(2)))),
]
FUNCTIONS = [
    ("floor(a/b)", Floor(Quot(a, b))),
    ("ceil(a)*b", prod(Ceil(a), b)),
    ("math.floor(a)", Floor(a)),
    ("⌊a/b⌋ + 1", plus(Floor(Quot(a, b)), 1)),
    ("⌈a⌉", Ceil(a)),
    (r"\lfloor a \rfloor", Floor(a)),
    (r"\left\lceil \frac{a}{b} \right\rceil", Ceil(Quot(a, b))),
    (r"\operatorname{floor}(a)", Floor(a)),
    ("min(a, b)", Min((a, b))),
    ("max(a+1,b,c)", Max((plus(a, 1), b, c))),
    ("min(3,128)", Min((n(3), n(128)))),
    ("min((1,152), 3) + 1,152", plus(Min((n(1152), n(3))), 1152)),
    ("min(max(3,128), 1{,}152)", Min((Max((n(3), n(128))), n(1152)))),
    (r"\max\left(a, b\right)", Max((a, b))),
    (r"\frac{a+b}{c}", Quot(plus(a, b), c)),
    (r"\frac{1}{2}C", prod(Quot(n(1), n(2)), C)),
    (r"\left( a \right)\left[b\right]", prod(a, b)),
    (r"$k^2 \, C_{\text{in}}$", prod(Pow(k, n(2)), C_in)),
]
SIDE_BY_SIDE = [
    ("2C", prod(2, C)),
    ("3 C", prod(3, C)),
    ("k^2 C_in", prod(Pow(k, n(2)), C_in)),
    ("k^2d", prod(Pow(k, n(2)), d)),
    ("C_{in}C_{out}", prod(C_in, C_out)),
    ("(a+1)(b+1)", prod(plus(a, 1), plus(b, 1))),
    ("C_out(k² C_in + b)", prod(C_out, plus(prod(Pow(k, n(2)), C_in), b))),
    ("4(d(d+1))", prod(4, prod(d, plus(d, 1)))),
    ("1/2 d(d+1)", prod(Quot(n(1), n(2)), d, plus(d, 1))),
    ("k^2 C_in/g C_out", prod(Quot(prod(Pow(k, n(2)), C_in), g), C_out)),
    ("3x3", prod(3, 3)),
    ("3x3X128", prod(3, 3, 128)),
    ("3 x 3 x C_in", prod(3, 3, C_in)),
    ("k x k x (a+1)", prod(k, k, plus(a, 1))),
    ("3*x + 2", plus(prod(3, S("x")), 2)),
    ("2 x", prod(2, S("x"))),
    ("2 x + 1", plus(prod(2, S("x")), 1)),
    ("\u200b2\u2062C\ufeff", prod(2, C)),
]


@pytest.mark.parametrize(
    ("text", "expected"), NUMBERS + NAMES + OPERATORS + FUNCTIONS + SIDE_BY_SIDE
)
def test_is_read_as_the_writer_put_it(text: str, expected: Term) -> None:
    assert read(text) == expected


KNOWN = frozenset(["C_in", "C_out", "k", "k_h", "L", "d", "d_ff", "V", "T", "b", "g"])
ALIASES = {"in_channels": "C_in", "D": "d", "F": "C_out"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12Ld^2", prod(12, L, Pow(d, n(2)))),
        ("Vd + Td", plus(prod(S("V"), d), prod(T, d))),
        ("Ld_ff", prod(L, S("d_ff"))),
        ("kk_h", prod(k, k_h)),
        ("kkC_in", prod(k, k, C_in)),
        ("kC_{in}", prod(k, C_in)),
        ("C_inC_out", prod(C_in, C_out)),
        ("kxk", prod(k, k)),
        ("3x3xC_inxF", prod(3, 3, C_in, C_out)),
        ("k x k x C_in", prod(k, k, C_in)),
        ("in_channels*D", prod(C_in, d)),
        ("LD", prod(L, d)),
    ],
)
def test_known_letters_are_told_apart(text: str, expected: Term) -> None:
    assert read(text, KNOWN, ALIASES) == expected


@pytest.mark.parametrize(
    ("text", "column", "name", "suggestion"),
    [
        ("2*C_ni", 2, "C_ni", "C_in"),
        ("c_in", 0, "c_in", "C_in"),
        ("Cout + 1", 0, "Cout", "C_out"),
        ("in_chanels", 0, "in_chanels", "in_channels"),
        ("2 + q", 4, "q", None),
        ("3 + x", 4, "x", None),
        ("cieling(k)", 0, "cieling", "ceiling"),
        ("C_{ni}", 0, "C_ni", "C_in"),
        ("xk", 0, "xk", None),
    ],
)
def test_unknown_letters_are_named(
    text: str, column: int, name: str, suggestion: str | None
) -> None:
    with pytest.raises(UnknownName) as caught:
        read(text, KNOWN, ALIASES)
    error = caught.value
    assert (error.column, error.facts["name"]) == (column, name)
    if suggestion is not None or len(name) == 1:
        assert error.facts["suggestion"] == suggestion
    assert name in str(error)


def test_a_known_letter_may_have_any_name() -> None:
    assert read("min*x", frozenset(["min", "x"])) == prod(S("min"), S("x"))
    assert read("log(2)", frozenset(["log"])) == prod(S("log"), 2)
    assert read("2 x k", frozenset(["x", "k"])) == prod(2, S("x"), k)
    assert read("F*K", None, {"F": "C_out"}) == prod(C_out, S("K"))


REFUSED = [
    ("", "nothing_to_read", 0),
    ("  \n", "nothing_to_read", 3),
    ("(3*3*3+1*8", "never_closed", 0),
    ("2*[3+(4)", "never_closed", 2),
    ("(", "never_closed", 0),
    ("3*3*", "ends_after", 3),
    ("2**", "ends_after", 1),
    ("(3+", "ends_after", 2),
    ("3 + * 4", "operand_expected", 4),
    ("3 + + 4", "operand_expected", 4),
    ("(3*)", "operand_expected", 3),
    ("*3", "starts_with", 0),
    (")", "never_opened", 0),
    ("a+b)", "never_opened", 3),
    ("(a]", "wrong_closer", 2),
    ("()", "nothing_inside", 0),
    ("min()", "nothing_inside", 3),
    ("1.5", "decimal", 0),
    ("2*.5", "decimal", 2),
    ("3.", "decimal", 0),
    ("62.378.344", "decimal_grouped", 0),
    ("1e6", "scientific", 0),
    ("5,12", "comma", 1),
    ("(3,3)", "comma", 2),
    ("floor(a,b)", "comma", 7),
    ("3 4", "two_numbers", 2),
    ("k² 3", "two_numbers", 3),
    ("a/2C", "two_ways", 3),
    ("8/2(2+2)", "two_ways", 3),
    ("a = b", "equals_sign", 2),
    ("a == b", "equals_sign", 2),
    ("a <= b", "comparison", 2),
    ("a != b", "comparison", 2),
    ("5!", "factorial", 1),
    ("factorial(10**7)", "no_function", 0),
    ("sqrt(k)", "no_function", 0),
    ("min(a)", "needs_two", 0),
    ("floor a", "needs_bracket", 0),
    (r"\frac12", "frac_braces", 0),
    (r"\input{x}", "tex_command", 0),
    (r"\sum_{l=1}^L d", "tex_command", 0),
    ("2\\", "tex_command", 1),
    ("Σ d", "big_sum", 0),
    ("__import__('os').getpid()", "underscore", 0),
    ("().__class__.__base__.__subclasses__()", "stray_dot", 2),
    ("(lambda: 0)()", "stray_character", 7),
    ("k['a']", "quotation", 2),
    ("d_{l-1}", "underscore", 1),
    ("a__b", "underscore", 1),
    ("<script>alert(1)</script>", "markup", 0),
    ("<b>3</b>", "markup", 0),
    ("3&amp;4", "stray_character", 1),
    ("10%", "percent", 2),
    ("k.C", "stray_dot", 1),
    ("1 + ... + n", "dots", 4),
    ("1 + … + n", "dots", 4),
    ("5$", "stray_character", 1),
    ("С_in", "look_alike", 0),
    (r"C_{\text{іn}}", "look_alike", 9),
    ("2·ο", "look_alike", 2),
    ("𝑘+1", "look_alike", 0),
    ("５", "look_alike_digit", 0),
    ("é", "other_alphabet", 0),
    ("３٣", "look_alike_digit", 0),
    ("3\u202e4", "stray_character", 1),
    ("\ud800", "stray_character", 0),
    ("3\x004", "stray_character", 1),
]


@pytest.mark.parametrize(("text", "identity", "column"), REFUSED)
def test_a_refusal_says_what_and_where(text: str, identity: str, column: int) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(text)
    error = caught.value
    assert (error.id, error.column) == (identity, column)
    sentence, *place = str(error).split("\n")
    if text.strip():  # a blank text has no place to point at
        shown, caret = place
        assert shown.isprintable()
        assert caret.index("^") == 4 + column
    assert not sentence.endswith((".", "!"))


def test_a_sentence_names_the_thing() -> None:
    with pytest.raises(UnreadableError, match="this С is a Cyrillic letter, not the Latin C"):
        read("С_in")
    with pytest.raises(UnreadableError, match=r"ends after \*,"):
        read("3*3*")
    with pytest.raises(UnreadableError, match=r"this bracket is never closed\n    .3\n    \^"):
        read("(3")


def test_every_refusal_has_its_sentence() -> None:
    rooms = File(expressions.__file__).parent.glob("*.py")
    code = "".join(room.read_text(encoding="utf-8") for room in rooms)
    used = set(re.findall(r'(?:efuse|UnknownName)\(\s*"(\w+)"', code))
    used |= set(re.findall(r'identity = "(\w+)"', code)) | set(scanner.STRAY.values())
    assert len(used) > 30
    for identity in used:
        assert words.source(f"errors.{identity}"), identity


BOMBS = {
    "long": "1+" * 10_001,
    "huge": "(" * 1_000_000,
    "brackets": "(" * 101 + "1" + ")" * 101,
    "open brackets": "(" * 5_000,
    "minus signs": "-" * 101 + "1",
    "many minus signs": "-" * 19_000 + "1",
    "tower": "^".join(["9"] * 102),
    "high tower": "**".join(["9"] * 1_900),
    "superscripts": "k" + "² " * 250,
    "quotients": "/".join(["a"] * 1_500),
    "floor quotients": "//".join(["a"] * 150),
    "mixed nesting": "-2^(1+2*(" * 60 + "1" + "))" * 60,
    "digits": "9" * 201,
    "grouped digits": "9" + ",999" * 67,
    "very many digits": "9" * 19_000,
    "superscript digits": "k" + "²" * 201,
    "tokens": "1+" * 2_001 + "1",
    "name": "a" * 65,
    "long name": "a" * 19_999,
    "subscripts": "a" + "_a" * 9_000,
    "braces": "C_{" * 6_000,
    "spaced braces": "C_{" + " " * 19_000,
    "many spaced braces": ("C_{" + " " * 60) * 300,
    "dollars": "$" * 19_000,
    "dots": "1" + "." * 19_000,
    "commas": "min(" + "1,152," * 3_000,
    "styled": r"\text{" * 3_000,
    "tags": "<a" * 9_000,
    "factorial": "(10**7)!",
    "frac": r"\frac{" * 3_000,
}


@pytest.mark.parametrize("names", [None, KNOWN])
@pytest.mark.parametrize("bomb", BOMBS)
def test_hostile_text_is_refused_at_once(bomb: str, names: frozenset[str] | None) -> None:
    started = time.process_time()
    with pytest.raises((UnreadableError, UnknownName)) as caught:
        read(BOMBS[bomb], names)
    str(caught.value)
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "2**(2**40)",
        "((9**9)**9999)**9999",
        "(x+y+z+1)**200",
        "(x+1)**(10**9)",
        "(" * 100 + "1" + ")" * 100,
        "1+2*(" * 99 + "1" + ")" * 99,
        "-" * 100 + "1",
        "^".join(["9"] * 101),
        "+".join(["1"] * 2_000),
        "C_in x " * 1_000 + "1",
        "a x " * 1_990 + "b",
        "min(" + "1,152," * 900 + "3)",
        "a_b" + " " * 19_000,
    ],
)
def test_large_text_within_the_limits_is_read_at_once(text: str) -> None:
    # The least of three: a collection of the whole suite's garbage is not the reader's time.
    assert min(_seconds(text) for _ in range(3)) < 0.05
    tree = read(text)
    # What is read can be walked by the rooms that recurse.
    assert hash(tree) == hash(read(text))
    letters(tree)
    assert len(list(walk(tree))) < 5_000
    substitute(tree, {"x": n(2)})
    repr(tree)


def _seconds(text: str) -> float:
    started = time.process_time()
    read(text)
    return time.process_time() - started


def test_what_is_read_is_not_too_high_for_the_judge() -> None:
    tree = read("1+2*(" * 99 + "1" + ")" * 99)
    assert algebra.value(tree) == 3 * 2**99 - 2 - 2**99 + 1
    assert algebra.same(tree, tree)


def test_a_nearly_full_stack_is_a_refusal_too() -> None:
    def deep(levels: int) -> Term:
        return deep(levels - 1) if levels else read("1+2*(" * 99 + "1" + ")" * 99)

    with pytest.raises(UnreadableError) as caught:
        deep(550)
    assert caught.value.id == "too_deep"


def test_running_letters_apart_takes_no_time() -> None:
    names = frozenset("a" * i for i in range(1, 40))
    started = time.process_time()
    with pytest.raises(UnknownName):
        read(" ".join("a" * (20 + i % 40) + "b" for i in range(350)), names)
    assert time.process_time() - started < 0.05


# --- written at random, read back ---------------------------------------------------------

_ATOMS = st.one_of(
    st.integers(0, 9_999_999).map(Num),
    st.sampled_from(["C_in", "C_out", "k_h", "k", "d", "N", "S", "E", "gamma", "in_channels"]).map(
        S
    ),
)


def _nodes(parts: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    several = st.lists(parts, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        several.map(Sum),
        several.map(Prod),
        several.map(Min),
        several.map(Max),
        parts.map(Neg),
        parts.map(Floor),
        parts.map(Ceil),
        st.builds(Quot, parts, parts),
        st.builds(Pow, parts, parts),
    )


TERMS = st.recursive(_ATOMS, _nodes, max_leaves=20)


class _Writer:
    """Writes ink as one of the ways somebody might type it."""

    def __init__(self, seed: int) -> None:
        self.any = random.Random(seed)

    def tight(self, node: Term, *bare: type) -> str:
        text = self.text(node)
        if isinstance(node, (Num, Sym, *bare)) and self.any.random() < 0.9:
            return text
        opening, closing = self.any.choice(["()", "[]", "{}", (r"\left(", r"\right)")])
        return f"{opening}{text}{closing}"

    def text(self, node: Term) -> str:
        match node:
            case Num(v):
                return self.any.choice([str(v), f"{v:,}".replace(",", "{,}")])
            case Sum(ts):
                return self.sum(ts)
            case Prod(fs):
                return self.product(fs)
            case Neg(t):
                return self.any.choice("-−") + self.tight(t, Prod, Quot, Pow, Floor)
            case Quot(p, q):
                if self.any.random() < 0.3:
                    return rf"\frac{{{self.text(p)}}}{{{self.text(q)}}}"
                return f"{self.tight(p, Pow, Floor)}{self.any.choice('/÷')}{self.tight(q, Pow)}"
            case Pow(p, q):
                if isinstance(q, Num) and self.any.random() < 0.5:
                    up = str(q.value).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
                    return self.tight(p) + up
                return self.tight(p) + self.any.choice(["^", "**"]) + self.tight(q, Pow)
        return self.function(node)

    def sum(self, terms: tuple[Term, ...]) -> str:
        text = self.tight(terms[0], Prod, Neg, Quot, Pow)
        for t in terms[1:]:
            if isinstance(t, Neg) and self.any.random() < 0.8:
                text += " - " + self.tight(t.term, Prod, Quot, Pow)
            else:
                text += self.any.choice(["+", " + "]) + self.tight(t, Prod, Quot, Pow, Neg)
        return text

    def product(self, factors: tuple[Term, ...]) -> str:
        text = self.tight(factors[0], Pow, Min)
        for f in factors[1:]:
            piece = self.tight(f, Pow, Ceil)
            signs = ["*", " · ", "×", r"\cdot "]
            if piece[0] == "(":
                signs += ["", " "]
            text += self.any.choice(signs) + piece
        return text

    def function(self, node: Term) -> str:
        inner = ", ".join(self.text(part) for part in children(node))
        match node:
            case Floor():
                forms = [f"floor({inner})", f"⌊{inner}⌋", rf"\lfloor {inner}\rfloor"]
            case Ceil():
                forms = [f"ceil({inner})", f"⌈{inner}⌉", rf"\lceil {inner}\rceil"]
            case Min():
                forms = [f"min({inner})", rf"\min\left({inner}\right)"]
            case Max():
                forms = [f"max({inner})", rf"\max\{{{inner}\}}"]
            case _:
                plain = node.name  # type: ignore[attr-defined]  # only a letter is left
                base, _, sub = plain.partition("_")
                forms = [plain]
                if sub and "_" not in sub:
                    forms += [rf"{base}_{{{sub}}}", rf"{base}_{{\text{{{sub}}}}}"]
        return self.any.choice(forms)


@settings(max_examples=400, deadline=None)
@given(TERMS, st.integers(0, 2**32))
def test_what_is_written_is_read_back(tree: Term, seed: int) -> None:
    text = _Writer(seed).text(tree)
    assert read(text) == tree, text
    assert read(text, frozenset(letters(tree))) == tree, text


@settings(max_examples=200, deadline=None)
@given(TERMS, st.integers(0, 2**32))
def test_a_span_alone_reads_as_its_sub_term(tree: Term, seed: int) -> None:
    text = _Writer(seed).text(tree)
    whole, spans = read_with_spans(text)
    assert set(spans) == {path for path, _ in walk(whole)}
    for path, (start, end) in spans.items():
        if text[start] not in "⁰¹²³⁴⁵⁶⁷⁸⁹":
            assert read(text[start:end]) == at(whole, path)


def _refusal(text: str, names: frozenset[str] | None = None) -> Error | None:
    try:
        read(text, names)
    except (UnreadableError, UnknownName) as error:
        return error
    return None


@settings(max_examples=600, deadline=None)
@given(st.text(alphabet="()[]{}+-*/^,.=!_ x12kC\\fracmin⌊⌋²·С<&'$", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    error = _refusal(text)
    if error is not None:
        assert error.column is not None
        assert 0 <= error.column <= len(text)
        assert "^" in str(error) or not text.strip()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_any_unicode_is_read_or_refused(text: str) -> None:
    error = _refusal(text, KNOWN)
    assert error is None or "^" in str(error) or not text.strip()


def test_spans_of_a_written_answer() -> None:
    text = "(k*k*C_in + 1)*C_out"
    _, spans = read_with_spans(text)
    shown = {path: text[start:end] for path, (start, end) in spans.items()}
    assert shown == {
        (): text,
        (0,): "(k*k*C_in + 1)",
        (0, 0): "k*k*C_in",
        (0, 0, 0): "k",
        (0, 0, 1): "k",
        (0, 0, 2): "C_in",
        (0, 1): "1",
        (1,): "C_out",
    }


def test_spans_of_letters_written_together() -> None:
    _, spans = read_with_spans("12Ld² - 3x3", KNOWN)
    assert spans[(0, 1)] == (2, 3)
    assert spans[(0, 2)] == (3, 5)
    assert spans[(0, 2, 1)] == (4, 5)
    assert spans[(1,)] == (6, 11)
    assert spans[(1, 0, 1)] == (10, 11)
    _, spans = read_with_spans("min(3,128)")
    assert spans == {(): (0, 10), (0,): (4, 5), (1,): (6, 9)}
