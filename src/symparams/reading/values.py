"""Values as people type them - numbers, sizes, shapes, settings - read into plain data."""

from __future__ import annotations

import re

from ..errors import Error
from ..terms import Term, term
from .refusals import refuse
from .tokens import MAX_TEXT, MAX_WORD, OPERATORS, Tokens, ink, is_letter


def read_value(text: str) -> object:
    """A value as somebody types it after ``key=``.

    >>> read_value("3"), read_value("3x5"), read_value("(3, 5)"), read_value("same")
    (3, (3, 5), (3, 5), 'same')
    >>> read_value("yes"), read_value("[[1, 0], [1, 0]]"), read_value("0.5")
    (True, ((1, 0), (1, 0)), 0.5)
    >>> read_value("2*C")
    Prod(factors=(Num(value=2), Sym(name='C')))
    """
    if len(text) <= MAX_TEXT and re.search(r"[\\{⌊⌈]", text):
        return ink(text)
    tokens = Tokens(text)
    if tokens.kinds[0] == "end":
        refuse("value_expected", text, 0, shown="")
    value, end = tokens.value(0)
    if tokens.kinds[end] == "end":
        return value
    if _only_letters(tokens):
        return ink(text)
    tokens.refuse("value_ends", end, shown=tokens.shown(end))


def _only_letters(tokens: Tokens) -> bool:
    plain = frozenset(("number", "(", ")", "[", "]", "super", "greek", "end")) | OPERATORS
    return all(
        kind in plain or (kind == "word" and is_letter(word))
        for kind, word in zip(tokens.kinds, tokens.texts, strict=True)
    )


def read_shape(text: str) -> tuple[Term, ...]:
    """A shape as somebody types it.

    >>> read_shape("28x28x1") == read_shape("28 by 28 by 1") == read_shape("(28, 28, 1)")
    True
    >>> read_shape("n x n x C")
    (Sym(name='n'), Sym(name='n'), Sym(name='C'))
    """
    tokens = Tokens(text, grouped=False)
    value, end = tokens.value(0)
    if tokens.kinds[end] == ",":
        values = [value]
        while tokens.kinds[end] == ",":
            value, end = tokens.value(end + 1)
            values.append(value)
        value = tuple(values)
    if tokens.kinds[end] != "end":
        tokens.refuse("value_ends", end, shown=tokens.shown(end))
    return shape(value, text, 0)


def shape(value: object, text: str, column: int) -> tuple[Term, ...]:
    """A value as a shape in ink; what is no size is refused at the column."""
    values = value if isinstance(value, tuple) else (value,)
    found: list[Term] = []
    for extent in values:
        if isinstance(extent, bool) or not isinstance(extent, int | Term):
            identity = "shape_none" if extent is None else "shape_extent"
            shown = "(...)" if isinstance(extent, tuple) else extent
            refuse(identity, text, column, shown=shown)
        found.append(term(extent))
    return tuple(found)


_KEY = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.]*)\s*=(?!=)")


def read_assignment(text: str) -> tuple[str, object]:
    """A key and its value, ``in_channels=128``.

    >>> read_assignment("in_channels=128"), read_assignment("padding = same")
    (('in_channels', 128), ('padding', 'same'))
    """
    match = _KEY.match(text[: MAX_WORD * 2])
    if match is None:
        refuse("assignment_expected", text, 0)
    try:
        return match[1], read_value(text[match.end() :])
    except Error as error:
        raise error.at(text, min(match.end() + (error.column or 0), len(text))) from None
