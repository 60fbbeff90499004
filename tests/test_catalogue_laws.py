"""Every layer, rule, level, quantity and format keeps the same laws by being in its table."""

from __future__ import annotations

import json
import math
import re
from itertools import product

import pytest
import sympy

from strategies import (
    BOX_RULES,
    LEVELS,
    OPTIONS,
    QUANTITIES,
    TERM_RULES,
    Case,
    cases,
    derive,
    lean,
    options_of,
    plain,
    sister,
    weighted,
)
from symparams import catalog, reference, words
from symparams.algebra import same, value
from symparams.bridge import symbol, to_sympy
from symparams.catalog.keys import SIDES
from symparams.declaration import Bound, Layer, Part, Tensor
from symparams.derivation.steps import Derivation
from symparams.derivation.why import why
from symparams.evidence import enumerate_tensor, evidence, tap_uses
from symparams.render import FORMATS, to_format
from symparams.render import json as as_json
from symparams.terms import S, letters, total

LEFT_OVER = re.compile(
    r"\{\{|\{%|%\}|\bNone\b(?!\s+of\b)|Undefined|\b(?:Say|Num|Sym)\(|[\ue000-\uf8ff]"
)
SEEDS = range(5)
FEWER = range(2)  # for uses, which wire every edge again

CASES, WEIGHTED, PLAIN = cases(), weighted(), plain()

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_weighted = pytest.mark.parametrize("case", WEIGHTED, ids=str)
every_lean = pytest.mark.parametrize("case", lean(), ids=str)
QUANTITIES_OF_LAYERS = [
    pytest.param(case, quantity, id=f"{case}-{quantity}")
    for case in PLAIN
    for quantity in (("params", "shape") if sister(case.id) else QUANTITIES)
]
every_layer = pytest.mark.parametrize("case", PLAIN, ids=str)


def test_every_layer_is_tried_with_every_option() -> None:
    assert {case.id for case in CASES} == set(catalog.ids())
    names = {name for identity in catalog.ids() for name, tried in options_of(identity).items()
             if len(tried) == 1}  # fmt: skip
    assert names <= set(OPTIONS), "a new option needs a row in strategies.OPTIONS"


# --- counting single labels ----------------------------------------------------------------------


@every_weighted
def test_single_labels_counted_at_small_sizes(case: Case) -> None:
    for seed in SEEDS:
        env = case.numbers(seed)
        for tensor in case.layer.tensors:
            labels, _ = enumerate_tensor(tensor, env)
            assert labels[-1] == value(tensor.size, env), (tensor.name, env)


@every_weighted
def test_without_groups_and_copies_too(case: Case) -> None:
    bound = case.bind()
    for tensor in bound.tensors:
        env = {**case.numbers(1), "g": 1, "m": 1}
        labels, _ = enumerate_tensor(tensor, env)
        assert labels[-1] == value(tensor.size, env), (tensor.name, env)


@every_weighted
def test_the_evidence_is_found_and_quotes_two_sizes(case: Case) -> None:
    for tensor in case.layer.tensors:
        found = evidence(case.layer, tensor)
        _, sizes = found.shown
        assert len(found.sizes) == len(found.labels) == len(sizes) == 2


# --- uses ----------------------------------------------------------------------------------------


def edges(tensor: Tensor, env: dict[str, int]) -> int:
    """How many multiplications a tensor takes, one by one."""
    wiring = tensor.wire(env)[-2 if tensor.kind == "dynamic" else -1]
    if not any(getattr(rule, "summed", False) for rule in tensor.rules):
        return wiring.edges()
    summed = {name for r in tensor.rules if getattr(r, "summed", False) for name in r.names}
    if not summed:  # the edges of a factored map are those of its two factors
        return wiring.edges()
    kept = [n for n, axis in enumerate(wiring.start) if axis.name not in summed]
    return sum(len({tuple(e[n] for n in kept) for e in table}) for table in wiring.tables)


@every_weighted
def test_multiply_accumulates_are_the_uses_of_the_weights(case: Case) -> None:
    for tensor in case.layer.tensors:
        for seed in FEWER if tensor.multiplied else ():
            env = case.numbers(seed)
            assert value(tensor.uses, env) == edges(tensor, env), (tensor.name, env)
    if not case.layer.parts:
        used = [tensor.uses for tensor in case.layer.tensors if tensor.multiplied]
        assert same(Bound(case.layer).macs, total(*used))


def real_taps(case: Case, env: dict[str, int], turned: bool) -> int:
    """The uses that read a real cell, by the closed count along each axis."""
    out = 1
    for axis in [a.name for a in case.layer.inputs if a.role == "position"]:
        mark = "" if axis == "L" else "_" + axis.lower()
        sizes = (env[axis + "_out"], env[axis]) if turned else (env[axis], env[axis + "_out"])
        padding = SIDES[axis][0] if case.fixed.get("padding") == "sides" else "P" + mark
        s, d, p = env["s" + mark], env["d" + mark], env.get(padding, 0)
        out *= sum(tap_uses(*sizes, env["k" + mark], s, d, p))
    return out


