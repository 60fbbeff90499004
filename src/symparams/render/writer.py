"""Terms and facts to characters: one walk over the ink, and what each medium puts at its nodes."""

from __future__ import annotations

from dataclasses import dataclass

from ..derivation.page import (
    Bytes,
    Change,
    Changed,
    Dims,
    Formula,
    Indices,
    Letter,
    Listing,
    Row,
    Say,
)
from ..symbols import name
from ..terms import (
    BigSum,
    Ceil,
    Entry,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Path,
    Pow,
    Prod,
    Quot,
    Rel,
    Size,
    Sum,
    Sym,
    Term,
    at,
    replace,
)
from ..words import Sentence, say

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Struck(Term):
    """A factor that divides out, to be struck through."""

    term: Term


def sides(row: Row) -> tuple[Term | Changed | Formula | None, Term | None]:
    """The two sides of a row, with what divides out marked on the side it begins with."""
    if not row.cancelled:
        return row.left, row.right
    if isinstance(row.left, Term):
        return _marked(row.left, row.cancelled), row.right
    if row.left is None and row.right is not None:
        return None, _marked(row.right, row.cancelled)
    return row.left, row.right


def _marked(node: Term, paths: tuple[Path, ...]) -> Term:
    for path in sorted(set(paths), key=len, reverse=True):
        node = replace(node, path, Struck(at(node, path)))
    return node


class Writer:
    """The characters of one medium; subclasses set them and override what differs."""

    times = "·"
    minus = "−"
    plus = "+"
    cross = "×"
    arrow = "→"
    language = "en"

    # --- terms ---

    def term(self, node: Term, formula: bool = False) -> str:
        """A Term; ``formula`` sets letters side by side instead of writing every sign."""
        return self._write(node, 0, formula)

    def _write(self, node: Term, outer: int, formula: bool) -> str:
        text, level = self._node(node, formula)
        return self.bracket(text) if level < outer else text

    def _node(self, node: Term, formula: bool) -> tuple[str, int]:
        if isinstance(node, Num) and node.value >= 0:  # the commonest first, without matching
            return self.number(node.value), ATOM
        if isinstance(node, Prod):
            return self._product(node.factors, formula), PRODUCT
        if isinstance(node, Sym):
            return self.symbol(node.name), ATOM
        match node:
            case Num(value):
                return self.negative(self.number(-value)), SUM
            case Sum(terms):
                return self._sum(terms, formula), SUM
            case Neg(inner):
                return self.negative(self._write(inner, PRODUCT, formula)), SUM
            case Quot(num, den):
                return self.quotient(num, den, formula)
            case Pow(base, exp):
                return self.power(self._write(base, ATOM, formula), exp, formula), POWER
            case Floor(inner):
                return self.floor(self._write(inner, 0, formula)), ATOM
            case Ceil(inner):
                return self.ceil(self._write(inner, 0, formula)), ATOM
        return self._rarer(node, formula)

    def _rarer(self, node: Term, formula: bool) -> tuple[str, int]:
        match node:
            case Min(terms) | Max(terms):
                label = "min" if isinstance(node, Min) else "max"
                inner_text = ", ".join(self._write(t, 0, formula) for t in terms)
                return self.function(label, inner_text), ATOM
            case Entry(letter, indices):
                return self.entry(letter, tuple(self._write(i, 0, True) for i in indices)), ATOM
            case BigSum(over, body):
                return self.big_sum(over, self._write(body, PRODUCT, True)), PRODUCT
            case Rel(left, right, sign):
                return self.relation(self.term(left, formula), sign, self.term(right, formula)), 0
            case Size(label):
                return self.size(label), ATOM
            case Struck(inner):
                text, level = self._node(inner, formula)
                return self.struck(text), level
        raise TypeError(type(node).__name__)

    def _sum(self, terms: tuple[Term, ...], formula: bool) -> str:
        out = [self._write(terms[0], SUM, formula)]
        for item in terms[1:]:
            sign, inner = (self.minus, item.term) if isinstance(item, Neg) else (self.plus, item)
            out.append(f" {sign} {self._write(inner, PRODUCT, formula)}")
        return "".join(out)

    def _product(self, factors: tuple[Term, ...], formula: bool) -> str:
        parts = [self._factor(f, i, formula) for i, f in enumerate(factors)]
        out = parts[0]
        for i in range(1, len(parts)):
            out += self.between(factors[i - 1], factors[i], formula) + parts[i]
        return out

    def _factor(self, factor: Term, position: int, formula: bool) -> str:
        outer = PRODUCT + 1
        if isinstance(factor, BigSum) or (isinstance(factor, Quot) and position >= 0):
            outer = PRODUCT
        return self._write(factor, outer, formula)

    def between(self, left: Term, right: Term, formula: bool) -> str:
        """What stands between two factors: a sign, or in a formula only a space."""
        if formula and not isinstance(right, Num) and not _ends_in_number(right):
            return self.beside
        return self.times

    beside = " "

    # --- what each medium sets ---

    def number(self, value: int) -> str:
        """A whole number, grouped in threes."""
        return f"{value:,}"

    def symbol(self, plain: str) -> str:
        """A letter."""
        return plain

    def negative(self, text: str) -> str:
        """Minus something."""
        return self.minus + text

    def bracket(self, text: str) -> str:
        """Round brackets around something."""
        return f"({text})"

    def quotient(self, num: Term, den: Term, formula: bool) -> tuple[str, int]:
        """A quotient on one line."""
        top = self._write(num, PRODUCT, formula)
        return f"{top}/{self._write(den, PRODUCT + 1, formula)}", PRODUCT

    def power(self, base: str, exp: Term, formula: bool) -> str:
        """A power."""
        return f"{base}^{self._write(exp, ATOM, formula)}"

    def floor(self, inner: str) -> str:
        """The floor of something."""
        return f"⌊{inner}⌋"

    def ceil(self, inner: str) -> str:
        """The ceiling of something."""
        return f"⌈{inner}⌉"

    def function(self, label: str, inner: str) -> str:
        """A named function."""
        return f"{label}({inner})"

    def entry(self, letter: str, indices: tuple[str, ...]) -> str:
        """One entry of a tensor."""
        plain = all(i.isalnum() for i in indices)
        return f"{self.symbol(letter)}[{(',' if plain else ', ').join(indices)}]"

    def big_sum(self, over: tuple[tuple[str, Term], ...], body: str) -> str:
        """A sum over index letters."""
        return f"Σ({','.join(self.symbol(letter) for letter, _ in over)}) {body}"

    def relation(self, left: str, sign: str, right: str) -> str:
        """Two sides of a relation."""
        return f"{left} {sign} {right}"

    def size(self, label: str) -> str:
        """The size of a tensor, not yet unfolded."""
        return f"|{label}|"

    def struck(self, written: str) -> str:
        """What divides out."""
        return written

    def text(self, words: str) -> str:
        """Words, with what the medium would misread made harmless."""
        return words

    def math(self, written: str) -> str:
        """Mathematics inside a sentence."""
        return written

    # --- facts and sentences ---

    def fact(self, fact: object) -> str:
        """A fact of a sentence."""
        match fact:
            case Term():
                return self.math(self.term(fact))
            case int():
                return self.math(self.number(fact))
            case Formula(term):
                return self.math(self.term(term, formula=True))
            case Dims(sizes):
                return self.math(self.cross.join(self.dim(size) for size in sizes))
            case Indices(names):
                joined = self.comma.join(self.symbol(n) for n in names)
                return self.math(self.bracket(joined) if len(names) != 1 else joined)
            case Listing(sizes):
                return ", ".join(self.math(self.term(size)) for size in sizes)
            case Change():
                return self.change(fact)
            case Changed():
                return self.changed(fact)
            case Letter(plain):
                return self.math(self.symbol(plain))
            case Bytes(count):
                return self.text(_bytes(count))
            case Say():
                return self.sentence(fact)
        raise TypeError(type(fact).__name__)

    comma = ","

    def dim(self, size: Term) -> str:
        """A size in a shape: numbers ungrouped below 10,000, as people write shapes."""
        if isinstance(size, Num) and size.value < 10_000:
            return str(size.value)
        return self._write(size, PRODUCT + 1, True)

    def change(self, fact: Change) -> str:
        """A factor that an assumption changes."""
        return self.math(f"{self.term(fact.before)} {self.arrow} {self.term(fact.after)}")

    def changed(self, fact: Changed) -> str:
        """A product with the changed factor in its place."""
        inside = f"{self.term(fact.change.before)} {self.arrow} {self.term(fact.change.after)}"
        parts = [self._factor(f, 1, False) for f in fact.before]
        parts.append(self.bracket(inside))
        parts += [self._factor(f, 1, False) for f in fact.after]
        return self.math(self.times.join(parts))

    def sentence(self, said: Say) -> str:
        """A sentence with its facts written in this medium."""
        return self.pieces(say(said.id, dict(said.facts), self.language))

    def pieces(self, sentence: Sentence) -> str:
        """The pieces of a sentence, words escaped and facts written."""
        return "".join(self.text(p) if isinstance(p, str) else self.fact(p) for p in sentence)


