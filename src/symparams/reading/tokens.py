"""Typed text cut into tokens, and the sizes and literals that start at one of them.

One regular expression cuts; every expression is left to ``expressions``.  Nothing is evaluated.
"""

from __future__ import annotations

import math
import re
from typing import NoReturn

from ..errors import Error
from ..terms import Neg, Num, Sym, Term
from .refusals import refuse, short

MAX_TEXT = 20_000  # characters
MAX_TOKENS = 4_000
MAX_DIGITS = 200  # of one number
MAX_WORD = 64  # characters
MAX_NESTING = 30  # lists inside one another
MAX_BRACKETS = 100  # of any kind inside one another

# --- tokens ---------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<arrow>-{1,2}>|=>|[→⟶↦⇒])
    | (?P<axes>(?<![\w.+*/^-])[123]-[dD](?![A-Za-z0-9_]))
    | (?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])
        | [0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+(?![\w]) | [0-9]+)
    | (?P<cross>×|(?<=[0-9)\]])[xX](?=[0-9A-Za-z(]))
    | (?P<word>[A-Za-z](?:[A-Za-z0-9]|[_.](?=[A-Za-z0-9]))*)
    | (?P<string>'[^'"\\\n]*'|"[^'"\\\n]*")
    | (?P<super>[⁰¹²³⁴-⁹]+)
    | (?P<greek>[α-ωΓΔΘΛΞΦΨΩ])
    | (?P<sign>\*\*|//|[-+*/^·⋅∙∗÷−–(){}\[\],;:=@?%])
    | (?P<dot>\.(?=\s|$))
    | (?P<stray>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
OPERATORS = frozenset(("+", "-", "*", "/", "//", "**", "^", *"·⋅∙∗÷−–"))
_TIMES = frozenset("*·⋅∙∗")
# kxk, HxWxC: letters and numbers with a times sign between.
_CROSSED = re.compile(r"(?:[A-Za-z]|[0-9]+)(?:x(?:[A-Za-z]|[0-9]+))+|[A-Z](?:X[A-Z0-9]+)+")
_GREEK = "alpha|beta|gamma|delta|epsilon|theta|kappa|lambda|mu|pi|rho|sigma|tau|phi|psi|omega"
_LETTER = re.compile(rf"(?:[A-Za-z][0-9]*|{_GREEK})(?:_[A-Za-z0-9]+)*")
_FUNCTIONS = frozenset(("floor", "ceil", "min", "max"))


def is_letter(word: str) -> bool:
    """Whether a word stands for a size: one letter, with digits or subscripts.

    >>> is_letter("C_in"), is_letter("k2"), is_letter("same")
    (True, True, False)
    """
    return _LETTER.fullmatch(word) is not None


class Tokens:
    """A text cut into tokens: parallel lists of kind, text, start and end.

    Kinds are number, word, string, cross, arrow, axes, super, greek, dot, end; a sign is its
    own kind.  ``closes`` maps each opening bracket to its closing one.  Without ``grouped``
    a comma never groups digits.
    """

    def __init__(self, text: str, grouped: bool = True) -> None:
        if len(text) > MAX_TEXT:
            refuse("layer_too_long", text[:MAX_TEXT], MAX_TEXT - 1, limit=MAX_TEXT)
        self.text = text
        self.grouped = grouped
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.closes: dict[int, int] = {}
        self.opened: list[int] = []
        self._scan()
        if self.opened:
            refuse("never_closed", text, self.starts[self.opened[-1]])
        self.add("end", "", len(text))
        for position, word in enumerate(self.texts):
            if word in ("x", "X", "by") and self._between(position):
                self.kinds[position] = "cross"

    def _scan(self) -> None:
        for match in _TOKEN.finditer(self.text):
            kind, word, start = match.lastgroup or "", match[0], match.start()
            if kind == "space":
                continue
            if kind == "sign":
                self._bracket(word, start)
                self.add(word, word, start)
            elif kind == "word":
                self._word(word, start)
            elif kind == "number":
                self._number(word, start)
            elif kind == "stray":
                self._stray(word, start)
            else:
                self.add(kind, word, start)

    def add(self, kind: str, word: str, start: int) -> None:
        """One more token."""
        if len(self.kinds) >= MAX_TOKENS and kind != "end":
            refuse("layer_too_many", self.text, start, limit=MAX_TOKENS)
        self.kinds.append(kind)
        self.texts.append(word)
        self.starts.append(start)
        self.ends.append(start + len(word))

    def _bracket(self, sign: str, start: int) -> None:
        if sign in _CLOSERS:
            self.opened.append(len(self.kinds))
            if len(self.opened) > MAX_BRACKETS:
                refuse("too_deep", self.text, start, limit=MAX_BRACKETS)
        elif sign in ")]}":
            if not self.opened:
                refuse("never_opened", self.text, start, shown=sign)
            opened = self.opened.pop()
            if _CLOSERS[self.texts[opened]] != sign:
                refuse("wrong_closer", self.text, start, opened=self.texts[opened], shown=sign)
            self.closes[opened] = len(self.kinds)

    def _word(self, word: str, start: int) -> None:
        if len(word) > MAX_WORD:
            refuse("word_too_long", self.text, start, limit=MAX_WORD)
        if len(word) > 2 and _CROSSED.fullmatch(word):
            for piece in re.finditer("[xX]|[^xX]+", word):
                kind = "cross" if piece[0] in "xX" else "word" if piece[0].isalpha() else "number"
                self.add(kind, piece[0], start + piece.start())
        else:
            self.add("word", word, start)

    def _number(self, word: str, start: int) -> None:
        if len(word) > MAX_DIGITS:
            refuse("too_many_digits", self.text, start, limit=MAX_DIGITS)
        before = self.kinds[-1] if self.kinds else ""
        after = self.text[start + len(word) : start + len(word) + 2].lstrip()[:1]
        listed = bool(self.opened) or before in ("cross", "@") or after in tuple("xX×@,")
        if "," not in word or (self.grouped and not listed):
            self.add("number", word, start)
            return
        for piece in re.finditer(",|[0-9]+", word):  # a list, not a number in groups of three
            self.add("," if piece[0] == "," else "number", piece[0], start + piece.start())

    def _stray(self, word: str, start: int) -> NoReturn:
        if word == "<" or word.isalpha() or word in "'\"":
            try:
                ink(self.text[start : start + 200] if word == "<" else word)
            except Error as error:
                raise error.at(self.text, start) from None
        shown = word if word.isprintable() else f"U+{ord(word):04X}"
        refuse("layer_stray", self.text, start, shown=shown)

    def _between(self, position: int) -> bool:
        """Whether a lone x or by stands between two sizes."""
        if not 0 < position < len(self.kinds) - 1:
            return False
        kind, word = self.kinds[position - 1], self.texts[position - 1]
        ends = kind in ("number", ")", "]", "super", "greek")
        return (ends or (kind == "word" and is_letter(word))) and self.starts_operand(position + 1)

    def starts_operand(self, at: int) -> bool:
        """Whether a number, a letter or a bracket stands here."""
        kind, word = self.kinds[at], self.texts[at]
        if kind == "word":
            return is_letter(word) or (word in _FUNCTIONS and self.texts[at + 1] == "(")
        return kind in ("number", "(", "[", "greek")

    def glued(self, at: int) -> bool:
        """Whether no space stands in front of a token."""
        return at > 0 and self.ends[at - 1] == self.starts[at]

    def refuse(self, identity: str, at: int, **facts: object) -> NoReturn:
        """Refuse the text at a token."""
        refuse(identity, self.text, self.starts[at], **facts)

    # --- expressions ---

    def expression(self, at: int) -> tuple[object, int]:
        """The number, letter or expression that starts here, and the token after it."""
        end = self._expression_end(at)
        if end == at + 1 and self.kinds[at] in ("number", "word"):
            word = self.texts[at]
            return (Sym(word) if self.kinds[at] == "word" else self.number(at)), end
        start, stop = self.starts[at], self.ends[end - 1]
        try:
            return ink(self.text[start:stop]), end
        except Error as error:
            raise error.at(self.text, start + (error.column or 0)) from None

    def number(self, at: int) -> int | float:
        """The number written here."""
        word = self.texts[at]
        if word.isdigit():
            return int(word)
        if "," in word:
            return int(word.replace(",", ""))
        try:
            value = float(word)
        except ValueError:  # digits run into letters: 0A
            self.refuse("value_expected", at, shown=word)
        if not math.isfinite(value):
            self.refuse("number_too_big", at, shown=word)
        return value

    def _expression_end(self, at: int) -> int:
        if self.kinds[at] in ("-", "+", "−"):
            at += 1
        while True:
            if not self.starts_operand(at):
                self.refuse("value_expected", at, shown=self.shown(at))
            at = self._operand_end(at)
            if not self.continues(at):
                return at
            at += 1

    def continues(self, at: int) -> bool:
        """Whether a sign goes on with an expression; the minus in "3 -1" is another number's."""
        lone = self.kinds[at] in ("-", "−") and not self.glued(at) and self.glued(at + 1)
        return self.kinds[at] in OPERATORS and not lone and self.starts_operand(at + 1)

    def _operand_end(self, at: int) -> int:
        """After one operand and what is glued to it: 2C, 2(C + 1), k²."""
        while True:
            if self.kinds[at] == "word" and self.texts[at] in _FUNCTIONS:
                at += 1
            numeric = self.kinds[at] == "number"
            at = self.closes.get(at, at) + 1
            glued = self.glued(at)
            if self.kinds[at] == "super" and glued:
                return at + 1
            if not (glued and self.starts_operand(at) and (numeric or self.kinds[at] != "(")):
                return at
            if self.kinds[at] == "number":
                return at

    def shown(self, at: int) -> str:
        """A token as a refusal shows it; empty at the end."""
        return short(self.texts[at])

    # --- sizes ---

    def size(self, at: int) -> tuple[tuple[object, ...], object, int]:
        """A size such as 3, 3x3 or 2*C: its extents, the same as one value, the token after.

        Numbers joined by * have both readings: 3*3 can be a kernel, or nine.
        """
        value, end = self.expression(at)
        if self._starred(at, end):
            factors = tuple(self.number(i) for i in range(at, end, 2))
            return factors, value, end
        values = [value]
        while self.kinds[end] == "cross":
            value, end = self.expression(end + 1)
            values.append(value)
        if self.texts[end - 1] in ("x", "X") and end - at > 1 and self.glued(end - 1):
            self.refuse("value_expected", end, shown=self.shown(end))  # 3x, 28x28x
        return tuple(values), (values[0] if len(values) == 1 else tuple(values)), end

    def _starred(self, at: int, end: int) -> bool:
        return (
            end - at >= 3
            and all(self.kinds[i] == "number" for i in range(at, end, 2))
            and all(self.kinds[i] in _TIMES for i in range(at + 1, end, 2))
        )

    # --- literals ---

    def value(self, at: int, depth: int = 0) -> tuple[object, int]:
        """A literal, a setting by name or a size, and the token after it."""
        kind, word = self.kinds[at], self.texts[at]
        if kind == "string":
            return word[1:-1], at + 1
        if kind in ("(", "[") and not self._continues(self.closes[at] + 1):
            return self._sequence(at, depth)
        if kind == "word" and not self._continues(at + 1):
            if word in _CONSTANTS or word.lower() in _SWITCHES:
                return _CONSTANTS.get(word, _SWITCHES.get(word.lower())), at + 1
            if not is_letter(word):
                return word, at + 1
        _, value, end = self.size(at)
        return value, end

    def _continues(self, at: int) -> bool:
        """Whether what ended here goes on as an expression or a size."""
        kind = self.kinds[at]
        called = kind == "(" and self.glued(at) and self.texts[at - 1] in _FUNCTIONS
        return kind in ("cross", "super") or called or self.continues(at)

    def _sequence(self, at: int, depth: int) -> tuple[object, int]:
        if depth >= MAX_NESTING:
            self.refuse("too_deep", at, limit=MAX_NESTING)
        close = self.closes[at]
        values: list[object] = []
        commas, here = 0, at + 1
        while here < close:
            value, here = self.value(here, depth + 1)
            values.append(value)
            if here < close:
                if self.kinds[here] != ",":
                    self.refuse("comma_expected", here, shown=self.shown(here))
                commas, here = commas + 1, here + 1
        if self.kinds[at] == "(" and len(values) == 1 and not commas:
            return values[0], close + 1
        return tuple(values), close + 1


_CONSTANTS: dict[str, object] = {"None": None, "True": True, "False": False}
_SWITCHES: dict[str, object] = {
    "true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "none": False,
}  # fmt: skip


def simple(value: Term) -> int | Term:
    """A whole number out of its ink; other ink as it is."""
    if isinstance(value, Num):
        return value.value
    if isinstance(value, Neg) and isinstance(value.term, Num):
        return -value.term.value
    return value


def ink(text: str) -> int | Term:
    """An expression's ink, or the whole number it is."""
    from .expressions import read  # slow to import, and 3x3 does without

    return simple(read(text))
