"""Which rule comes next: the lines that simplify, factor or expand a Term."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..algebra import canonical
from ..errors import Error
from ..terms import (
    ONE,
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
    children,
    replace,
)
from .monomials import is_long, written_out
from .numbers import ones
from .rewrite import Found, Rewrite, Rule, moved
from .rules import ROUND, RULES

Form = Literal["factored", "expanded"]
Lines = tuple[Rewrite, ...]
Place = tuple[Path, Rule, Found]

MAX_NODES = 2000
MAX_STEPS = 64

_KINDS = (Num, Sym, Sum, Prod, Neg, Quot, Pow, Floor, Ceil, Min, Max, Entry, BigSum, Rel, Size)
_LEAF = (Num, Sym, Size)


class Phase(NamedTuple):
    """Rules that are one line of a page, found by the kind of node they apply to."""

    rules: Mapping[Any, tuple[Rule, ...]]
    deep: bool
    whole: bool

    @classmethod
    def of(cls, identity: str, *details: str) -> Phase:
        """These variants of one rule; of those that apply to a node the first is taken."""
        rules = [RULES[identity, detail] for detail in details]
        table = {kind: tuple(r for r in rules if issubclass(kind, r.kinds)) for kind in _KINDS}
        return cls(table, all(r.deep for r in rules), any(r.whole for r in rules))

    def here(self, node: Term) -> tuple[Rule, Found] | None:
        """The first rule that applies to this very node, and what it makes of it."""
        for rule in self.rules[type(node)]:
            if (found := rule.make(node)) is not None:
                return rule, found
        return None


ONES = Phase.of("collect", "ones")
_TIDYING = (
    Phase.of("cancel", "common_factor", "numbers", "opposite"),
    Phase.of("multiply", "numbers", "floor"),
    Phase.of("collect", "power", "like_terms", "fraction", "brackets", "floor"),
    Phase.of("add", "numbers"),
)
_FACTORING = (Phase.of("factor_out", "common_factor"),)
_OPENING = (Phase.of("multiply", "distribute"),)
_SPLITTING = (Phase.of("multiply", "split_fraction"),)
_SPLIT = (*_SPLITTING, *_TIDYING)
_FACTORED = (*_TIDYING, *_FACTORING)
_OPENED = (*_TIDYING, *_OPENING)
_EXPANDED = (*_TIDYING, *_OPENING, *_SPLITTING)


def _met(phase: Phase, node: Term, path: Path = ()) -> Iterator[Place]:
    """The outermost places of a phase's rules: apart from each other, so done in one line."""
    if (here := phase.here(node)) is not None:
        yield path, *here
        return
    if phase.whole or isinstance(node, _LEAF) or (not phase.deep and isinstance(node, ROUND)):
        return
    for position, part in enumerate(children(node)):
        yield from _met(phase, part, (*path, position))


def line_of(phase: Phase, term: Term) -> Rewrite | None:
    """One line: a rule at all its places, and the ones it leaves behind dropped."""
    return joined_line(term, list(_met(phase, term)))


def joined_line(term: Term, met: Sequence[Place], clean: bool = True) -> Rewrite | None:
    """What was found at several places as one line; ``clean`` drops the ones it leaves."""
    if not met:
        return None
    parts: list[Rewrite] = []
    now = term
    for path, rule, found in met:
        pairs = moved(found.cancelled, path)
        new = replace(now, path, found.term)
        parts.append(Rewrite(rule.id, now, new, path, pairs, rule.detail))
        now = new
    return _merged(parts, clean)


def _merged(parts: Sequence[Rewrite], clean: bool = True) -> Rewrite:
    """Rewrites in a row as one line, named after what matters in it most."""
    first, last = parts[0], parts[-1].after
    done = [small for part in parts for small in (part.parts or (part,))]
    if clean and (cleaned := ones(last)) is not None:
        done.append(Rewrite("collect", last, cleaned.term, (), (), "ones"))
        last = cleaned.term
    if len(done) == 1:
        return first
    path = functools.reduce(_prefix, (part.path for part in parts))
    pairs = tuple(itertools.chain.from_iterable(part.cancelled for part in parts))
    detail = next((part.detail for part in parts if part.detail != "ones"), "ones")
    return Rewrite(first.rule, first.before, last, path, pairs, detail, (), tuple(done))


