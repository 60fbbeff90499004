"""What a person gives a layer - numbers, letters, words - bound to its symbols and checked.

Structure is chosen first (padding by name, sides, leading axes), then sizes; input and
output sizes are checked against each other, and stride and padding that would fit are found.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from .algebra import number, term_of, value
from .declaration import Bound, Build, Define, Key, Layer, usual
from .errors import UnknownName, ValueRefused
from .rewriting import tidy
from .terms import ONE, Num, S, Sym, Term, letters, substitute, term

Given = Mapping[str, object]
LARGEST = 10**12


def bind(
    build: Build, given: Given, fixed: Given | None = None, convention: str = "textbook"
) -> Bound:
    """A layer with what is given bound to its symbols.

    ``given`` maps a key (``in_channels``, ``C_in``, ``k_h`` ...) to a whole number, a Term,
    a switch, a setting by name, or a sequence with a value for each axis; ``fixed`` are
    structural options; ``convention`` settles what the layer leaves to one.

    Raises:
        UnknownName: the layer has no such key.
        ValueRefused: a value is no size, or does not fit the others.
    """
    given = dict(given)
    plain, layer, structural = _structure(build, given, dict(fixed or {}), convention)
    values: dict[str, Term] = {}
    for name, raw in given.items():
        key = find_key(layer, name) if layer.key(name) else find_key(plain, name)
        before = dict(values)
        _set(values, layer, key, name, raw)
        if any(values[letter] != held for letter, held in before.items()):
            raise ValueRefused("given_twice", key=name, layer=layer.id)
    _fit(layer, values, given)
    named = frozenset(values)
    for letter, held in dict(layer.conventions).get(convention, ()):
        if letter not in structural:
            values.setdefault(letter, held)
    usual(layer, values)
    _check(layer, values)
    _derive_sizes(layer, values)
    return Bound(layer, values, named)


def _structure(
    build: Build, given: dict[str, object], options: dict[str, object], convention: str
) -> tuple[Layer, Layer, frozenset[str]]:
    """The layer that what is given chooses, beside the plain one; settings leave ``given``."""
    plain = build(**options)
    for name in [n for n in given if plain.key(n) is None and n in dict(plain.options)]:
        options[name] = _option(dict(plain.options)[name], name, given.pop(name))
    plain = _built(build, options)
    for name in list(given):
        key = find_key(plain, name)
        setting = _setting(key, given[name])
        if setting is not None:
            options[key.option] = setting
            del given[name]
        else:
            options |= _chosen(key, given[name])
    chosen = dict(plain.conventions).get(convention, ())
    structural = frozenset(letter for letter, _ in chosen) & dict(plain.options).keys()
    return plain, _built(build, dict.fromkeys(structural, True) | options), structural


def _option(usual_: object, name: str, raw: object) -> object:
    """A structural option given by its name: of the same kind as its usual value."""
    if type(raw) is not type(usual_) or not isinstance(raw, bool | int | str):
        raise ValueRefused("not_an_option", key=name, value=str(raw), usual=str(usual_))
    return raw


def _built(build: Build, options: Mapping[str, object]) -> Layer:
    try:
        return build(**options)
    except (KeyError, TypeError, ValueError) as error:
        shown = ", ".join(f"{key}={value}" for key, value in options.items())
        raise ValueRefused("no_such_structure", options=shown) from error


def _chosen(key: Key, raw: object) -> dict[str, object]:
    """The structure that a value chooses by being given, or by what it is."""
    if not key.option:
        return {}
    if not key.words and key.kind in ("size", "derived"):
        return {key.option: True}  # a size that only one structure leaves open
    if key.option != "sides" and not key.words and key.kind == "modifier":
        # more than one takes another structure
        return {key.option: True} if _plain(key, raw) not in (1, ONE) else {}
    if key.kind == "sizes" and is_several(raw):
        return {key.option: len(raw)}  # type: ignore[arg-type]  # a sequence
    return {key.option: "sides"} if _is_pairs(raw, len(key.letters)) else {}


def rebind(bound: Bound, given: Mapping[str, Term]) -> Bound:
    """A bound layer with Terms put in for letters that are still open, checked like any value.

    Raises:
        ValueRefused: a value is no size, or does not fit the others.
    """
    layer = bound.layer
    fresh: dict[str, Term] = {}
    whole: dict[str, Term] = {}
    for name, raw in given.items():
        key = find_key(layer, name)
        held = _switch(key, raw) if key.kind == "switch" else size(key, raw)
        if name in key.letters and name != key.symbol:
            fresh[name] = held
        else:
            fresh.update(dict.fromkeys(key.letters, held))
            whole[key.symbol] = held
    values = {letter: substitute(held, {**whole, **fresh}) for letter, held in bound.values.items()}
    for letter, held in fresh.items():
        before = bound.values.get(letter)
        if before is None or letters(before):  # a number that was given stays
            values[letter] = held
    _check(layer, values)
    _derive_sizes(layer, values)
    return Bound(layer, values, bound.given | frozenset(fresh))


def find_key(layer: Layer, name: str) -> Key:
    """The key a name means.

    Raises:
        UnknownName: no key has it; the nearest one is suggested.
    """
    key = layer.key(name)
    if key is not None:
        return key
    known = sorted({n for k in layer.keys for n in (k.symbol, k.code, *k.also, *k.letters)})
    near = difflib.get_close_matches(name, known, 1, 0.6)
    takes = ", ".join(key.code for key in layer.keys if key.kind != "derived")
    suggestion = near[0] if near else None
    raise UnknownName("unknown_key", layer=layer.id, key=name, near=suggestion, known=takes)


MOST_PARTS = 64


def is_several(raw: object) -> bool:
    """Whether a value is a sequence of values."""
    return isinstance(raw, Sequence) and not isinstance(raw, str)


def _setting(key: Key, raw: object) -> object | None:
    """What a value says of the structure: a word, a whole number few enough to list the parts,
    a sequence; None where it is a size."""
    if key.kind == "structure":
        few = isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw <= MOST_PARTS
        return raw if few else None
    if key.kind == "listed":
        return _listed_numbers(key, raw)
    if isinstance(raw, str) and key.words:
        word = raw.lower()
        if word in key.words:
            return word
        raise ValueRefused("not_a_word", key=key.code, value=raw, words=", ".join(key.words))
    return None


def _listed_numbers(key: Key, raw: object) -> tuple[object, ...]:
    parts = list(raw) if isinstance(raw, Sequence) and not isinstance(raw, str) else [raw]
    found: list[object] = []
    for part in parts:
        if isinstance(part, Sequence) and not isinstance(part, str):
            found.append(_listed_numbers(key, part))
            continue
        whole = number(part) if isinstance(part, Term) else part
        if isinstance(whole, bool) or not isinstance(whole, int):
            raise ValueRefused("not_whole", key=key.code, value=str(part))
        found.append(whole)
    if not 0 < len(found) <= MOST_PARTS:
        raise ValueRefused("wrong_count", key=key.code, given=len(found), most=MOST_PARTS)
    return tuple(found)


def _is_pairs(raw: object, axes: int) -> bool:
    return (
        isinstance(raw, Sequence)
        and not isinstance(raw, str)
        and len(raw) == axes
        and all(isinstance(pair, Sequence) and len(pair) == 2 for pair in raw)
    )


def _plain(key: Key, raw: object) -> object:
    """A flag as the size it stands for."""
    return key.flag[raw] if key.flag and isinstance(raw, bool) else raw


def _set(values: dict[str, Term], layer: Layer, key: Key, name: str, raw: object) -> None:
    raw = _plain(key, raw)
    if key.kind == "switch":
        switch = _switch(key, raw)
        if switch != S(key.symbol):  # its own letter leaves it open
            values[key.symbol] = switch
        return
    if name in key.letters and name != key.symbol:
        values[name] = size(key, raw)
        return
    if _is_pairs(raw, len(key.letters)) and key.option:
        _set_sides(values, layer, raw)
        return
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        if len(raw) == 1:
            raw = [raw[0]] * len(key.letters)
        if len(raw) != len(key.letters):
            raise ValueRefused(
                "wrong_axes", key=key.code, given=len(raw), wanted=len(key.letters), layer=layer.id
            )
        for letter, part in zip(key.letters, raw, strict=True):
            values[letter] = size(key, part)
        return
    for letter in key.letters:
        values[letter] = size(key, raw)


def _set_sides(values: dict[str, Term], layer: Layer, raw: object) -> None:
    sides = [key for key in layer.keys if key.symbol.startswith("P_")]
    flat = [side for pair in raw for side in pair]  # type: ignore[attr-defined]  # pairs, checked
    for key, side in zip(sides, flat, strict=True):
        values[key.symbol] = size(key, side)


def _switch(key: Key, raw: object) -> Term:
    if isinstance(raw, Sym) and raw.name == key.symbol:
        return raw
    if isinstance(raw, bool):
        return Num(int(raw))
    if isinstance(raw, int) and raw in (0, 1):
        return Num(raw)
    if isinstance(raw, Num) and raw.value in (0, 1):
        return raw
    raise ValueRefused("not_a_switch", key=key.code, value=str(raw))


def size(key: Key, raw: object) -> Term:
    """A value as a size: a whole number in bounds, or letters.

    Raises:
        ValueRefused: it is negative, zero where nothing can be zero, fractional or absurd.
    """
    if isinstance(raw, bool) or raw is None:
        raise ValueRefused("not_a_size", key=key.code, value=str(raw))
    if isinstance(raw, Term):
        found = number(raw)
        if found is None:
            return raw
        raw = found
    if key.kind == "factor" and isinstance(raw, Fraction | float):
        return _factor(key, raw)
    if not isinstance(raw, int):
        raise ValueRefused("not_whole", key=key.code, value=raw)
    if raw < key.least:
        raise ValueRefused("too_small", key=key.code, value=_brief(raw), least=key.least)
    if raw > LARGEST:
        raise ValueRefused("too_big", key=key.code, value=_brief(raw), largest=LARGEST)
    return term(raw)


def _brief(raw: int) -> int | str:
    """A number as a refusal quotes it; Python itself refuses to write out huge ones."""
    return raw if raw.bit_length() < 100 else "..."


def _factor(key: Key, raw: Fraction | float) -> Term:
    if not math.isfinite(raw):
        raise ValueRefused("not_a_size", key=key.code, value=str(raw))
    exact = Fraction(raw).limit_denominator(1000)
    if not 0 < exact <= LARGEST:
        raise ValueRefused("too_small", key=key.code, value=raw, least=1)
    return term_of(exact.numerator if exact.denominator == 1 else exact)


# --- sizes that must agree ------------------------------------------------------------------


def _numeric(values: Mapping[str, Term], letter: str) -> int | None:
    held = values.get(letter)
    return held.value if isinstance(held, Num) else None


def _fit(layer: Layer, values: dict[str, Term], given: Given) -> None:
    """Input and output sizes both given: find stride and padding, or refuse."""
    for define in layer.defines:
        wanted = _numeric(values, define.symbol)
        if not define.symbol.endswith("_out") or wanted is None:
            continue
        trial = dict(values)
        usual(layer, trial)
        axis = define.symbol.removesuffix("_out")
        if axis not in letters(define.term) or _numeric(trial, axis) is None:
            continue
        mark = _mark(layer, axis)
        free = [s for s in ("P", "s") if layer.key(s + mark) and s + mark not in values]
        if not _solve(layer, define, wanted, trial, values, free, mark):
            _refuse_fit(layer, define, wanted, trial, axis, mark)


def _mark(layer: Layer, axis: str) -> str:
    return "" if len([a for a in layer.inputs if a.role == "position"]) == 1 else "_" + axis.lower()


def _solve(
    layer: Layer, define: Define, wanted: int, trial: dict[str, Term], values: dict[str, Term],
    free: list[str], mark: str,
) -> bool:  # fmt: skip
    """Whether the sizes agree, after choosing padding and stride where they were left open."""
    if _result(layer, define, trial) is None:
        return True  # letters are left: nothing to check yet
    k = _effective(layer, trial, mark)
    paddings = range(k) if "P" in free else [None]
    strides = range(1, 65) if "s" in free else [None]
    for stride in strides:
        for padding in paddings:
            attempt = dict(trial)
            if stride is not None:
                attempt["s" + mark] = Num(stride)
            if padding is not None:
                attempt["P" + mark] = Num(padding)
            if _result(layer, define, attempt) == wanted:
                for letter in ("s" + mark, "P" + mark):
                    if letter in attempt and letter[0] in free:
                        values[letter] = attempt[letter]
                return True
    return False


def _effective(layer: Layer, trial: Mapping[str, Term], mark: str) -> int:
    found = _result(layer, Define("", S("k_eff" + mark)), trial)
    return min(found, 4096) if found is not None else 1


def _result(layer: Layer, define: Define, values: Mapping[str, Term]) -> int | None:
    size_ = define.term
    for inner in layer.defines:
        size_ = substitute(size_, {inner.symbol: inner.term})
    found = number(substitute(size_, dict(values)))
    return int(found) if found is not None and found == int(found) else None


def _refuse_fit(
    layer: Layer, define: Define, wanted: int, trial: Mapping[str, Term], axis: str, mark: str
) -> None:
    raise ValueRefused(
        "sizes_contradict",
        layer=layer.id,
        size=_numeric(trial, axis),
        wanted=wanted,
        got=_result(layer, define, trial),
        stride=_numeric(trial, "s" + mark),
        padding=_numeric(trial, "P" + mark),
        kernel=_numeric(trial, "k" + mark),
        better=_better(layer, define, wanted, trial, mark),
    )


def _better(
    layer: Layer, define: Define, wanted: int, trial: Mapping[str, Term], mark: str
) -> int | None:
    """The padding that would fit at the stride given, if any does."""
    for padding in range(_effective(layer, trial, mark)):
        if _result(layer, define, {**trial, "P" + mark: Num(padding)}) == wanted:
            return padding
    return None


def _check(layer: Layer, values: Mapping[str, Term]) -> None:
    for condition in layer.requires:
        divisor = _numeric(values, condition.divisor)
        whole = _numeric(values, condition.whole)
        if divisor and whole and whole % divisor:
            others = [_numeric(values, c.whole) for c in layer.requires]
            common = math.gcd(*(o for o in others if o))
            raise ValueRefused(
                "does_not_divide",
                divisor=_code(layer, condition.divisor), d=divisor,
                whole=_code(layer, condition.whole), n=whole,
                good=_listed(_divisors(common)), both=_listed([o for o in others if o]),
            )  # fmt: skip


def _divisors(n: int) -> list[int]:
    if n > 10**6:
        return [1]
    return [d for d in range(1, n + 1) if n % d == 0][:6]


def _listed(numbers: Sequence[int]) -> str:
    texts = [str(n) for n in dict.fromkeys(numbers)]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def _code(layer: Layer, symbol: str) -> str:
    key = layer.key(symbol)
    return key.code if key else symbol


def _derive_sizes(layer: Layer, values: dict[str, Term]) -> None:
    """Derived sizes whose letters are all known become known themselves."""
    extents = {k.symbol for k in layer.keys if k.kind == "extent"}
    defined = {d.symbol for d in layer.defines}
    for define in reversed(layer.defines):
        if define.symbol in values:
            continue
        held = substitute(define.term, values)
        if letters(define.term) & (extents - set(values)) or letters(held) & defined:
            continue
        found = number(held)
        if found is None:
            values[define.symbol] = tidy(held)
            continue
        if found != int(found):
            raise ValueRefused("size_not_whole", axis=define.symbol, size=found, layer=layer.id)
        if found < 1:
            _refuse_size(layer, define, values, int(found))
        values[define.symbol] = Num(int(found))


def _refuse_size(layer: Layer, define: Define, values: Mapping[str, Term], found: int) -> None:
    axis = define.symbol.removesuffix("_out")
    mark = _mark(layer, axis)
    kernel = _numeric(values, "k_eff" + mark) or _numeric(values, "k" + mark)
    padding = _numeric(values, "P" + mark) or 0
    extent = _numeric(values, axis)
    if extent is not None and kernel is not None and kernel > extent + 2 * padding:
        raise ValueRefused("kernel_too_large", kernel=kernel, size=extent, padding=padding,
                           padded=extent + 2 * padding, axis=axis)  # fmt: skip
    raise ValueRefused("no_output", axis=axis, size=extent, found=found, layer=layer.id)


def evaluated(bound: Bound, size_: Term) -> int | None:
    """A size of a bound layer as a number, or None while letters are left."""
    full = bound.expand(size_)
    return None if letters(full) else int(value(full))