WINDOWS = [c for c in WEIGHTED if c.layer.family in ("conv", "depthwise", "local", "transposed")]


@pytest.mark.parametrize("case", WINDOWS, ids=str)
def test_real_and_padding_taps_apart(case: Case) -> None:
    weight = case.layer.tensors[0]
    for seed in FEWER:
        env = case.numbers(seed)
        wiring = weight.wire(env)[-1]
        sizes = [wiring.number(axis.size) for axis in wiring.start]
        real = sum(all(0 <= c < n for c, n in zip(edge, sizes, strict=True))
                   for edge in wiring.tables[0])  # fmt: skip
        channels = math.prod(env.get(n, 1) for n in ("C_in", "C_out", "m"))
        channels //= env.get("g", 1) if case.layer.family != "depthwise" else env["C_out"]
        turned = case.layer.family == "transposed"
        assert real == channels * real_taps(case, env, turned), env


# --- the count, by SymPy -------------------------------------------------------------------------


def stored(tensor: Tensor) -> sympy.Expr:
    """A tensor's part of the count, from the axes that are left."""
    if not tensor.end.stored:
        return sympy.Integer(0)
    size = sum(sympy.prod([to_sympy(a.size) for a in box]) for box in tensor.end.boxes)
    return size * symbol(tensor.when) if tensor.when else size


def stored_in(part: Part, trainable: bool) -> sympy.Expr:
    """A part's share: what one copy stores with its letters bound, times its copies."""
    if part.tied:
        return sympy.Integer(0)
    usual = {letter: S(letter) for key in part.layer.keys for letter in key.letters}
    usual |= dict(zip((x for k in part.layer.keys if k.default for x in k.letters),
                      (t for k in part.layer.keys for t in k.default), strict=True))  # fmt: skip
    bound = {symbol(name): to_sympy(size) for name, size in {**usual, **dict(part.bind)}.items()}
    one = by_hand(part.layer, trainable).subs(bound, simultaneous=True)
    return one * to_sympy(part.copies) * (symbol(part.when) if part.when else 1)


def by_hand(layer: Layer, trainable: bool) -> sympy.Expr:
    held = [tensor for tensor in layer.tensors if tensor.kind != "buffer"]
    own = [stored(tensor) for tensor in held if tensor.trainable == trainable]
    return sympy.Add(*own, *(stored_in(part, trainable) for part in layer.parts))


@every_case
def test_the_count_is_the_sum_over_tensors_and_parts(case: Case) -> None:
    for trainable in (True, False):
        found = to_sympy(Bound(case.layer).count(trainable))
        assert sympy.expand(found - by_hand(case.layer, trainable)) == 0


@every_case
def test_numbers_and_letters_agree(case: Case) -> None:
    bound = case.bind(**case.given(2))
    env = {symbol(name): number for name, number in case.numbers(2).items()}
    count = Bound(bound.layer).count()  # values may have chosen another structure
    assert to_sympy(bound.params).subs(env) == to_sympy(count).subs(env)


# --- derivations ---------------------------------------------------------------------------------


def check_derivation(found: Derivation, *formats: str) -> None:
    found.verify()
    for step in found.steps:
        assert step.rule in BOX_RULES | TERM_RULES
        assert step.kind in ("=", "~>")
        assert step.replay() == step.after
        assert (step.kind == "=") or step.evidence is not None
        assert (step.kind == "~>") == (step.rule in ASSUMED)
    json.dumps(as_json.derivation(found))
    check_page(found.page, *formats)


ASSUMED = {"restrict", "share", "group", "fix", "factor", "tie", "dynamic"}


def check_page(page: object, *formats: str) -> None:
    for name in formats or FORMATS:
        text = to_format(page, name)  # type: ignore[arg-type]  # a page
        assert text.strip() or name == "mathml"
        assert not LEFT_OVER.search(text), (name, LEFT_OVER.search(text))
        assert name != "text" or not [line for line in text.splitlines() if len(line) > 80]


@pytest.mark.parametrize(("case", "quantity"), QUANTITIES_OF_LAYERS)
def test_derived_in_letters_numbers_and_both(case: Case, quantity: str) -> None:
    letters, numbers = {}, case.given(3)
    for given, level in product((letters, numbers), LEVELS[1:] if sister(case.id) else LEVELS):
        formats = FORMATS if (given, level) == (numbers, "lecture") else ("text",)
        check_derivation(derive(case.bind(**given), quantity, level), *formats)
    both = derive(case.bind(**case.given(3, partly=True)), quantity)
    check_derivation(both, *(("text",) if sister(case.id) else FORMATS))


@every_lean
def test_derived_under_every_option(case: Case) -> None:
    for quantity, given in product(("params", "shape", "macs"), ({}, case.given(4))):
        found = derive(case.bind(**given), quantity)
        found.verify()
        check_page(found.page, "text")


