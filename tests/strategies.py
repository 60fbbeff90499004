"""What several tests share: every layer with every option, small numbers, random Terms."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import strategies as st

from symparams import catalog
from symparams.binding import bind
from symparams.declaration import Bound, Layer
from symparams.derivation import count, parts
from symparams.derivation.steps import Derivation
from symparams.evidence import small_numbers
from symparams.terms import Ceil, Floor, Neg, Num, Pow, Prod, Quot, Sum, Sym, Term

LEVELS = ("line", "exam", "lecture")
QUANTITIES = ("params", "shape", "macs", "flops", "activations")
BOX_RULES = frozenset(
    {"dense", "reindex", "pad", "restrict", "share", "split", "group", "fix", "factor", "tie",
     "replicate", "dynamic"}
)  # fmt: skip
TERM_RULES = frozenset(
    {"define", "unfold", "substitute", "multiply", "add", "collect", "factor_out", "cancel"}
)

# What a structural option is tried at, its usual value first; a switch is tried both ways.
# A new option that is no switch needs a row here.
OPTIONS: dict[str, tuple[object, ...]] = {
    "lead": (0, 1, 2),
    "rank": (2, 1, 3),
    "by": ("size", "ratio"),
    "to": ("factor", "size"),
    "sides": ("number", "sides"),
    "halved": ("", "C"),
    "start": (0,),
    "stop": (None,),
    "over": ("", "T"),
    "inner": ("lstm", "gru", "conv_lstm2d", "linear"),
    "merge": ("concat", "sum"),
    "options": ((),),
    "cells": (("lstm", "lstm"), ("rnn", "gru", "lstm")),
    "biases": ((),),
    "equation": ("abc,cd->abd", "ab,bc->ac", "abc,bcd->abd", "abcd,cde->abe", "...x,xy->...y"),
    "bias_axes": ("d",),
    "layers": (0, 1, 3),
    "table": (((6, 3), (9, 4), (1, 6)), ((2, 1),)),
    "tails": (1, 3),
    "target": ((-1,), (2, -1)),
    "dims": ((2, 1), (3, 1, 2)),
    "inputs": (2, 3),
    "along": ("C",),
    "of": ("linear", "conv2d", "conv_transpose2d"),
    "kv": ("all",),  # each other kind is a layer of its own
    "extra": (0, 1),
    "hidden": ("F",),
}
MANY = 6  # more combinations than these are not tried: one option at a time then
BUILT_IN = ("n", "average", "identity")  # bound in the catalogue's own table
BESIDE = {"pool": ("ceil",), "transpose": ("gaps",)}  # padding rules only frameworks name


@dataclass(frozen=True)
class Case:
    """A layer type under one choice of its structural options."""

    id: str
    options: tuple[tuple[str, object], ...] = ()

    @property
    def fixed(self) -> dict[str, object]:
        return dict(self.options)

    @property
    def layer(self) -> Layer:
        return catalog.layer(self.id, **self.fixed)

    def bind(self, **given: object) -> Bound:
        return bind(catalog.builder(self.id), given, self.fixed)

    def numbers(self, seed: int) -> dict[str, int]:
        """Small numbers for every letter, another choice for every seed."""
        return small_numbers(self.layer, random.Random(seed).choice)

    def given(self, seed: int, partly: bool = False) -> dict[str, object]:
        """Small numbers under the keys a person sets; channels and extents stay open if partly."""
        env = self.numbers(seed)
        keys = [k for k in self.layer.keys if k.kind not in ("derived", "listed")]
        chosen = {"", "sides", *(name for name, value in self.options if value)}
        keys = [k for k in keys if k.words or k.option in chosen]  # the others change the structure
        if partly:
            keys = [
                k for k in keys if k.symbol != "g" and (k.kind == "modifier" or k.symbol == "k")
            ]
        return {letter: env[letter] for key in keys for letter in key.letters}

    def __str__(self) -> str:
        chosen = [f"{name}={value}" for name, value in self.options if value or value is False]
        return "-".join((self.id, *chosen))


def paddings(identity: str) -> tuple[object, ...]:
    """The padding rules of a layer: a number, words, its own for each side."""
    keys = catalog.layer(identity).keys
    words = next((key.words for key in keys if key.option == "padding"), ())
    beside = [rule for part, rules in BESIDE.items() if part in identity for rule in rules]
    sides = () if "transpose" in identity else ("sides",)
    return ("number", *words, *beside, *sides)


def options_of(identity: str) -> dict[str, tuple[object, ...]]:
    """What is tried for each option, its usual value first."""
    found = {}
    for name, parameter in inspect.signature(catalog.builder(identity)).parameters.items():
        usual = parameter.default
        if parameter.kind is parameter.VAR_KEYWORD or usual is parameter.empty:
            continue
        if name == "padding":
            found[name] = paddings(identity)
        elif isinstance(usual, bool):
            found[name] = (usual, not usual)
        elif name not in BUILT_IN and parameter.kind is not parameter.VAR_KEYWORD:
            found[name] = OPTIONS.get(name, (usual,))
    return found


@functools.cache
def plain() -> tuple[Case, ...]:
    """Every layer as it usually is."""
    return tuple(Case(identity) for identity in catalog.ids())


def sister(identity: str) -> bool:
    """Whether a layer over one or three axes has a sister over two, made by the same function."""
    return identity.endswith(("1d", "3d")) and identity[:-2] + "2d" in catalog.ids()


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every layer with every option: in all combinations where these are few."""
    return tuple(case for identity in catalog.ids() for case in _variants(identity))