def _prefix(a: Path, b: Path) -> Path:
    return tuple(x for x, _ in itertools.takewhile(lambda p: p[0] == p[1], zip(a, b, strict=False)))


def _chain(phases: Sequence[Phase], term: Term) -> Lines:
    """The first rule that applies, until none does; lines of one rule are one line."""
    lines: list[Rewrite] = []
    line = line_of(ONES, term)  # every other line drops its own ones
    for _ in range(MAX_STEPS):
        if line is not None:
            if _size(line.after)[1] > MAX_NODES:
                break
            term = line.after
            if lines and _one_line(lines[-1], line):
                line = _merged([lines.pop(), line])
            lines.append(line)
        found = (line_of(phase, term) for phase in phases)
        line = next((line for line in found if line is not None), None)
        if line is None:
            break
    return tuple(lines)


def _one_line(a: Rewrite, b: Rewrite) -> bool:
    # What is struck out is shown in the line before, so such lines stay apart.
    return a.rule == b.rule and not b.cancelled and (a.rule == "collect" or a.detail == b.detail)


def _size(term: Term) -> tuple[int, int]:
    """How long a Term reads: letters first, then everything."""
    names = everything = 0
    stack = [term]
    while stack:
        node = stack.pop()
        everything += 1
        names += isinstance(node, Sym | Size | Entry)
        stack.extend(children(node))
    return names, everything


def _end(term: Term, lines: Lines) -> Term:
    return lines[-1].after if lines else term


def _best(term: Term, plain: Lines, others: Iterable[Lines]) -> Lines:
    """The plain chain, unless another reads shorter."""
    best, size = plain, _size(_end(term, plain))
    for lines in others:
        if (other := _size(_end(term, lines))) < size:
            best, size = lines, other
    return best


def _factor_lines(term: Term) -> Lines:
    best = _chain(_FACTORED, term)
    if _worth_opening(term):
        opened = _chain(_OPENED, term)
        best = _best(term, best, [opened + _chain(_FACTORED, _end(term, opened))])
    end = _end(term, best)
    return best + _factor_lines(end) if best and _worth_opening(end) else best


def _worth_opening(term: Term) -> bool:
    """Whether summands would meet if every bracket were multiplied out."""
    if next(_met(_OPENING[0], term), None) is None or is_long(term):
        return False
    try:
        form = canonical(term)
    except Error:
        return False
    return form.den != canonical(ONE).num or len(form.num) < written_out(term)


def _expand_lines(term: Term) -> Lines:
    return _chain(_EXPANDED, term)


def _shortest_lines(term: Term) -> Lines:
    plain = _chain(_TIDYING, term)
    others = (_factor_lines(term), _chain(_SPLIT, term), _expand_lines(term))
    best = _best(term, plain, others)
    return best + _shortest_lines(_end(term, best)) if best else best


_FORMS: dict[Form | None, Callable[[Term], Lines]] = {
    "factored": _factor_lines,
    "expanded": _expand_lines,
    None:       _shortest_lines,
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def simplify(term: Term, form: Form | None = None) -> tuple[Rewrite, ...]:
    """The lines that simplify a Term: towards a form, or to what reads shortest.

    >>> k, c, d = Sym("k"), Sym("C_in"), Sym("C_out")
    >>> [line.rule for line in simplify(k * k * c * d + d)]
    ['collect', 'factor_out']
    >>> [line.rule for line in simplify((k * k * c + c * d) / (k * k * c * d))]
    ['multiply', 'cancel']
    """
    return _FORMS[form](term)


def factored(term: Term) -> Term:
    """The factored form, the last line of its chain.

    >>> k, c, d, b = Sym("k"), Sym("C_in"), Sym("C_out"), Sym("b")
    >>> factored(d * c * k * k + b * d) == d * (k**2 * c + b)
    True
    """
    return _end(term, simplify(term, "factored"))


def expanded(term: Term) -> Term:
    """The expanded form; a bracket too long to write out stays.

    >>> k, c = Sym("k"), Sym("C_in")
    >>> expanded((k + 1) * c) == k * c + c
    True
    """
    return _end(term, simplify(term, "expanded"))
