"""What happened to each axis of a layer, read off its tensors' rules: the facts of a page."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ..algebra import number
from ..axes import Axis, Box, box_size, position_of
from ..calculus import Factor, Group, Pad, Reindex, Restrict, Share, Split
from ..declaration import Bound, Tensor, inner_and_outer
from ..terms import ONE, ZERO, BigSum, Entry, Num, Prod, Rel, S, Term, letters, product, term, total
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
    def padded(self) -> bool:
        """Whether every offset between two positions has its own entry."""
        return any(isinstance(r, Pad) for r in self.tensor.rules)

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
    def factor(self) -> Factor | None:
        """The product of two thinner maps that it is, if it is one."""
        return next((r for r in self.tensor.rules if isinstance(r, Factor)), None)

    @functools.cached_property
    def kept(self) -> tuple[tuple[Term, ...], ...]:
        """The sizes of what is stored: one box, or the two of a factored map."""
        return tuple(self.bound.box(box) for box in self.tensor.end.boxes)

    @functools.cached_property
    def merges(self) -> tuple[Split, ...]:
        """Pairs of axes written as one: heads and their width."""
        return tuple(r for r in self.tensor.rules if isinstance(r, Split) and r.merge)

    def joined(self, box: Box) -> Box:
        """Axes with each pair that is written as one in its place."""
        for rule in self.merges:
            names = [a.name for a in box]
            if rule.outer.name in names and rule.whole.side == box[0].side:
                at = names.index(rule.outer.name)
                box = (*box[:at], rule.whole, *box[at + 2 :])
        return box

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
    def averaged(self) -> Box:
        """The axes that inputs are summed over before a label sees them."""
        names = [n for r in self.tensor.rules if isinstance(r, Share) and r.summed for n in r.names]
        return tuple(self.axis(name) for name in names)

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
    if not weights or any(s.tensor.kind in ("table", "centre") for s in weights):
        return None
    if any(s.tensor.kind == "scale" and not s.diagonals for s in weights):  # it scales a weight
        return None
    first = weights[0]
    out = Entry(name, tuple(_output_index(first, axis) for axis in first.joined(first.tensor.out)))
    terms = [] if first.spread else [_entry(s.tensor) for s in stories if s.tensor.kind == "bias"]
    for story in weights:
        over = tuple((a.index, bound.put(a.size)) for a in _summed_axes(story))
        entry = _entry(story.tensor)
        body = product(*(entry.factors if isinstance(entry, Prod) else (entry,)), _input(story))
        if story.summed:
            cells = bound.put(box_size(story.averaged))
            inner = tuple((a.index, bound.put(a.size)) for a in story.averaged)
            body = product(_entry(story.tensor), Num(1) / cells, BigSum(inner, _input(story)))
        terms.append(BigSum(over, body) if over else body)
    return Rel(out, total(*terms), "+=" if first.spread else "=")


def _summed_axes(story: Story) -> Box:
    inner = {a.name: a for box in story.tensor.end.boxes for a in box if a.side == "in"}
    return tuple(inner.values())


def _entry(tensor: Tensor) -> Term:
    factor = next((r for r in tensor.rules if isinstance(r, Factor)), None)
    names = (tensor.letter,) if factor is None else factor.letters
    entries = zip(names, tensor.end.boxes, strict=True)
    return product(*(Entry(name, tuple(S(a.index) for a in box)) if box else S(name)
                     for name, box in entries))  # fmt: skip


def _input(story: Story) -> Term:
    places: list[Term] = []
    moved = {w.offset.moved: w.offset for w in (*story.windows, *story.diagonals)}
    for axis in story.joined(story.tensor.inputs):
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
    if story.tensor.factors:
        at = {a.name: place for a, place in zip(story.tensor.inputs, places, strict=False)}
        read = story.tensor.factors
        return product(*(Entry(name, tuple(at[one] for one in own)) for name, own in read))
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
    found = None if letters(padding) else number(padding)
    if isinstance(found, int) and found >= 0:
        padding = Num(found)
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