def _variants(identity: str) -> Iterator[Case]:
    options = options_of(identity)
    usual = tuple(tried[0] for tried in options.values())
    few = math.prod(map(len, options.values())) <= MANY and catalog.layer(identity).tensors
    for chosen in itertools.product(*options.values()):
        changed = sum(c != u for c, u in zip(chosen, usual, strict=True))
        if few or changed < 2:
            yield Case(identity, tuple(zip(options, chosen, strict=True)))


def lean() -> tuple[Case, ...]:
    """Every layer, and every option where its two-dimensional sister does not stand for it."""
    met: set[str] = set()
    out = []
    for case in cases():
        if case.id not in met or not sister(case.id) or "causal" in case.fixed.values():
            out.append(case)
        met.add(case.id)
    return tuple(out)


def weighted() -> tuple[Case, ...]:
    """The cases with tensors of their own."""
    return tuple(case for case in cases() if case.layer.tensors)


def derive(bound: Bound, quantity: str = "params", level: str = "exam") -> Derivation:
    return parts.of_bound(bound, quantity, level)


@functools.cache
def conv() -> Derivation:
    """The founding question, at the exam level."""
    given = {"C_in": 128, "C_out": 256, "k": 3, "H": 100, "W": 100, "H_out": 100, "W_out": 100}
    return count.derive(bind(catalog.builder("conv2d"), given))


# --- Terms ---------------------------------------------------------------------------------------

LETTERS = ("k", "C_in", "C_out", "H")


def terms(
    floors: bool = False, quotients: bool = False, least: int = 0, leaves: int = 8
) -> st.SearchStrategy[Term]:
    """Random small Terms over a few letters."""
    ends = st.one_of(st.builds(Num, st.integers(least, 5)), st.sampled_from([*map(Sym, LETTERS)]))

    def grown(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        kinds = [st.builds(Sum, several), st.builds(Prod, several), st.builds(Neg, inner),
                 st.builds(Pow, inner, st.builds(Num, st.integers(1, 3)))]  # fmt: skip
        if floors:
            over = st.builds(Quot, inner, st.builds(Num, st.integers(1, 4)))
            kinds += [st.builds(Floor, over), st.builds(Ceil, over)]
        if quotients:
            kinds.append(st.builds(Quot, inner, inner))
        return st.one_of(*kinds)

    return st.recursive(ends, grown, max_leaves=leaves)
