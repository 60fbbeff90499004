"""Calls as programs have them, ``Conv2D(64, 3)``: arguments, calls in calls, lists of calls."""

from __future__ import annotations

from ..tokens import Tokens, is_letter
from .layer_text import LayerText
from .phrases import NOUNS, SPELLING

MAX_CALLS = 10  # calls inside one another

_FROM_WORDS = frozenset(("padding",))  # keys that "same" without its keyword may give


def call(tokens: Tokens, at: int, depth: int) -> tuple[tuple[object, ...], dict[str, object], int]:
    """The arguments of the call whose name stands here, and the token after it."""
    if depth >= MAX_CALLS:
        tokens.refuse("too_deep", at, limit=MAX_CALLS)
    close = tokens.closes[at + 1]
    args: list[object] = []
    keys: dict[str, object] = {}
    here = at + 2
    while here < close:
        begun = here
        key, value, here = _argument(tokens, here, depth)
        if key in keys:
            tokens.refuse("key_twice", begun, key=key)
        if key:
            keys[key] = value
        elif keys.keys() - _FROM_WORDS:
            tokens.refuse("positional_late", begun)
        else:
            args.append(value)
        if here < close:
            if tokens.kinds[here] != ",":
                tokens.refuse("comma_expected", here, shown=tokens.shown(here))
            here += 1
    return tuple(args), keys, close + 1


def _argument(tokens: Tokens, at: int, depth: int) -> tuple[str, object, int]:
    """One argument: its keyword or "", its value, and the token after it."""
    word = tokens.texts[at]
    if tokens.kinds[at] == "word":
        if tokens.kinds[at + 1] == "=":
            value, end = _literal(tokens, at + 2, depth)
            return word, value, end
        lower = SPELLING.get(word.lower(), word.lower())
        if lower in ("same", "valid", "causal") and tokens.kinds[at + 1] in (",", ")"):
            return "padding", lower, at + 1
        noun = NOUNS.get(lower, "")
        if noun.islower() and tokens.kinds[at + 1] in ("number", "(", "word", "["):
            value, end = tokens.value(at + 1)
            return (word if word == noun + "s" else noun), value, end  # Keras says strides
    value, end = _literal(tokens, at, depth)
    return "", value, end


def _literal(tokens: Tokens, at: int, depth: int) -> tuple[object, int]:
    """A value, a call inside a call, or a list of calls."""
    if tokens.kinds[at] == "word" and tokens.kinds[at + 1] == "(" and tokens.glued(at + 1):
        if tokens.starts_operand(at) and not is_letter(tokens.texts[at]):
            return tokens.value(at)
        args, keys, end = call(tokens, at, depth + 1)
        span = (tokens.starts[at], tokens.ends[end - 1])
        return LayerText(tokens.texts[at], "call", args, keys, text=tokens.text, span=span), end
    if tokens.kinds[at] == "[" and _holds_calls(tokens, at):
        found: list[object] = []
        here, close = at + 1, tokens.closes[at]
        while here < close:
            value, here = _literal(tokens, here, depth + 1)
            found.append(value)
            if here < close and tokens.kinds[here] != ",":
                tokens.refuse("comma_expected", here, shown=tokens.shown(here))
            here += here < close
        return tuple(found), close + 1
    return tokens.value(at)


def _holds_calls(tokens: Tokens, at: int) -> bool:
    return tokens.kinds[at + 1] == "word" and tokens.kinds[at + 2] == "("
