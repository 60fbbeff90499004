"""What happens in a running process, against SymPy in the same one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import sympy
from sympy.core.cache import clear_cache

import symparams
from pairs import PAIRS
from symparams.algebra import same
from symparams.reading.expressions import read as read_expression
from timing import Row, Timed, compared, timed

TIMES = 7
SIMPLIFY = "SymPy simplify, cold cache"
CONV = "3x3 convolution, 100x100x{} -> 100x100x256"


def simplify() -> Timed:
    """One sympy.simplify of the same equality, in plain symbols, from a cleared cache."""
    k, c, o = sympy.symbols("k C_in C_out")
    difference = k**2 * c * o + o - (k**2 * c + 1) * o

    def task() -> None:
        if sympy.simplify(difference) != 0:
            raise AssertionError

    return timed(task, clear_cache, TIMES)


def convolution(show: Callable[[symparams.Derivation], str], words: bool = False) -> Timed:
    """Bind, derive with every step verified, and print.

    The channels change every time, so that no memo of the input helps.  With ``words`` the
    layer is read from the words of a question first.
    """
    conv = symparams.Conv2d
    channels: Iterator[int] = itertools.count(128)

    def task() -> None:
        c = next(channels)
        if words:
            model = symparams.read(CONV.format(c))
        else:
            model = conv(C_in=c, C_out=256, kernel_size=3, H=100, W=100, padding=1)
        derivation = model.derive("exam")  # which verifies every step, or raises
        if str(3 * 3 * c * 256 + 256) not in show(derivation).replace(",", "").replace("{}", ""):
            raise AssertionError

    return timed(task, times=TIMES)


def judged() -> tuple[Timed, Timed]:
    """The 13 pairs: our judge on ink, SymPy's expand on its own trees."""
    ours = [(read_expression(a), read_expression(b), equal) for a, b, equal in PAIRS]
    theirs = [(sympy.sympify(a, LETTERS), sympy.sympify(b, LETTERS), e) for a, b, e in PAIRS]

    def judge() -> None:
        if any(same(a, b) is not equal for a, b, equal in ours):
            raise AssertionError

    def expand() -> None:
        for a, b, equal in theirs:
            clear_cache()
            if (sympy.expand(a - b) == 0) is not equal:
                raise AssertionError

    return timed(judge, times=TIMES), timed(expand, times=TIMES)


LETTERS = {name: sympy.Symbol(name) for name in ("N", "E", "I", "O", "S", "Q", "beta", "gamma")}


def rows(rounds: int) -> list[Row]:
    question = CONV.format(128)
    out = [
        compared("derive, verify, LaTeX (warm)", convolution(lambda d: d.latex()),
                 SIMPLIFY, simplify(), rounds, 1 / 3),
        compared("  read from words as well", convolution(lambda d: d.latex(), True),
                 SIMPLIFY, simplify(), rounds),
        compared("  as text", convolution(lambda d: d.text()), SIMPLIFY, simplify(), rounds),
        compared("  as HTML", convolution(lambda d: d.html()), SIMPLIFY, simplify(), rounds),
        compared("read a layer from words", timed(lambda: symparams.read(question), times=TIMES),
                 SIMPLIFY, simplify(), rounds),
    ]  # fmt: skip
    ours, theirs = judged()
    out.append(compared("judge 13 answers", ours, "SymPy expand, cold cache", theirs, rounds))
    return out
