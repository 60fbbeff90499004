"""Steps as data: what each did, to what, and how it was verified; replay from that data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..algebra import Value, number, same
from ..calculus import Bundle, Rule
from ..declaration import Bound, Tensor, Values
from ..errors import VerificationError
from ..evidence import Evidence, evidence
from ..terms import Num, Size, Sym, Term, substitute, total
from .page import Page


@dataclass(frozen=True)
class Step:
    """One named step from ``before`` to ``after``.

    ``=`` steps are verified exactly by the judge, ``~>`` steps by the enumeration that
    ``evidence`` holds.  ``action`` is the rule value or rewriting that was applied and
    ``path`` the tensor or quantity it was applied to, so that a step replays by itself.
    ``unfolds`` are the sizes that an unfold step puts in, by the path that derived them.
    """

    rule: str
    kind: str
    subgoal: str
    path: str
    before: Term
    after: Term
    actions: tuple[Rule, ...] = ()
    bundle: Bundle | None = None
    rewrite: Callable[[Term], Term] | None = None
    values: Values = field(default_factory=dict)
    evidence: Evidence | None = None
    unfolds: tuple[tuple[str, Term], ...] = ()

    @property
    def shown(self) -> tuple[Term, Term]:
        """Both sides with the given numbers in."""
        if self.rule == "substitute":
            return substitute(self.before, self.values), self.after
        return substitute(self.before, self.values), substitute(self.after, self.values)

    @property
    def result(self) -> Bundle | None:
        """The index sets after a step on index sets."""
        bundle = self.bundle
        for action in self.actions if bundle is not None else ():
            bundle = action.apply(bundle)  # type: ignore[arg-type]  # not None here
        return bundle

    def replay(self) -> Term:
        """``after``, found again from the step's own data."""
        result = self.result
        if result is not None:
            return result.size
        if self.rewrite is not None:
            return self.rewrite(self.before)
        return self.after

    def verify(self) -> None:
        """Raise unless the step holds.

        Raises:
            VerificationError: replay gives another result, an equality does not hold, or an
                assumption has no evidence.
        """
        if self.replay() != self.after:
            raise VerificationError("replay_differs", rule=self.rule, path=self.path)
        if self.kind == "=" and self.rule not in ("dense", "define", "pad", "replicate"):
            left, right = self._sides()
            if not same(left, right):
                raise VerificationError("step_differs", rule=self.rule, path=self.path)
        if self.kind == "~>" and self.evidence is None:
            raise VerificationError("no_evidence", rule=self.rule, path=self.path)

    def _sides(self) -> tuple[Term, Term]:
        if self.rule == "unfold" and self.rewrite is not None:
            return self.rewrite(self.before), self.after
        if self.rule == "substitute":
            return substitute(self.before, self.values), self.after
        return self.before, self.after


def index_steps(bound: Bound, tensor: Tensor) -> tuple[Step, ...]:
    """A tensor's rules as steps; rules of one subgoal and kind in a row are one line."""
    proof = evidence(bound.layer, tensor)
    first = tensor.bundles[0]
    steps = [
        Step("dense", "=", "axes", tensor.name, Size(tensor.name), first.size,
             bundle=first, values=bound.values, evidence=proof)
    ]  # fmt: skip
    numbered = list(zip(tensor.rules, tensor.bundles, strict=False))
    for (_, name), group in itertools.groupby(numbered, lambda p: (p[0].subgoal, p[0].id)):
        run = list(group)
        before = run[0][1]
        after = tensor.bundles[numbered.index(run[-1]) + 1]
        steps.append(
            Step(name, run[0][0].kind, run[0][0].subgoal, tensor.name, before.size, after.size,
                 tuple(rule for rule, _ in run), before, None, bound.values, proof)
        )  # fmt: skip
    return tuple(steps)


