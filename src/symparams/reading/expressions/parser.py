"""Tokens put together to ink by a Pratt parser; nothing is evaluated."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from ...terms import (
    Ceil,
    Floor,
    Max,
    Min,
    Neg,
    Num,
    Pow,
    Prod,
    Quot,
    Sum,
    Sym,
    Term,
    children,
)
from ..refusals import refuse, short
from .scanner import CALLS, CLOSER, OPERANDS, Scanner

MAX_DEPTH = 100  # brackets, exponents and minus signs inside one another
MAX_HEIGHT = 200  # of the tree: other rooms walk it recursively

Span = tuple[int, int]

_SUM, _PRODUCT, _POWER = 10, 20, 40
# How tightly a token binds what stands before it; an operand there is a product unsaid.
_BINDING = {
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/", "//", *OPERANDS), _PRODUCT),
    **dict.fromkeys(("^", "super"), _POWER),
    **dict.fromkeys((",", "end", *CLOSER.values()), 0),
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


class Parser:
    """A Pratt parser; sums and products gather all their parts before they become a node."""

    def __init__(self, scanner: Scanner) -> None:
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
        """The whole text as one expression."""
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
        """Note where a new node stands."""
        self.spans[id(node)] = (start, end)
        return node

    def joined(self, node: Term, first: Term, last: Term) -> Term:
        """Note that a new node reaches from its first part to its last."""
        self.spans[id(node)] = (self.spans[id(first)][0], self.spans[id(last)][1])
        return node

    # --- operands ---

    def name(self) -> Term:
        """A letter."""
        at = self.at
        word = self.texts[at]
        self.at = at + 1
        return self.made(Sym(word), self.starts[at], self.ends[at])

    def number(self) -> Term:
        """A number; commas between groups of three are no part of its value."""
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
        """What a bracket holds; those of floor and ceiling are kept."""
        at = self.at
        outer = self.enter(at, commas=False)
        inner = self.expression(0)
        self.leave(at, outer)
        kind = self.kinds[at]
        if kind == "⌊" or kind == "⌈":
            inner = Floor(inner) if kind == "⌊" else Ceil(inner)
        return self.made(inner, self.starts[at], self.ends[self.at - 1])

    def call(self) -> Term:
        """floor, ceil, min or max of what its bracket holds."""
        at = self.at
        name = self.texts[at]
        if self.kinds[at + 1] not in ("(", "[", "{"):
            self.refuse("needs_bracket", at, name=name)
        make = CALLS[name]
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
        """LaTeX's fraction: two halves in braces."""
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
        if self.kinds[self.at] == CLOSER[self.kinds[opened]]:
            self.refuse("nothing_inside", opened)
        outer, self.in_call = self.in_call, commas
        return outer

    def leave(self, opened: int, outer: bool) -> None:
        """Step out of a bracket."""
        if self.kinds[self.at] != CLOSER[self.kinds[opened]]:
            self.stopped(opened)
        self.at += 1
        self.in_call = outer
        self.depth -= 1

    # --- what follows an operand ---

    def sum(self, left: Term) -> Term:
        """A sum or difference, all of its terms at once."""
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
        """A product, all of its factors at once, up to each division."""
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
            elif kind in OPERANDS:
                self.side_by_side(divided)
                divided = False
            else:
                return self.multiplied(factors)
            factors.append(self.expression(_PRODUCT))

    def multiplied(self, factors: list[Term]) -> Term:
        """Factors as a product; one factor stays as it is."""
        if len(factors) == 1:
            return factors[0]
        return self.joined(Prod(tuple(factors)), factors[0], factors[-1])

    def quotient(self, num: Term, kind: str) -> Term:
        """A quotient, rounded down after //."""
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
            self.refuse("two_ways", at, shown=short(self.texts[at]))

    def power(self, base: Term) -> Term:
        """A power; 2^3^2 is 2^(3^2)."""
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
        """One step further inside; refuse the step too far."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse("too_deep", at, limit=MAX_DEPTH)

    def check_height(self, whole: Term) -> None:
        """Refuse a tree too high for those who walk it."""
        waiting = [(whole, 1)]
        while waiting:
            node, height = waiting.pop()
            if height > MAX_HEIGHT:
                column = self.spans[id(node)][0]
                refuse("too_deep", self.text, column, limit=MAX_HEIGHT)
            waiting.extend((part, height + 1) for part in children(node))

    def refuse(self, identity: str, at: int, **facts: object) -> NoReturn:
        """Refuse the text at a token."""
        refuse(identity, self.text, self.starts[at], **facts)

    def missing(self) -> NoReturn:
        """Refuse a place where an operand should stand."""
        at = self.at
        kind, shown = self.kinds[at], self.texts[at]
        if kind in CLOSER.values() and (at == 0 or self.depth == 0):
            self.refuse("never_opened", at, shown=shown)
        if at == 0:
            self.refuse("starts_with", at, shown=shown)
        before = self.texts[at - 1]
        if kind == "end":
            if self.kinds[at - 1] in CLOSER:
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


_OPERAND: dict[str, Callable[[Parser], Term]] = {
    "name": Parser.name,
    "number": Parser.number,
    "call": Parser.call,
    "frac": Parser.fraction,
    **dict.fromkeys(CLOSER, Parser.bracket),
}