def parsed(text: str, names: frozenset[str]) -> sympy.Expr:
    return sympy.sympify(text, locals={name: symbol(name) for name in names})


@every_lean
def test_formula_and_symbolic_are_what_sympy_reads(case: Case) -> None:
    for quantity, given in product(QUANTITIES[:3], ({}, case.given(3, partly=True))):
        found = derive(case.bind(**given), quantity, "line")
        data = as_json.derivation(found)
        for key, term in (("formula", found.formula), ("symbolic", found.symbolic)):
            read = parsed(data[key], letters(term))
            assert sympy.expand(read - to_sympy(term)) == 0, (quantity, key, data[key])


# --- words ---------------------------------------------------------------------------------------


@every_layer
def test_every_layer_has_its_words(case: Case) -> None:
    layer = case.layer
    wanted = [f"layers.{layer.id}.name", f"layers.{layer.family}.a"]
    if not layer.parts and not any(tensor.end.stored for tensor in layer.tensors):
        wanted.append(f"zero.{layer.family}")
    elif not layer.parts:
        wanted += [f"units.{layer.family}.{form}" for form in ("per", "many")]
    assert [identity for identity in wanted if words.source(identity) is None] == []


def homes(family: str, name: str) -> list[str]:
    """Where the words of a letter may be: its family's or everybody's, or those of all that are
    numbered like it."""
    base = name.rpartition("_")[0] + "_"
    return [f"glossary.{front}{one}" for one in (name, base) for front in (f"{family}.", "")]


@every_lean
def test_every_letter_has_its_words(case: Case) -> None:
    bound, family = Bound(case.layer), case.layer.family
    names = letters(total(bound.count(), bound.macs, bound.activations))
    assert [name for name in names if not any(map(words.source, homes(family, name)))] == []


def test_every_rule_has_its_words() -> None:
    wanted = [f"reasons.{rule}" for rule in sorted(BOX_RULES | TERM_RULES)]
    assert [identity for identity in wanted if words.source(identity) is None] == []


@every_layer
def test_every_layer_has_its_page_in_the_catalogue(case: Case) -> None:
    found = reference.page_of(case.id)
    check_page(found.page)
    assert found.to_dict()["id"] == case.id
    json.dumps(found.to_dict())


# --- why -----------------------------------------------------------------------------------------


def names_of(case: Case) -> list[str]:
    layer = case.layer
    names = {letter for key in layer.keys for letter in (key.symbol, *key.letters)}
    names |= {axis.name for axis in (*layer.inputs, *layer.outputs)}
    return sorted(names | {"N"})


def letters_asked(case: Case, name: str) -> tuple[str, ...]:
    """A key asks about each of its letters, a bare extent about both of its sides."""
    outs = [axis.name for axis in case.layer.outputs]
    for key in case.layer.keys:
        if name == key.symbol and key.kind == "extent" and name + "_out" in outs:
            return (name, name + "_out")
        if name == key.symbol:
            return key.letters
    return (name,)


STEPPED = (sympy.floor, sympy.ceiling, sympy.Min, sympy.Max)


def changes(expression: sympy.Expr, name: str) -> bool:
    """SymPy's word on whether an expression changes with a letter: its difference by one."""
    letter = symbol(name)
    if letter not in expression.free_symbols or not expression.has(*STEPPED):
        return letter in expression.free_symbols  # expanded: nothing cancels any more
    return sympy.expand(expression.subs(letter, letter + 1) - expression) != 0


@every_lean
def test_drops_out_is_what_sympy_says_for_every_letter(case: Case) -> None:
    # A size left out that is said by others (C_s = C/r) makes the count depend on these.
    usual = [(key.letters, key.default) for key in case.layer.keys if key.default]
    said = {
        letter: held
        for names, sizes in (usual if case.layer.parts else ())
        for letter, held in zip(names, sizes, strict=True)
        if letters(held)
    }
    forms = []
    for full in (Bound(case.layer), Bound(case.layer, said)):
        counts = full.count(), full.count(trainable=False)
        forms += [
            sympy.expand(to_sympy(f)) for count in counts for f in (count, full.expand(count))
        ]
    bound, wrong = case.bind(), []
    for name in names_of(case):
        stays = any(changes(form, letter) for form in forms
                    for letter in letters_asked(case, name))  # fmt: skip
        if why(bound, name).drops_out == stays:
            wrong.append(f"{name} {'stays' if stays else 'drops out'}")
    assert not wrong


@every_layer
def test_every_answer_to_why_has_its_page(case: Case) -> None:
    for given in ({},) if sister(case.id) else ({}, case.given(3)):
        bound = case.bind(**given)
        for name in names_of(case):
            answer = why(bound, name)
            check_page(answer.page, "latex" if given else "text")
            assert set(answer.removed_by) <= BOX_RULES
            json.dumps(as_json.why(answer))
