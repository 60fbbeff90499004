"""A derivation as plain data: the contract of ``--format json`` and of ``to_dict``.

Keys that do not apply are absent, never null, except ``value``, which is null while letters
remain.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from ..algebra import Value
from ..algebra import number as exact
from ..algebra import number as value_of
from ..derivation.compare import Comparison
from ..derivation.conventions import Conventions
from ..derivation.page import Say
from ..derivation.simplified import Simplified
from ..derivation.steps import Derivation, Step
from ..derivation.why import Side, Why
from ..evidence import Evidence
from ..terms import ZERO, Term
from . import text
from .latex import LatexWriter
from .writer import CodeWriter, TextWriter

SCHEMA = 1
_CODE, _TEXT, _LATEX = CodeWriter(), TextWriter(), LatexWriter()


def code(term: Term) -> str:
    """A Term as SymPy reads it."""
    return _CODE.term(term)


def number(value: Value | None) -> int | str | None:
    """A value as JSON holds it: a whole number, or a fraction written out."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    return value


def derivation(found: Derivation) -> dict[str, Any]:
    """A derivation as an object."""
    out: dict[str, Any] = {
        "schema": SCHEMA,
        "layer": found.layer,
        "quantity": found.quantity,
        "level": found.level,
        "convention": found.convention,
        "formula": code(found.formula),
        "symbolic": code(found.symbolic),
        "value": number(found.value),
    }
    if found.with_bias is not None:
        out["value_with_bias"] = number(found.with_bias)
    if found.without_bias is not None:
        out["value_without_bias"] = number(found.without_bias)
    for key, size in (("non_trainable", found.not_trained), ("buffers", found.buffers)):
        if size is not None and size != ZERO:
            held = value_of(size)
            out[key] = code(size) if held is None else number(held)
    out["steps"] = [step(one) for one in found.steps]
    if found.quantity == "params":
        out["remaining_axes"] = list(found.remaining)
        out["dropped_axes"] = list(found.dropped)
    return out


def step(one: Step) -> dict[str, Any]:
    """A step as an object."""
    before, after = one.shown
    out: dict[str, Any] = {
        "rule": one.rule,
        "kind": one.kind,
        "subgoal": one.subgoal,
        "of": one.path,
        "before": both(before),
        "after": both(after),
        "why": _TEXT.sentence(Say(f"reasons.{one.rule}")),
    }
    if one.evidence is not None:
        out["evidence"] = evidence(one.evidence)
    elif one.kind == "=" and one.rule != "define":
        out["evidence"] = {"identity": True}
    return out


def both(term: Term) -> dict[str, str]:
    """A Term as text and as LaTeX."""
    return {"text": _TEXT.term(term), "latex": _LATEX.term(term)}


def evidence(found: Evidence) -> dict[str, Any]:
    """What was enumerated: sizes, and the labels after each rule."""
    return {
        "sizes": [dict(env) for env in found.sizes],
        "labels": [list(counts) for counts in found.labels],
    }


def why(found: Why, width: int = text.WIDTH) -> dict[str, Any]:
    """An answer to "why" as an object."""
    return {
        "schema": SCHEMA,
        "axis": found.axis,
        "drops_out": found.drops_out,
        "removed_by": list(found.removed_by),
        "stays_in": list(found.stays_in),
        "sides": [_side(one) for one in found.sides if one.removed_by],
        "text": text.render(found.page, width),
    }


def _side(one: Side) -> dict[str, Any]:
    out: dict[str, Any] = {
        "axis": one.axis,
        "tensor": one.tensor,
        "removed_by": list(one.removed_by),
        "before": both(one.before),
        "after": both(one.after),
    }
    if one.change is not None:
        out["change"] = {"before": both(one.change.before), "after": both(one.change.after)}
    if one.evidence is not None:
        out["evidence"] = evidence(one.evidence)
    return out


def comparison(found: Comparison) -> dict[str, Any]:
    """A comparison as an object."""
    return {
        "schema": SCHEMA,
        "quantity": found.quantity,
        "left": code(found.left),
        "right": code(found.right),
        "ratio": code(found.ratio),
        "value": number(found.value),
        "steps": [step(one) for one in found.steps],
    }


def conventions(found: Conventions) -> dict[str, Any]:
    """A count under every convention as an object."""
    return {
        "schema": SCHEMA,
        "layer": found.layer,
        "with_bias": found.with_bias,
        "conventions": [
            {
                "convention": row.convention,
                "symbolic": code(row.count),
                "value": number(exact(row.count)),
                "difference": code(row.difference),
                **({"why": said} if (said := [_TEXT.sentence(one) for one in row.reasons]) else {}),
            }
            for row in found.rows
        ],
    }


def simplified(found: Simplified) -> dict[str, Any]:
    """A simplification as an object."""
    return {
        "schema": SCHEMA,
        "before": code(found.before),
        "after": code(found.after),
        "value": number(found.value),
        "steps": [step(one) for one in found.steps],
    }


def dumps(data: dict[str, Any]) -> str:
    """An object as text."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
