"""The data: a rule, where it applies, and the record of what it did, which replays and verifies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import Error
from ..terms import Path, Term, at, replace, walk

Pairs = tuple[tuple[Path, ...], ...]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What one line did: the rule, the whole Term before and after, and where.

    ``cancelled`` are paths in ``before`` that strike each other out, a group each: mostly a
    pair; a power of which only some is struck is met at its exponent.  ``detail`` says which
    variant it was, ``values`` what was put in, ``parts`` what was done at several places.
    """

    rule: str
    before: Term
    after: Term
    path: Path = ()
    cancelled: Pairs = ()
    detail: str = ""
    values: tuple[tuple[str, Term], ...] = ()
    parts: tuple[Rewrite, ...] = ()


class Found(NamedTuple):
    """What a rule makes of one node; the cancelled paths count from that node."""

    term: Term
    cancelled: Pairs = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and its variant: what ``make`` makes of a node of one of its ``kinds``, or None.

    Not ``deep`` means that it leaves what is inside a floor as it was written; ``whole``,
    that it has seen all that is below a node.
    """

    id: str
    detail: str
    kinds: tuple[type[Term], ...]
    make: Callable[[Any], Found | None]
    deep: bool = True
    whole: bool = False

    def local(self, node: Term) -> Found | None:
        """What the rule makes of this very node, or None."""
        return self.make(node) if isinstance(node, self.kinds) else None

    def places(self, term: Term) -> Iterator[Path]:
        """Every path at which the rule applies, outermost first.

        >>> from symparams.rewriting import RULES
        >>> from symparams.terms import Sym
        >>> k = Sym("k")
        >>> list(RULES["collect", "power"].places(k * k + 1))
        [(0,)]
        """
        return (path for path, node in walk(term) if self.local(node) is not None)

    def at(self, term: Term, path: Path = ()) -> Rewrite:
        """The rewrite at a path.

        >>> from symparams.rewriting import RULES
        >>> from symparams.terms import Num, Sym
        >>> RULES["multiply", "numbers"].at(3 * Num(3) * Sym("C_in")).after == 9 * Sym("C_in")
        True

        Raises:
            Error: the rule does not apply there.
        """
        found = self.local(at(term, path))
        if found is None:
            raise Error("rule_not_here", rule=self.id)
        pairs = moved(found.cancelled, path)
        return Rewrite(self.id, term, replace(term, path, found.term), path, pairs, self.detail)


def moved(pairs: Pairs, path: Path) -> Pairs:
    """Paths that counted from a node, counted from the Term that has it at ``path``."""
    return tuple(tuple((*path, *place) for place in group) for group in pairs)