def count_steps(bound: Bound, tensors: Sequence[Tensor], quantity: str) -> tuple[Step, ...]:
    """The total: define it, unfold each tensor's size, put numbers in, work out."""
    if not tensors:
        return ()
    sizes = {t.name: bound.share_of(t) for t in tensors}
    whole = total(*(Size(name) for name in sizes))

    def unfold(term: Term) -> Term:
        return _unfolded(term, sizes)

    opened = unfold(whole)
    steps = [
        Step("define", "=", "count", quantity, Size(quantity), whole, rewrite=lambda _: whole),
        Step("unfold", "=", "count", quantity, whole, opened, rewrite=unfold,
             unfolds=tuple((tensor.name, tensor.size) for tensor in tensors)),
    ]  # fmt: skip
    put = bound.put(opened)
    if put != opened:
        steps.append(
            Step("substitute", "=", "count", quantity, opened, put,
                 rewrite=bound.put, values=bound.values)
        )  # fmt: skip
    steps += worked_out(put, quantity)
    return tuple(steps)


def _unfolded(term: Term, sizes: Values) -> Term:
    if isinstance(term, Size):
        return sizes.get(term.name, term)
    return total(*(_unfolded(part, sizes) for part in getattr(term, "terms", ())))


def worked_out(term: Term, path: str) -> list[Step]:
    """Multiply every summand, then add, as far as numbers go."""
    summands = getattr(term, "terms", (term,))
    multiplied = total(*(multiply(part) for part in summands))
    steps = []
    if multiplied != term:
        steps.append(Step("multiply", "=", "count", path, term, multiplied, rewrite=_multiply_all))
    final = add(multiplied)
    if final != multiplied:
        steps.append(Step("add", "=", "count", path, multiplied, final, rewrite=add))
    return steps


def multiply(term: Term) -> Term:
    """A product of numbers worked out; a product with letters as it is."""
    return _as_term(number(term)) or term


def _multiply_all(term: Term) -> Term:
    return total(*(multiply(part) for part in getattr(term, "terms", (term,))))


def add(term: Term) -> Term:
    """A sum of numbers worked out; letters as they are."""
    return _as_term(number(term)) or term


def _as_term(found: Value | None) -> Term | None:
    return Num(found) if isinstance(found, int) and found >= 0 else None


@dataclass(frozen=True)
class Derivation:
    """A derivation: verified steps, the page made of them, and its results.

    ``value`` is None while letters remain.
    """

    layer: str
    quantity: str
    level: str
    convention: str
    formula: Term
    symbolic: Term
    steps: tuple[Step, ...]
    page: Page
    value: Value | None = None
    with_bias: Value | None = None
    without_bias: Value | None = None
    remaining: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    not_trained: Term | None = None
    buffers: Term | None = None

    def verify(self) -> None:
        """Replay and verify every step.

        Raises:
            VerificationError: a step does not hold.
        """
        for step in self.steps:
            step.verify()
        self._hang_together()
        self._results()

    def _hang_together(self) -> None:
        """Each path begins with what it names, and each of its steps goes on from the last."""
        last: dict[str, Step] = {}
        for step in self.steps:
            before = last.get(step.path)
            if before is None:
                begins = step.rule in ("dense", "define") and step.path.endswith(
                    _named(step.before)
                )
            elif step.bundle is not None and before.bundle is not None:
                begins = step.bundle == before.result and step.before == before.after
            else:
                begins = step.before == before.after
            if not begins:
                raise VerificationError("step_missing", rule=step.rule, path=step.path)
            for name, size in step.unfolds:
                known = last.get(f"{step.path.rpartition('.')[0]}.{name}".lstrip("."))
                if known is None or not same(known.after, size):
                    raise VerificationError("step_missing", rule=step.rule, path=name)
            last[step.path] = step
        if self.quantity in last and worked_out(last[self.quantity].after, self.quantity):
            raise VerificationError("step_missing", rule="multiply", path=self.quantity)

    def _results(self) -> None:
        """The numbers are those of the formula with the given numbers in."""
        if self.quantity == "shape":
            return
        claimed = ((self.value, None), (self.with_bias, 1), (self.without_bias, 0))
        for value, switch in claimed:
            put = {} if switch is None else {"b": Num(switch)}
            if value is not None and number(substitute(self.symbolic, put)) != value:
                raise VerificationError("result_differs", value=str(value))


def _named(term: Term) -> str:
    return term.name if isinstance(term, Size | Sym) else "?"
