"""The table of every rule, and what it takes to put something in for a name."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import Error
from ..terms import Ceil, Floor, Max, Min, Pow, Prod, Quot, Size, Sum, Sym, Term, children, rebuild
from .cancelling import cancel, cancel_numbers, cancel_summands
from .collecting import (
    brackets,
    common_factor,
    distribute,
    fraction,
    like_terms,
    power,
    split_fraction,
    whole_floor,
)
from .numbers import add_numbers, floor_of_numbers, multiply_numbers, ones
from .rewrite import Rewrite, Rule

Values = Mapping[str, Term]

_FRACTION = (Prod, Quot)
_MONOMIAL = (Prod, Quot, Pow)
ROUND = (Floor, Ceil)
CHOICE = (Floor, Ceil, Min, Max)
_RAISED = (Prod, Pow)

_TABLE = (
    #    rule          variant           at a node   makes of it
    Rule("multiply",   "numbers",        _MONOMIAL,  multiply_numbers),
    Rule("multiply",   "floor",          CHOICE,     floor_of_numbers),
    Rule("multiply",   "distribute",     _RAISED,    distribute,     deep=False),
    Rule("multiply",   "split_fraction", (Quot,),    split_fraction, deep=False),
    Rule("add",        "numbers",        (Sum,),     add_numbers),
    Rule("collect",    "ones",           (Term,),    ones,           whole=True),
    Rule("collect",    "power",          _MONOMIAL,  power),
    Rule("collect",    "like_terms",     (Sum,),     like_terms),
    Rule("collect",    "fraction",       (Quot,),    fraction),
    Rule("collect",    "brackets",       (Prod,),    brackets),
    Rule("collect",    "floor",          ROUND,      whole_floor),
    Rule("factor_out", "common_factor",  (Sum,),     common_factor,  deep=False),
    Rule("cancel",     "common_factor",  _FRACTION,  cancel),
    Rule("cancel",     "numbers",        _FRACTION,  cancel_numbers),
    Rule("cancel",     "opposite",       (Sum,),     cancel_summands),
)  # fmt: skip
RULES: Mapping[tuple[str, str], Rule] = {(rule.id, rule.detail): rule for rule in _TABLE}

# What is exchanged by the rules that put something in.
PUTTING: dict[str, tuple[type[Sym] | type[Size], ...]] = {
    "define":     (Sym, Size),
    "unfold":     (Size,),
    "substitute": (Sym,),
}  # fmt: skip


def exchanged(node: Term, values: Values, kinds: tuple[type[Sym] | type[Size], ...]) -> Term:
    """The Term with values in the place of names of these kinds."""
    if isinstance(node, Sym | Size):
        return values.get(node.name, node) if isinstance(node, kinds) else node
    parts = children(node)
    fresh: list[Term] = []
    for part in parts:
        new = exchanged(part, values, kinds)
        # A product put in for a factor joins the product around it: nobody wrote brackets.
        joins = isinstance(node, Sum | Prod) and type(new) is type(node) and new is not part
        fresh.extend(children(new) if joins and isinstance(part, Sym | Size) else (new,))
    return node if fresh == list(parts) else rebuild(node, tuple(fresh))


def put(rule: str, term: Term, values: Values) -> Rewrite:
    """Names exchanged for what they are: ``define``, ``unfold`` or ``substitute``.

    >>> whole = put("unfold", Size("weight") + 1, {"weight": Sym("k") * Sym("C_in")})
    >>> whole.after == Sym("k") * Sym("C_in") + 1
    True

    Raises:
        Error: nothing of those names is there.
    """
    after = exchanged(term, values, PUTTING[rule])
    if after == term:
        raise Error("rule_not_here", rule=rule)
    return Rewrite(rule, term, after, values=tuple(values.items()))
