"""Algebra as people type it, read into ink: every factor, bracket and order is kept.

One regular expression cuts the text into tokens, a Pratt parser puts them together.  Nothing
is evaluated; every limit is checked before anything is built from what it limits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import NoReturn

from ..errors import UnknownName, UnreadableError
from ..terms import (
    Ceil,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Path,
    Pow,
    Prod,
    Quot,
    Sum,
    Sym,
    Term,
    children,
)

MAX_TEXT = 20_000  # characters
MAX_TOKENS = 4_000
MAX_DIGITS = 200  # of one number
MAX_NAME = 64  # characters
MAX_DEPTH = 100  # brackets, exponents and minus signs inside one another
MAX_HEIGHT = 200  # of the tree: other rooms walk it recursively

Span = tuple[int, int]


def read(
    text: str, names: frozenset[str] | None = None, aliases: Mapping[str, str] | None = None
) -> Term:
    """The expression somebody typed.

    ``aliases`` maps what may be typed to a letter's plain name.  With ``names``, letters
    written together are told apart (``12Ld`` is 12 L d) and other names are refused.

    >>> read("2C_in + 1")
    Sum(terms=(Prod(factors=(Num(value=2), Sym(name='C_in'))), Num(value=1)))
    >>> read("Ld", frozenset({"L", "d"}))
    Prod(factors=(Sym(name='L'), Sym(name='d')))
    """
    return _parsed(text, names, aliases)[0]


def read_with_spans(
    text: str, names: frozenset[str] | None = None, aliases: Mapping[str, str] | None = None
) -> tuple[Term, dict[Path, Span]]:
    """The expression, and where in the text each sub-term stands, its brackets included.

    >>> read_with_spans("2*(k + 1)")[1][(1,)]
    (2, 9)
    """
    whole, spans = _parsed(text, names, aliases)
    places: dict[Path, Span] = {}
    waiting: list[tuple[Path, Term]] = [((), whole)]
    while waiting:
        path, node = waiting.pop()
        places[path] = spans[id(node)]
        waiting.extend(((*path, i), part) for i, part in enumerate(children(node)))
    return whole, places


def _parsed(
    text: str, names: frozenset[str] | None, aliases: Mapping[str, str] | None
) -> tuple[Term, dict[int, Span]]:
    if len(text) > MAX_TEXT:
        _refuse("text_too_long", text[:MAX_TEXT], MAX_TEXT - 1, limit=MAX_TEXT)
    scanner = _Scanner(text, names, aliases or {})
    scanner.scan()
    parser = _Parser(scanner)
    try:
        return parser.whole(), parser.spans
    except RecursionError:  # only when the caller's own stack was nearly full
        _refuse("too_deep", text, parser.starts[parser.at], limit=MAX_DEPTH)


def _refuse(identity: str, text: str, column: int, **facts: object) -> NoReturn:
    raise UnreadableError(identity, text=text, column=column, **facts)


# --- the alphabet -------------------------------------------------------------------------

_SIGNS = {
    "**": "^", "·": "*", "×": "*", "⋅": "*", "∙": "*", "∗": "*", "✕": "*",
    "÷": "/", "∕": "/", "⁄": "/", "−": "-", "–": "-", "⟨": "(", "⟩": ")",
    **{sign: sign for sign in ("*", "/", "//", "+", "-", "^", ",", *"()[]{}⌊⌋⌈⌉")},
}  # fmt: skip
_SIZES_AND_SPACES = (
    "left right big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr Biggl Biggr quad qquad "
    "displaystyle textstyle limits ( ) [ ] , ; : !"
)
_COMMANDS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "frac": "frac", "dfrac": "frac",
    "tfrac": "frac", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
    "lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]", "{": "{", "}": "}",
    "min": "call", "max": "call",
    **dict.fromkeys((" ", *_SIZES_AND_SPACES.split()), "space"),
}  # fmt: skip
_CLOSER = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉"}
_CALLS: dict[str, type[Floor | Ceil | Min | Max]] = {
    "floor": Floor, "ceil": Ceil, "ceiling": Ceil, "math.floor": Floor, "math.ceil": Ceil,
    "min": Min, "max": Max,
}  # fmt: skip
# Followed by a bracket these are meant as functions, and a product would be a wrong reading.
_FUNCTION_WORDS = (
    "abs binom binomial bool compile cos eval exec exp factorial float gcd getattr int lcm len "
    "ln log log10 log2 mod open pow print prod product range round sin sqrt str sum tan"
)
_NO_FUNCTION = frozenset(_FUNCTION_WORDS.split())
_OPENS = re.compile(r"\s*[(\[]")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_GREEK_LETTER = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon",
    "ζ": "zeta", "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu",
    "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_GREEK = (*dict.fromkeys(_GREEK_LETTER.values()), "nu", "chi")
_LOOK_ALIKE = dict(
    zip(
        "АВЕЅІЈКМНОРСТУХаеорсухіјѕһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονιυχ",
        "ABESIJKMHOPCTYXaeopcyxijshdqwABEZHIKMNOPTYXovlux",
        strict=True,
    )
)
_SCRIPTS = frozenset(("Cyrillic", "Greek", "mathematical", "fullwidth", "superscript", "subscript"))
_FOREIGN = re.compile(f"[{''.join(_LOOK_ALIKE)}]")

_WORD = r"[A-Za-z0-9]+"
_STYLE = r"\\(?:text|textrm|textit|mathrm|mathit|mathsf|operatorname|rm)"
_SUB = rf"(?:{_WORD}|{_STYLE}\s*\{{\s*{_WORD}\s*\}})"
_TOKEN = re.compile(
    rf"""
      (?P<cross>(?<=[0-9])\s*[xX]\s*(?=[0-9]) | (?<=\s)x(?=\s))
    | (?P<space>[\s\u200b\u2060-\u2064\ufeff]+)
    | (?P<name>[A-Za-z][A-Za-z0-9]*+(?:[_.][A-Za-z0-9]++)*+(?!_))
    | (?P<sign>\*\*|//|[-+*/^(){{}}\[\],·×⋅∙∗✕÷∕⁄−–⌊⌋⌈⌉⟨⟩])
    | (?P<number>[0-9]{{1,3}}(?:(?:,|\{{,\}}|\\,|_)[0-9]{{3}})+(?![0-9]) | [0-9]+)
    | (?P<super>[⁰¹²³⁴-⁹]+)
    | (?P<styled>(?:[A-Za-z][A-Za-z0-9]*+ | [{"".join(_GREEK_LETTER)}]
          | \\(?:{"|".join(_GREEK)})(?![A-Za-z])
          | {_STYLE}\s*\{{\s*[A-Za-z][A-Za-z0-9]*+(?:\\?_[A-Za-z0-9]++)*\s*\}})
        (?:_(?:{_SUB}|\{{\s*{_SUB}(?:\s*,\s*{_SUB})*\s*\}}))*)
    | (?P<command>\\(?:[A-Za-z]+|.))
    | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_STYLED_WORD = re.compile(
    rf"{_STYLE}|\\?({'|'.join(_GREEK)})(?![A-Za-z])|([A-Za-z0-9]+)|([^\x00-\x7f])"
)
_DECIMAL = re.compile(r"[0-9]*(?:,[0-9]{3})*(?:\.[0-9]*)+")
_SCIENTIFIC = re.compile(r"[0-9]+[eE][+-]?[0-9]+(?![A-Za-z_])")
_MARKUP = re.compile(r"</?[A-Za-z!][^<>]{0,200}>")
# Characters that have a sentence of their own.
_STRAY = {
    "=": "equals_sign", "!": "factorial", "<": "comparison", ">": "comparison",
    "≤": "comparison", "≥": "comparison", "≠": "comparison", "≈": "comparison",
    "_": "underscore", "%": "percent", "…": "dots", "'": "quotation", '"': "quotation",
    "\\": "tex_command", "∑": "big_sum", "∏": "big_sum", "Σ": "big_sum", "Π": "big_sum",
}  # fmt: skip


# --- tokens -------------------------------------------------------------------------------


class _Scanner:
    """The text cut into tokens: parallel lists of kind, text, start and end."""

    def __init__(self, text: str, names: frozenset[str] | None, aliases: Mapping[str, str]) -> None:
        self.text = text
        self.names = names
        self.aliases = aliases
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.crosses: list[int] = []
        self.split: dict[str, list[str] | None] = {}

    def scan(self) -> None:
        """Fill the lists; refuse what no expression can hold."""
        if not self.text.isascii() and (found := _FOREIGN.search(self.text)):
            self.stray(found[0], found.start())
        for match in _TOKEN.finditer(self.text):
            group = match.lastgroup
            if group == "space":
                continue
            word, start = match[0], match.start()
            if group == "name":
                self.name(word, start, match.end())
            elif group == "sign":
                self.add(_SIGNS[word], word, start, match.end())
            elif group == "number":
                self.number(word, start, match.end())
            else:
                self.other(group, word, start, match.end())
        for position in self.crosses:
            self.cross(position)
        self.add("end", "", len(self.text), len(self.text))

    def add(self, kind: str, word: str, start: int, end: int) -> None:
        if len(self.kinds) >= MAX_TOKENS and kind != "end":
            _refuse("too_many_tokens", self.text, start, limit=MAX_TOKENS)
        self.kinds.append(kind)
        self.texts.append(word)
        self.starts.append(start)
        self.ends.append(end)

    def number(self, word: str, start: int, end: int) -> None:
        if len(word) > MAX_DIGITS and sum(map(str.isdigit, word)) > MAX_DIGITS:
            _refuse("too_many_digits", self.text, start, limit=MAX_DIGITS)
        after = self.text[end : end + 1]
        if after == ".":
            self.decimal(start)
        if after in ("e", "E") and (found := _SCIENTIFIC.match(self.text, start)):
            rest = self.text[end : found.end()]
            if self.names is None or rest not in self.names:
                _refuse("scientific", self.text, start, shown=_short(found[0]))
        self.add("number", word, start, end)

    def decimal(self, start: int) -> NoReturn:
        found = _DECIMAL.match(self.text, start)
        shown = found[0] if found else "."
        groups = shown.split(".")
        grouped = len(groups[0]) in (1, 2, 3) and all(len(group) == 3 for group in groups[1:])
        identity = "decimal_grouped" if grouped else "decimal"
        whole = _short("".join(groups))
        _refuse(identity, self.text, start, shown=_short(shown), whole=whole)

    def other(self, group: str | None, word: str, start: int, end: int) -> None:
        if group == "super":
            self.add("super", word, start, end)
            if len(word) > MAX_DIGITS:
                _refuse("too_many_digits", self.text, start, limit=MAX_DIGITS)
        elif group == "styled":
            self.name(word, start, end, _unstyled(word))
        elif group == "cross":
            if self.text[start - 1].isspace():
                self.crosses.append(len(self.kinds))
            start += len(word) - len(word.lstrip())
            self.add("*", word.strip(), start, start + 1)
        elif group == "command":
            kind = _COMMANDS.get(word[1:])
            if kind is None:
                _refuse("tex_command", self.text, start, shown=_short(_shown(word)))
            if kind != "space":
                self.add(kind, word[1:] if kind == "call" else word, start, end)
        elif not (word == "$" and self.dollar(start)):
            self.stray(word, start)

    def dollar(self, start: int) -> bool:
        """Whether this $ is one of those around the whole text."""
        if self.text.count("$") not in (2, 4):
            return False
        bare = self.text.strip("$ \n")
        first = self.text.find(bare)
        return not first <= start < first + len(bare)

    def stray(self, word: str, start: int) -> NoReturn:
        """Refuse a character, by what it most likely was meant to be."""
        facts = {"shown": _shown(word)}
        if word == ".":
            after = self.text[start + 1 : start + 2]
            if after.isdigit():
                self.decimal(start)
            _refuse("dots" if after == "." else "stray_dot", self.text, start, **facts)
        if self.text.startswith("!=", start):
            _refuse("comparison", self.text, start, shown="!=")
        if word == "<" and _MARKUP.match(self.text, start):
            _refuse("markup", self.text, start, **facts)
        if word in _STRAY:
            _refuse(_STRAY[word], self.text, start, **facts)
        latin = _LOOK_ALIKE.get(word) or unicodedata.normalize("NFKC", word)
        script = unicodedata.name(word, "?").split()[0].lower()
        script = script.capitalize() if script in ("cyrillic", "greek") else script
        if script in _SCRIPTS and latin.isascii() and latin.isalnum():
            facts |= {"script": script, "latin": latin}
            identity = "look_alike" if latin.isalpha() else "look_alike_digit"
            _refuse(identity, self.text, start, **facts)
        identity = "other_alphabet" if word.isalpha() else "stray_character"
        _refuse(identity, self.text, start, **facts)

    # --- names ---

    def name(self, written: str, start: int, end: int, plain: str | None = None) -> None:
        """One letter, a function, or several letters written together."""
        word = written if plain is None else plain
        if len(word) > MAX_NAME:
            _refuse("name_too_long", self.text, start, name=_short(word), limit=MAX_NAME)
        named = self.names is not None and word in self.names
        if word in self.aliases:
            self.add("name", self.aliases[word], start, end)
        elif word in _CALLS and not named:
            self.add("call", word, start, end)
        elif word in _NO_FUNCTION and not named and _OPENS.match(self.text, end):
            _refuse("no_function", self.text, start, name=word)
        elif named or (self.names is None and "." not in word):
            self.add("name", word, start, end)
        elif self.names is None:
            self.dotted(word, start, end)
        else:
            self.run(written, word, start, end)

    def dotted(self, word: str, start: int, end: int) -> None:
        """A part's letter, ``conv1.H_out``; but the dot of ``k.C`` stands for a product."""
        part, _, own = word.partition(".")
        if len(part) == 1 or not own[0].isalpha():
            _refuse("stray_dot", self.text, start + len(part), shown=".")
        self.add("name", word, start, end)

    def run(self, written: str, word: str, start: int, end: int) -> None:
        """Known letters written together."""
        pieces = self.pieces(word) or ["*"]
        head = len(word) - len(pieces[-1])  # a subscript in braces belongs to the last letter
        glued = bool(self.kinds) and self.kinds[-1] == "number" and self.ends[-1] == start
        if (pieces[0] == "*" and not (glued and pieces[1:])) or written[:head] != word[:head]:
            facts = {"name": _short(word), "suggestion": self.suggestion(word)}
            raise UnknownName("unknown_letter", text=self.text, column=start, **facts)
        for piece in pieces[:-1]:
            kind = "*" if piece == "*" else "name"
            self.add(kind, self.aliases.get(piece, piece), start, start + len(piece))
            start += len(piece)
        self.add("name", self.aliases.get(pieces[-1], pieces[-1]), start, end)

    def pieces(self, word: str) -> list[str] | None:
        """A run of letters as known names, longest first; an x between two is a times sign."""
        if word in self.split:
            return self.split[word]
        known = (self.names or frozenset()) | self.aliases.keys()
        longest = max(map(len, known), default=0)
        rest: list[list[str] | None] = [None] * len(word) + [[]]
        for i in range(len(word) - 1, -1, -1):
            for j in range(min(len(word), i + longest), i, -1):
                tail = rest[j]
                if tail is not None and word[i:j] in known:
                    rest[i] = [word[i:j], *tail]
                    break
            else:
                if word[i] == "x" and rest[i + 1]:
                    rest[i] = ["*", *(rest[i + 1] or ())]
        self.split[word] = rest[0]
        return rest[0]

    def suggestion(self, word: str) -> str | None:
        import difflib  # only a refusal needs it, and it is slow to import

        typed = {name.lower(): name for name in (*_CALLS, *self.aliases, *(self.names or ()))}
        close = difflib.get_close_matches(word.lower(), typed, n=1, cutoff=0.6)
        return typed[close[0]] if close else None

    def cross(self, position: int) -> None:
        """A lone x with spaces around it: the times sign between two sizes, else a letter."""
        is_letter = "x" in (self.names or ()) or "x" in self.aliases
        after = self.kinds[position + 1] if position + 1 < len(self.kinds) else "end"
        before = self.kinds[position - 1] if position else "end"
        if not is_letter and before in _ENDS_OPERAND and after in _OPERANDS:
            return
        self.kinds[position] = "name"
        self.texts[position] = self.aliases.get("x", "x")
        if self.names is not None and not is_letter:
            facts = {"name": "x", "suggestion": None}
            column = self.starts[position]
            raise UnknownName("unknown_letter", text=self.text, column=column, **facts)


def _unstyled(word: str) -> str:
    r"""The plain name of a LaTeX or Greek spelling: ``C_{\text{in}}`` is ``C_in``."""
    parts: list[str] = []
    for greek, latin, letter in _STYLED_WORD.findall(word):
        part = greek or latin or _GREEK_LETTER.get(letter, "")
        if part:
            parts.append(part)
    return "_".join(parts)


def _short(word: str, width: int = 40) -> str:
    return word if len(word) <= width else word[: width - 1] + "…"


def _shown(word: str) -> str:
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in word)