def _ends_in_number(node: Term) -> bool:
    """Whether setting a node beside another would read as one number."""
    match node:
        case Quot(num, _):
            return isinstance(num, Num) or _ends_in_number(num)
        case Prod(factors):
            return isinstance(factors[0], Num)
        case Pow(base, _):
            return isinstance(base, Num)
    return False


def _bytes(count: int) -> str:
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            digits = f"{count / size:.1f}" if count < 1000 * size else f"{count // size:,}"
            return f"{digits.removesuffix('.0')} {unit}"
    return f"{count} B"


SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class TextWriter(Writer):
    """Unicode mathematics for a terminal."""

    def power(self, base: str, exp: Term, formula: bool) -> str:
        """A power with superscript digits."""
        if isinstance(exp, Num):
            return base + str(exp.value).translate(SUPERSCRIPTS)
        return super().power(base, exp, formula)

    def symbol(self, plain: str) -> str:
        """A letter as it is typed; Greek letters as letters."""
        known = name(plain)
        return plain if known.base in plain else plain.replace(plain.split("_")[0], known.base, 1)


class CodeWriter(Writer):
    """An expression as SymPy and Python read it."""

    times = "*"
    minus = "-"
    cross = "x"
    arrow = "->"

    def number(self, value: int) -> str:
        """Digits only."""
        return str(value)

    def symbol(self, plain: str) -> str:
        """A letter as one name: a part's letter has no dot."""
        return plain.replace(".", "_")

    def between(self, left: Term, right: Term, formula: bool) -> str:
        """Always a sign."""
        return "*"

    def power(self, base: str, exp: Term, formula: bool) -> str:
        """A power."""
        return f"{base}**{self._write(exp, ATOM, formula)}"

    def floor(self, inner: str) -> str:
        """The floor function."""
        return f"floor({inner})"

    def ceil(self, inner: str) -> str:
        """The ceiling function."""
        return f"ceiling({inner})"

    def function(self, label: str, inner: str) -> str:
        """Min and Max, as SymPy names them."""
        return f"{label.capitalize()}({inner})"
