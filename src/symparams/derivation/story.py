"""What happened to each axis of a layer, read off its tensors' rules: the facts of a page."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ..axes import Axis, Box, box_size, position_of
from ..calculus import Group, Reindex, Restrict, Share
from ..declaration import Bound, Tensor, inner_and_outer
from ..terms import ONE, ZERO, BigSum, Entry, Num, Rel, S, Term, product, term, total
from .page import Change


@dataclass(frozen=True)
class Window:
    """An axis seen through a window: the site it is seen from, its size before and after."""

    offset: Reindex
    before: Axis
    size: Term | None


@dataclass(frozen=True)
class Story:
    """The rules of one tensor, sorted by what they did."""

    bound: Bound
    tensor: Tensor

    @functools.cached_property
    def start(self) -> Box:
        """The axes of the dense start."""
        return self.tensor.start.boxes[0]

    def axis(self, name: str) -> Axis:
        """An axis of the dense start."""
        return self.start[position_of(self.start, name)]

    @functools.cached_property
    def windows(self) -> tuple[Window, ...]:
        """Positions that became offsets in a window."""
        return tuple(
            Window(r.offset, self.axis(r.offset.moved), r.size)
            for r in self.tensor.rules
            if isinstance(r, Restrict) and r.size is not None
        )

    @functools.cached_property
    def diagonals(self) -> tuple[Window, ...]:
        """Axes that keep to themselves."""
        return tuple(
            Window(r.offset, self.axis(r.offset.moved), None)
            for r in self.tensor.rules
            if isinstance(r, Restrict) and r.size is None
        )

    @functools.cached_property
    def group(self) -> Group | None:
        """The split into groups, if there is one."""
        return next((r for r in self.tensor.rules if isinstance(r, Group)), None)

    @functools.cached_property
    def shared(self) -> Box:
        """The axes labels forget."""
        names = [n for r in self.tensor.rules if isinstance(r, Share) for n in r.names]
        return tuple(self.axis(name) for name in names)

    @functools.cached_property
    def summed(self) -> bool:
        """Whether inputs are summed over the shared axes (global average pooling)."""
        return any(isinstance(r, Share) and r.summed for r in self.tensor.rules)

    @functools.cached_property
    def spread(self) -> bool:
        """Whether one input is spread over a window of outputs (a transposed convolution)."""
        return bool(self.windows) and self.windows[0].before.side == "out"

    @functools.cached_property
    def inner(self) -> tuple[Term, ...]:
        """The factors of one unit, window first."""
        return self.bound.box(inner_and_outer(self.tensor)[0])

    @functools.cached_property
    def outer(self) -> tuple[Term, ...]:
        """The factors that count the units."""
        return self.bound.box(inner_and_outer(self.tensor)[1])

    def unshared(self) -> Term:
        """The count after locality and before sharing: the locally connected layer."""
        bundle = self.tensor.start
        for rule in self.tensor.rules:
            if not isinstance(rule, Share):
                bundle = rule.apply(bundle)
        return bundle.size

    def nonlocal_(self) -> Term | None:
        """The count with sharing and without locality, for a circular border."""
        if self.diagonals or not self.windows or self.group:
            return None
        bundle = self.tensor.start
        for rule in self.tensor.rules:
            if not isinstance(rule, Restrict):
                bundle = rule.apply(bundle)
        return bundle.size

    def window_change(self) -> Change | None:
        """``100*100 -> 3*3``: positions become offsets."""
        if not self.windows:
            return None
        put = self.bound.put
        before = product(*(put(w.before.size) for w in self.windows))
        after = product(*(put(w.size or ONE) for w in self.windows))
        return Change(before, after, "restrict")

    def share_change(self) -> Change | None:
        """``100*100 -> 1``: sites leave."""
        if not self.shared:
            return None
        return Change(self.bound.put(box_size(self.shared)), ONE, "share")


def equations(bound: Bound, stories: tuple[Story, ...]) -> tuple[Term, ...]:
    """The written equations of a layer, one for each value it works out:
    ``y[o,p,q] = b[o] + sum of w[o,c,i,j] x[c, ...]``."""
    written: dict[str, list[Story]] = {}
    for story in stories:
        written.setdefault(story.tensor.writes, []).append(story)
    found = (_equation(bound, name, together) for name, together in written.items())
    return tuple(one for one in found if one is not None)


def _equation(bound: Bound, name: str, stories: list[Story]) -> Term | None:
    weights = [s for s in stories if s.tensor.kind != "bias"]
    if not weights or any(s.tensor.kind == "table" for s in weights):
        return None
    first = weights[0]
    out = Entry(name, tuple(_output_index(first, axis) for axis in first.tensor.out))
    terms = [] if first.spread else [_entry(s.tensor) for s in stories if s.tensor.kind == "bias"]
    for story in weights:
        over = tuple((a.index, bound.put(a.size)) for a in _summed_axes(story))
        body = product(_entry(story.tensor), _input(story))
        if story.summed:
            cells = bound.put(box_size(story.shared))
            inner = tuple((a.index, bound.put(a.size)) for a in story.shared)
            body = product(_entry(story.tensor), Num(1) / cells, BigSum(inner, _input(story)))
        terms.append(BigSum(over, body) if over else body)
    return Rel(out, total(*terms), "+=" if first.spread else "=")


def _summed_axes(story: Story) -> Box:
    box = story.tensor.end.boxes[0]
    inner = [a for a in box if a.side == "in"]
    return tuple(inner)


def _entry(tensor: Tensor) -> Term:
    return Entry(tensor.letter, tuple(S(axis.index) for axis in tensor.end.boxes[0]))


def _input(story: Story) -> Term:
    places: list[Term] = []
    moved = {w.offset.moved: w.offset for w in (*story.windows, *story.diagonals)}
    for axis in story.tensor.inputs:
        offset = moved.get(axis.name)
        if story.group is not None and axis.name == story.group.cut:
            places += [S("g_" + story.axis(story.group.other).index), S(axis.index)]
        elif offset is None:
            places.append(S(axis.index))
        elif any(w.offset is offset for w in story.diagonals):
            here = S(story.axis(offset.site).index)
            places.append(here if offset.padding == ZERO else here - offset.padding)
        else:
            places.append(_place(story, offset))
    return Entry(story.tensor.reads, tuple(places))


def _output_index(story: Story, axis: Axis) -> Term:
    if story.spread:
        for window in story.windows:
            if window.offset.moved == axis.name:
                return _place(story, window.offset)
    return S(axis.index)


def _place(story: Story, offset: Reindex) -> Term:
    """s(p-1) + d(i-1) + 1 - P, counting from 1, as short as the numbers allow."""
    put = story.bound.put
    site, tap = S(story.axis(offset.site).index), S(offset.index)
    padding = put(offset.padding)
    constant = 1
    terms: list[Term] = []
    for factor, letter in ((put(offset.stride), site), (put(offset.dilation), tap)):
        if isinstance(factor, Num):
            terms.append(letter if factor.value == 1 else factor * letter)
            constant -= factor.value
        else:
            terms.append(product(factor, letter - 1))
    if isinstance(padding, Num):
        constant -= padding.value
    else:
        terms.append(-padding)
    if constant:
        terms.append(term(constant))
    return total(*terms)