# --- the parser ---------------------------------------------------------------------------

_SUM, _PRODUCT, _POWER = 10, 20, 40
_OPERANDS = frozenset(("name", "number", "call", "frac", *_CLOSER))
_ENDS_OPERAND = frozenset(("name", "number", "super", *_CLOSER.values()))
# How tightly a token binds what stands before it; an operand there is a product unsaid.
_BINDING = {
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/", "//", *_OPERANDS), _PRODUCT),
    **dict.fromkeys(("^", "super"), _POWER),
    **dict.fromkeys((",", "end", *_CLOSER.values()), 0),
}


class _Parser:
    """A Pratt parser; sums and products gather all their parts before they become a node."""

    def __init__(self, scanner: _Scanner) -> None:
        self.text = scanner.text
        self.kinds = scanner.kinds
        self.texts = scanner.texts
        self.starts = scanner.starts
        self.ends = scanner.ends
        self.at = 0
        self.depth = 0
        self.in_call = False
        self.spans: dict[int, Span] = {}  # by identity: every node is made once, and lives

    def whole(self) -> Term:
        tokens = len(self.kinds)
        if tokens == 1:
            self.refuse("nothing_to_read", 0)
        node = self.expression(0)
        if self.kinds[self.at] != "end":
            self.stopped()
        # Two nodes a token is the most (// is a floor and a quotient).
        if 2 * tokens > MAX_HEIGHT:
            self.check_height(node)
        return node

    def expression(self, floor: int) -> Term:
        """What stands here, up to a token that binds no tighter than ``floor``."""
        kind = self.kinds[self.at]
        handler = _OPERAND.get(kind)
        left = handler(self) if handler is not None else self.signed(kind, floor)
        while (binding := _BINDING[self.kinds[self.at]]) > floor:
            if binding == _PRODUCT:
                left = self.product(left)
            elif binding == _SUM:
                left = self.sum(left)
            else:
                left = self.power(left)
        return left

    def made(self, node: Term, start: int, end: int) -> Term:
        self.spans[id(node)] = (start, end)
        return node

    def joined(self, node: Term, first: Term, last: Term) -> Term:
        self.spans[id(node)] = (self.spans[id(first)][0], self.spans[id(last)][1])
        return node

    # --- operands ---

    def name(self) -> Term:
        at = self.at
        word = self.texts[at]
        self.at = at + 1
        return self.made(Sym(word), self.starts[at], self.ends[at])

    def number(self) -> Term:
        at = self.at
        word = self.texts[at]
        if self.in_call and "," in word and "{" not in word and "\\" not in word:
            self.ungroup(at)
            word = self.texts[at]
        self.at = at + 1
        if not word.isdigit():
            word = "".join(filter(str.isdigit, word))
        return self.made(Num(int(word)), self.starts[at], self.ends[at])

    def ungroup(self, at: int) -> None:
        """In min(3,128) the comma separates: put the pieces in place of one number."""
        start = self.starts[at]
        fresh: list[tuple[str, str, int]] = []
        for group in self.texts[at].split(","):
            fresh += [("number", group, start), (",", ",", start + len(group))]
            start += len(group) + 1
        fresh.pop()
        here = slice(at, at + 1)
        self.kinds[here] = [kind for kind, _, _ in fresh]
        self.texts[here] = [word for _, word, _ in fresh]
        self.starts[here] = [begin for _, _, begin in fresh]
        self.ends[here] = [begin + len(word) for _, word, begin in fresh]

    def signed(self, kind: str, floor: int) -> Term:
        """A minus sign in front; it takes a whole product at the start of a summand."""
        at = self.at
        if kind == "+" and floor == 0:
            self.at = at + 1
            return self.expression(_SUM)
        if kind != "-":
            self.missing()
        self.at = at + 1
        self.deeper(at)
        inner = self.expression(max(floor, _SUM))
        self.depth -= 1
        return self.made(Neg(inner), self.starts[at], self.spans[id(inner)][1])

    def bracket(self) -> Term:
        at = self.at
        outer = self.enter(at, commas=False)
        inner = self.expression(0)
        self.leave(at, outer)
        kind = self.kinds[at]
        if kind == "⌊" or kind == "⌈":
            inner = Floor(inner) if kind == "⌊" else Ceil(inner)
        return self.made(inner, self.starts[at], self.ends[self.at - 1])

    def call(self) -> Term:
        at = self.at
        name = self.texts[at]
        if self.kinds[at + 1] not in ("(", "[", "{"):
            self.refuse("needs_bracket", at, name=name)
        make = _CALLS[name]
        commas = issubclass(make, Min | Max)
        outer = self.enter(at + 1, commas)
        parts = [self.expression(0)]
        while commas and self.kinds[self.at] == ",":
            self.at += 1
            parts.append(self.expression(0))
        self.leave(at + 1, outer)
        if commas and len(parts) < 2:
            self.refuse("needs_two", at, name=name)
        node = make(tuple(parts)) if issubclass(make, Min | Max) else make(parts[0])
        return self.made(node, self.starts[at], self.ends[self.at - 1])

    def fraction(self) -> Term:
        at = self.at
        halves: list[Term] = []
        self.at = at + 1
        for _ in range(2):
            opened = self.at
            if self.kinds[opened] != "{":
                self.refuse("frac_braces", at, shown=self.texts[at])
            outer = self.enter(opened, commas=False)
            halves.append(self.expression(0))
            self.leave(opened, outer)
        return self.made(Quot(*halves), self.starts[at], self.ends[self.at - 1])

    def enter(self, opened: int, commas: bool) -> bool:
        """Step into a bracket; only that of min and max may hold commas."""
        self.deeper(opened)
        self.at = opened + 1
        if self.kinds[self.at] == _CLOSER[self.kinds[opened]]:
            self.refuse("nothing_inside", opened)
        outer, self.in_call = self.in_call, commas
        return outer

    def leave(self, opened: int, outer: bool) -> None:
        if self.kinds[self.at] != _CLOSER[self.kinds[opened]]:
            self.stopped(opened)
        self.at += 1
        self.in_call = outer
        self.depth -= 1

    # --- what follows an operand ---

    def sum(self, left: Term) -> Term:
        terms = [left]
        while (kind := self.kinds[self.at]) in ("+", "-"):
            at = self.at
            self.at = at + 1
            right = self.expression(_SUM)
            if kind == "-":
                right = self.made(Neg(right), self.starts[at], self.spans[id(right)][1])
            terms.append(right)
        return self.joined(Sum(tuple(terms)), left, terms[-1])

    def product(self, left: Term) -> Term:
        factors = [left]
        divided = False  # whether a denominator stands just before
        while True:
            kind = self.kinds[self.at]
            if kind == "*":
                self.at += 1
                divided = False
            elif kind == "/" or kind == "//":
                factors = [self.quotient(self.multiplied(factors), kind)]
                divided = True
                continue
            elif kind in _OPERANDS:
                self.side_by_side(divided)
                divided = False
            else:
                return self.multiplied(factors)
            factors.append(self.expression(_PRODUCT))

    def multiplied(self, factors: list[Term]) -> Term:
        if len(factors) == 1:
            return factors[0]
        return self.joined(Prod(tuple(factors)), factors[0], factors[-1])

    def quotient(self, num: Term, kind: str) -> Term:
        self.at += 1
        den = self.expression(_PRODUCT)
        node = self.joined(Quot(num, den), num, den)
        return node if kind == "/" else self.joined(Floor(node), num, den)

    def side_by_side(self, divided: bool) -> None:
        """Refuse a product unsaid where it is none, or where it can be read in two ways."""
        at = self.at
        if self.kinds[at] == "number" and self.kinds[at - 1] in ("number", "super"):
            self.refuse("two_numbers", at, left=self.texts[at - 1], right=self.texts[at])
        if divided and self.starts[at] == self.ends[at - 1]:
            self.refuse("two_ways", at, shown=_short(self.texts[at]))

    def power(self, base: Term) -> Term:
        at = self.at
        self.at = at + 1
        if self.kinds[at] == "super":
            exponent: Term = Num(int(self.texts[at].translate(_SUPERSCRIPTS)))
            self.made(exponent, self.starts[at], self.ends[at])
        else:
            self.deeper(at)
            exponent = self.expression(_POWER - 1)
            self.depth -= 1
        return self.joined(Pow(base, exponent), base, exponent)

    # --- limits and refusals ---

    def deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse("too_deep", at, limit=MAX_DEPTH)

    def check_height(self, whole: Term) -> None:
        waiting = [(whole, 1)]
        while waiting:
            node, height = waiting.pop()
            if height > MAX_HEIGHT:
                column = self.spans[id(node)][0]
                _refuse("too_deep", self.text, column, limit=MAX_HEIGHT)
            waiting.extend((part, height + 1) for part in children(node))

    def refuse(self, identity: str, at: int, **facts: object) -> NoReturn:
        _refuse(identity, self.text, self.starts[at], **facts)

    def missing(self) -> NoReturn:
        """Refuse a place where an operand should stand."""
        at = self.at
        kind, shown = self.kinds[at], self.texts[at]
        if kind in _CLOSER.values() and (at == 0 or self.depth == 0):
            self.refuse("never_opened", at, shown=shown)
        if at == 0:
            self.refuse("starts_with", at, shown=shown)
        before = self.texts[at - 1]
        if kind == "end":
            if self.kinds[at - 1] in _CLOSER:
                self.refuse("never_closed", at - 1)
            self.refuse("ends_after", at - 1, shown=before)
        self.refuse("operand_expected", at, before=before, shown=shown)

    def stopped(self, opened: int | None = None) -> NoReturn:
        """Refuse the token at which an expression ended too early."""
        kind, shown = self.kinds[self.at], self.texts[self.at]
        if kind == ",":
            self.refuse("comma", self.at)
        if opened is None:
            self.refuse("never_opened", self.at, shown=shown)
        if kind == "end":
            self.refuse("never_closed", opened)
        self.refuse("wrong_closer", self.at, opened=self.texts[opened], shown=shown)


_OPERAND: dict[str, Callable[[_Parser], Term]] = {
    "name": _Parser.name,
    "number": _Parser.number,
    "call": _Parser.call,
    "frac": _Parser.fraction,
    **dict.fromkeys(_CLOSER, _Parser.bracket),
}
