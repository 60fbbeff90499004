"""Typed algebra cut into tokens: the alphabet, its limits, and what no expression can hold."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import NoReturn

from ...errors import UnknownName
from ...terms import Ceil, Floor, Max, Min
from ..refusals import refuse, short

MAX_TEXT = 20_000  # characters
MAX_TOKENS = 4_000
MAX_DIGITS = 200  # of one number
MAX_NAME = 64  # characters

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
CLOSER = {"(": ")", "[": "]", "{": "}", "⌊": "⌋", "⌈": "⌉"}
CALLS: dict[str, type[Floor | Ceil | Min | Max]] = {
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
_DECIMAL = re.compile(r"[0-9]*(?:,[0-9]{3})*(?:\.[0-9]*)+")
_SCIENTIFIC = re.compile(r"[0-9]+[eE][+-]?[0-9]+(?![A-Za-z_])")
_MARKUP = re.compile(r"</?[A-Za-z!][^<>]{0,200}>")
# Characters that have a sentence of their own.
STRAY = {
    "=": "equals_sign", "!": "factorial", "<": "comparison", ">": "comparison",
    "≤": "comparison", "≥": "comparison", "≠": "comparison", "≈": "comparison",
    "_": "underscore", "%": "percent", "…": "dots", "'": "quotation", '"': "quotation",
    "\\": "tex_command", "∑": "big_sum", "∏": "big_sum", "Σ": "big_sum", "Π": "big_sum",
}  # fmt: skip
OPERANDS = frozenset(("name", "number", "call", "frac", *CLOSER))
ENDS_OPERAND = frozenset(("name", "number", "super", *CLOSER.values()))


# --- tokens -------------------------------------------------------------------------------


class Scanner:
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
        if len(self.text) > MAX_TEXT:
            refuse("text_too_long", self.text[:MAX_TEXT], MAX_TEXT - 1, limit=MAX_TEXT)
        if not self.text.isascii():
            for start, character in enumerate(self.text):
                if character in _LOOK_ALIKE:
                    self.stray(character, start)
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
        """One more token."""
        if len(self.kinds) >= MAX_TOKENS and kind != "end":
            refuse("too_many_tokens", self.text, start, limit=MAX_TOKENS)
        self.kinds.append(kind)
        self.texts.append(word)
        self.starts.append(start)
        self.ends.append(end)

    def number(self, word: str, start: int, end: int) -> None:
        """A whole number; refuse the others."""
        if len(word) > MAX_DIGITS and sum(map(str.isdigit, word)) > MAX_DIGITS:
            refuse("too_many_digits", self.text, start, limit=MAX_DIGITS)
        after = self.text[end : end + 1]
        if after == ".":
            self.decimal(start)
        if after in ("e", "E") and (found := _SCIENTIFIC.match(self.text, start)):
            rest = self.text[end : found.end()]
            if self.names is None or rest not in self.names:
                refuse("scientific", self.text, start, shown=short(found[0]))
        self.add("number", word, start, end)

    def decimal(self, start: int) -> NoReturn:
        """Refuse a decimal; 1.000 may have been meant as a thousand."""
        found = _DECIMAL.match(self.text, start)
        shown = found[0] if found else "."
        groups = shown.split(".")
        grouped = len(groups[0]) in (1, 2, 3) and all(len(group) == 3 for group in groups[1:])
        identity = "decimal_grouped" if grouped else "decimal"
        whole = short("".join(groups))
        refuse(identity, self.text, start, shown=short(shown), whole=whole)

    def other(self, group: str | None, word: str, start: int, end: int) -> None:
        """Superscripts, LaTeX and signs between two sizes."""
        if group == "super":
            self.add("super", word, start, end)
            if len(word) > MAX_DIGITS:
                refuse("too_many_digits", self.text, start, limit=MAX_DIGITS)
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
                refuse("tex_command", self.text, start, shown=short(_shown(word)))
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
            refuse("dots" if after == "." else "stray_dot", self.text, start, **facts)
        if self.text.startswith("!=", start):
            refuse("comparison", self.text, start, shown="!=")
        if word == "<" and _MARKUP.match(self.text, start):
            refuse("markup", self.text, start, **facts)
        if word in STRAY:
            refuse(STRAY[word], self.text, start, **facts)
        latin = _LOOK_ALIKE.get(word) or unicodedata.normalize("NFKC", word)
        script = unicodedata.name(word, "?").split()[0].lower()
        script = script.capitalize() if script in ("cyrillic", "greek") else script
        if script in _SCRIPTS and latin.isascii() and latin.isalnum():
            facts |= {"script": script, "latin": latin}
            identity = "look_alike" if latin.isalpha() else "look_alike_digit"
            refuse(identity, self.text, start, **facts)
        identity = "other_alphabet" if word.isalpha() else "stray_character"
        refuse(identity, self.text, start, **facts)

    # --- names ---

    def name(self, written: str, start: int, end: int, plain: str | None = None) -> None:
        """One letter, a function, or several letters written together."""
        word = written if plain is None else plain
        if len(word) > MAX_NAME:
            refuse("name_too_long", self.text, start, name=short(word), limit=MAX_NAME)
        named = self.names is not None and word in self.names
        if word in self.aliases:
            self.add("name", self.aliases[word], start, end)
        elif word in CALLS and not named:
            self.add("call", word, start, end)
        elif word in _NO_FUNCTION and not named and _OPENS.match(self.text, end):
            refuse("no_function", self.text, start, name=word)
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
            refuse("stray_dot", self.text, start + len(part), shown=".")
        self.add("name", word, start, end)

    def run(self, written: str, word: str, start: int, end: int) -> None:
        """Known letters written together."""
        pieces = self.pieces(word) or ["*"]
        head = len(word) - len(pieces[-1])  # a subscript in braces belongs to the last letter
        glued = bool(self.kinds) and self.kinds[-1] == "number" and self.ends[-1] == start
        if (pieces[0] == "*" and not (glued and pieces[1:])) or written[:head] != word[:head]:
            facts = {"name": short(word), "suggestion": self.suggestion(word)}
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
        """The known name nearest to a word."""
        import difflib  # only a refusal needs it, and it is slow to import

        typed = {name.lower(): name for name in (*CALLS, *self.aliases, *(self.names or ()))}
        close = difflib.get_close_matches(word.lower(), typed, n=1, cutoff=0.6)
        return typed[close[0]] if close else None

    def cross(self, position: int) -> None:
        """A lone x with spaces around it: the times sign between two sizes, else a letter."""
        is_letter = "x" in (self.names or ()) or "x" in self.aliases
        after = self.kinds[position + 1] if position + 1 < len(self.kinds) else "end"
        before = self.kinds[position - 1] if position else "end"
        if not is_letter and before in ENDS_OPERAND and after in OPERANDS:
            return
        self.kinds[position] = "name"
        self.texts[position] = self.aliases.get("x", "x")
        if self.names is not None and not is_letter:
            facts = {"name": "x", "suggestion": None}
            column = self.starts[position]
            raise UnknownName("unknown_letter", text=self.text, column=column, **facts)


@functools.cache  # only LaTeX and Greek need it
def _styled_word() -> re.Pattern[str]:
    greek = "|".join(_GREEK)
    return re.compile(rf"{_STYLE}|\\?({greek})(?![A-Za-z])|([A-Za-z0-9]+)|([^\x00-\x7f])")


def _unstyled(word: str) -> str:
    r"""The plain name of a LaTeX or Greek spelling: ``C_{\text{in}}`` is ``C_in``."""
    parts: list[str] = []
    for greek, latin, letter in _styled_word().findall(word):
        part = greek or latin or _GREEK_LETTER.get(letter, "")
        if part:
            parts.append(part)
    return "_".join(parts)


def _shown(word: str) -> str:
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in word)
