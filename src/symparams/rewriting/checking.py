"""Whether a rewrite is what it says: it replays, and both its sides are one quantity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..algebra import same
from ..errors import VerificationError
from ..terms import Term, at, children, rebuild
from .numbers import PLAIN, tidied
from .rewrite import Rewrite, Rule
from .rules import PUTTING, RULES, exchanged


def replay(rewrite: Rewrite, rules: Mapping[tuple[str, str], Rule] = RULES) -> Term:
    """What the rewrite's own data give when its rule is applied again.

    >>> from symparams.terms import Sym
    >>> step = RULES["collect", "power"].at(Sym("k") * Sym("k"))
    >>> replay(step) == step.after == Sym("k") ** 2
    True
    """
    if rewrite.rule in PUTTING:
        return exchanged(rewrite.before, dict(rewrite.values), PUTTING[rewrite.rule])
    if rewrite.parts:
        found = rewrite.before
        for part in rewrite.parts:
            if part.before != found or (found := replay(part, rules)) != part.after:
                return part.before  # a record that does not hang together
        return found
    return rules[rewrite.rule, rewrite.detail].at(rewrite.before, rewrite.path).after


def verify(rewrite: Rewrite, rules: Mapping[tuple[str, str], Rule] = RULES) -> None:
    """Raise unless the rewrite replays and both its sides are one quantity.

    >>> from symparams.terms import Sym
    >>> verify(RULES["collect", "power"].at(Sym("k") * Sym("k")))

    Raises:
        VerificationError: it gives something else again, or the judge says they differ.
    """
    facts: dict[str, Any] = {"rule": rewrite.rule, "before": rewrite.before, "after": rewrite.after}
    if replay(rewrite, rules) != rewrite.after:
        raise VerificationError("rewrite_replays_otherwise", **facts)
    if not _holds(rewrite):
        raise VerificationError("rewrite_differs", **facts)


def _holds(rewrite: Rewrite) -> bool:
    """Whether the judge finds both sides equal, at every place where something was done.

    What is around a place stands on both sides, so the place decides; the judge cannot
    reduce every floor that a longer way round would bring in.
    """
    if rewrite.rule in PUTTING:
        return same(replay(rewrite), rewrite.after)
    if rewrite.parts:
        return all(map(_holds, rewrite.parts))
    before, after = at(rewrite.before, rewrite.path), at(rewrite.after, rewrite.path)
    return same(before, after) or (rewrite.detail == "ones" and _tidied_node_by_node(before))


def _tidied_node_by_node(node: Term) -> bool:
    """Whether dropping ones holds at every node by itself, from the leaves up."""
    plain = PLAIN.get(type(node))
    if plain is None:
        return True
    parts = children(node)
    known = rebuild(node, tuple(map(tidied, parts)))
    return all(map(_tidied_node_by_node, parts)) and same(known, plain(known))
