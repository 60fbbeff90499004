"""Sound rules on Terms, and the short chains of them that a teacher would write.

A rule is a value that knows where it applies; what it did is data, a Rewrite, which replays
and verifies by itself as an explanation does in egg (Willsey et al., POPL 2021).  Which rule
comes next is control and kept apart from the mathematics, as in sympy.strategies.

The rooms, each of which imports only those before it: ``rewrite`` (the data), ``monomials``
(what products are compared by), ``numbers``, ``collecting`` and ``cancelling`` (what the rules
do), ``rules`` (their table), ``checking`` (replay and verify), ``chains`` (simplify) and
``arithmetic`` (numbers, line by line).
"""

from .arithmetic import numeric, tidy
from .chains import Form, expanded, factored, simplify
from .checking import replay, verify
from .rewrite import Found, Rewrite, Rule
from .rules import PUTTING, RULES, put

__all__ = [
    "PUTTING",
    "RULES",
    "Form",
    "Found",
    "Rewrite",
    "Rule",
    "expanded",
    "factored",
    "numeric",
    "put",
    "replay",
    "simplify",
    "tidy",
    "verify",
]
