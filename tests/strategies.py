"""What several tests share: every layer with every structural option, small numbers, random Terms."""

from __future__ import annotations

import functools
import inspect
import itertools
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

# What each structural option of a builder is tried at; a new option needs a row here.
OPTIONS: dict[str, tuple[object, ...]] = {
    "lead": (0, 1, 2),
    "rank": (1, 2, 3),
    "lora": (False, True),
    "by": ("size", "ratio"),
    "to": ("factor", "size"),
    "sides": ("number", "sides"),
    "halved": ("", "C"),
    "start": (0,),
    "stop": (None,),
    "crop": (False,),
    "projected": (False, True),
    "stacked": (False, True),
}
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
        keys = [k for k in self.layer.keys if k.kind != "derived"]
        if partly:
            keys = [k for k in keys if (k.kind == "modifier" or k.symbol == "k") and k.symbol != "g"]
        return {letter: env[letter] for key in keys for letter in key.letters}

    def __str__(self) -> str:
        return "-".join((self.id, *(f"{name}={value}" for name, value in self.options if value)))


def paddings(identity: str) -> tuple[object, ...]:
    """The padding rules of a layer: a number, words, its own for each side."""
    words = next(key.words for key in catalog.layer(identity).keys if key.option == "padding")
    beside = [rule for part, rules in BESIDE.items() if part in identity for rule in rules]
    sides = () if "transpose" in identity else ("sides",)
    return ("number", *words, *beside, *sides)


def option_names(identity: str) -> list[str]:
    names = inspect.signature(catalog.builder(identity)).parameters
    return [name for name in names if name not in BUILT_IN]


def options_of(identity: str) -> dict[str, tuple[object, ...]]:
    """What is tried for each option; one without a row stays as it is."""
    names = option_names(identity)
    tried = {name: OPTIONS[name] for name in names if name in OPTIONS}
    return {**tried, "padding": paddings(identity)} if "padding" in names else tried


def _cases() -> Iterator[Case]:
    for identity in catalog.ids():
        options = options_of(identity)
        for chosen in itertools.product(*options.values()):
            yield Case(identity, tuple(zip(options, chosen, strict=True)))


PLAIN = tuple(Case(identity) for identity in catalog.ids())
CASES = tuple(_cases())
WEIGHTED = tuple(case for case in CASES if case.layer.tensors)


def derive(bound: Bound, quantity: str = "params", level: str = "exam") -> Derivation:
    return parts.of_bound(bound, quantity, level)


@functools.cache
def conv() -> Derivation:
    """The founding question, at the exam level."""
    given = {"C_in": 128, "C_out": 256, "k": 3, "H": 100, "W": 100, "H_out": 100, "W_out": 100}
    return count.derive(bind(catalog.builder("conv2d"), given))


# --- Terms --------------------------------------------------------------------------------------

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
