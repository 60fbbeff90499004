"""The rules on index sets: what each does to sizes, and to every single edge and label.

A tensor starts as a dense map, one label an edge, and its rules act on it in turn.  A rule
is a value: ``apply`` folds it over the boxes of index sets (the symbolic effect), ``run``
does the same thing to the edges and labels of a small layer (the evidence), and a side
condition that fails refuses the declaration.  Kind "=" keeps the map; "~>" changes the
class of layers by an assumption.  Weight sharing as counting distinct labels, never as
dividing: LeCun et al. 1989; Goodfellow, Bengio & Courville 2016, section 9.2.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from .algebra import same, value
from .axes import Axis, Box, box_size, position_of
from .errors import DeclarationError
from .terms import ONE, ZERO, Term, total

Kind = Literal["=", "~>"]
Edge = tuple[int, ...]
Label = tuple[int, ...]
Env = Mapping[str, int]

# A step belongs to one of the six subgoals, the same for every layer.
SUBGOALS = ("axes", "relative", "restrict", "share", "count", "check")


@dataclass(frozen=True)
class Bundle:
    """The index sets of a tensor: usually one box, two once it is factored; and whether
    its labels are parameters (not when fixed, tied or computed from data)."""

    boxes: tuple[Box, ...]
    stored: bool = True

    @property
    def size(self) -> Term:
        """The number of labels: parameters declared."""
        return total(*(box_size(box) for box in self.boxes)) if self.stored else ZERO

    @property
    def cells(self) -> Term:
        """The number of index tuples, whether or not they are stored."""
        return total(*(box_size(box) for box in self.boxes))


@dataclass(frozen=True)
class Wiring:
    """All edges of a small layer, each with its label, one table for each box.

    An edge is its coordinates in the dense start; a phantom edge reads padding, so one of
    its coordinates lies outside its axis.
    """

    start: Box
    env: Env
    tables: tuple[dict[Edge, Label], ...]

    def labels(self) -> int:
        """How many different labels there are."""
        return sum(len(set(table.values())) for table in self.tables)

    def edges(self) -> int:
        """How many edges there are, those that read padding included."""
        return sum(len(table) for table in self.tables)

    def number(self, size: Term) -> int:
        """A size at the numbers of this small layer."""
        return int(value(size, self.env))


def dense(start: Box, env: Env) -> Wiring:
    """The dense start: every edge its own label."""
    ranges = [range(int(value(axis.size, env))) for axis in start]
    return Wiring(start, env, ({edge: edge for edge in itertools.product(*ranges)},))


class Rule:
    """What every rule answers; see the module's sentence."""

    id: ClassVar[str]
    kind: ClassVar[Kind]
    subgoal: ClassVar[str]

    def apply(self, bundle: Bundle) -> Bundle:
        """The index sets afterwards.

        Raises:
            DeclarationError: a side condition fails.
        """
        raise NotImplementedError

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """The same on single edges, at the sizes of ``wiring.env``."""
        raise NotImplementedError


def _exchange(bundle: Bundle, name: str, new: Axis | None) -> Bundle:
    found = False
    boxes = []
    for box in bundle.boxes:
        if any(axis.name == name for axis in box):
            found = True
            at = position_of(box, name)
            box = (*box[:at], *((new,) if new else ()), *box[at + 1 :])
        boxes.append(box)
    if not found:
        position_of(bundle.boxes[0], name)
    return Bundle(tuple(boxes), bundle.stored)


def _only_box(bundle: Bundle, rule: str) -> Box:
    if len(bundle.boxes) != 1:
        raise DeclarationError("needs_one_box", rule=rule)
    return bundle.boxes[0]


@dataclass(frozen=True)
class Reindex(Rule):
    """Name a position relative to another: u = s*p + d*i - P at fixed p.  Equality.

    ``moved`` is re-expressed as the offset ``tap``, seen from ``site``; the offset keeps
    the side of the axis it replaces.  Side condition: the map is one-to-one at a fixed
    site, so both axes run in the same direction and neither was shared before.
    """

    moved: str
    site: str
    tap: str
    index: str
    stride: Term = ONE
    dilation: Term = ONE
    padding: Term = ZERO
    id: ClassVar[str] = "reindex"
    kind: ClassVar[Kind] = "="
    subgoal: ClassVar[str] = "relative"

    def apply(self, bundle: Bundle) -> Bundle:
        """The moved axis is renamed to an offset of the same size."""
        box = _only_box(bundle, self.id)
        moved, site = box[position_of(box, self.moved)], box[position_of(box, self.site)]
        if not moved.dim or moved.dim != site.dim or moved.side == site.side:
            raise DeclarationError("reindex_partner", moved=self.moved, site=self.site)
        tap = Axis(self.tap, self.index, "offset", moved.side, moved.size, moved.dim)
        return _exchange(bundle, self.moved, tap)

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """u becomes u - s*p + P: for each p a shift, hence one-to-one."""
        box = before.boxes[0]
        u, p = position_of(box, self.moved), position_of(box, self.site)
        stride, padding = wiring.number(self.stride), wiring.number(self.padding)
        table = {
            edge: (*label[:u], label[u] - stride * label[p] + padding, *label[u + 1 :])
            for edge, label in wiring.tables[0].items()
        }
        return Wiring(wiring.start, wiring.env, (table,))

    def reader(self, wiring: Wiring) -> Callable[[Edge, int], Edge]:
        """What finds the edge of the same site that a tap stands for, on a cell or on padding."""
        u, p = position_of(wiring.start, self.moved), position_of(wiring.start, self.site)
        s, d, pad = (wiring.number(t) for t in (self.stride, self.dilation, self.padding))

        def reads(edge: Edge, tap: int) -> Edge:
            return (*edge[:u], s * edge[p] + d * tap - pad, *edge[u + 1 :])

        return reads


@dataclass(frozen=True)
class Restrict(Rule):
    """Keep only offsets in a window; the rest are exact zeros.  Assumption (locality).

    ``size`` None restricts to the single offset 0, and the axis is gone: the diagonal, by
    which a batch, a time step or a channel keeps to itself.  A window is a box of sites and
    taps, so taps that read padding are counted as uses of the label they carry.
    Side condition: the axis is an offset (re-indexed), else there is no window to keep.
    """

    offset: Reindex
    size: Term | None
    id: ClassVar[str] = "restrict"
    kind: ClassVar[Kind] = "~>"
    subgoal: ClassVar[str] = "restrict"

    def apply(self, bundle: Bundle) -> Bundle:
        """The offset's size becomes the window's."""
        box = _only_box(bundle, self.id)
        axis = box[position_of(box, self.offset.tap)]
        if axis.role != "offset":
            raise DeclarationError("restrict_offset", axis=axis.name)
        new = None if self.size is None else axis.sized(self.size)
        return _exchange(bundle, axis.name, new)

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """Edges outside the window go; taps a window lacks are added, reading padding."""
        at = position_of(before.boxes[0], self.offset.tap)
        dilation = wiring.number(self.offset.dilation)
        window = 1 if self.size is None else wiring.number(self.size)
        keeps_axis = self.size is not None
        reads = self.offset.reader(wiring)
        table: dict[Edge, Label] = {}
        sites: dict[tuple[Label, Label], Edge] = {}
        for edge, label in wiring.tables[0].items():
            head, tail = label[:at], label[at + 1 :]
            sites.setdefault((head, tail), edge)
            tap, off = divmod(label[at], dilation)
            if off == 0 and 0 <= tap < window:
                table[edge] = (*head, tap, *tail) if keeps_axis else head + tail
        for (head, tail), edge in sites.items():
            for tap in range(window):
                phantom = reads(edge, tap)
                table.setdefault(phantom, (*head, tap, *tail) if keeps_axis else head + tail)
        return Wiring(wiring.start, wiring.env, (table,))


@dataclass(frozen=True)
class Pad(Rule):
    """Adjoin phantom edges so that all offsets between a site and a border are a full box.

    The map is unchanged (padding is zero), so the kind is "=": n_in positions seen from
    n_out sites have n_out + n_in - 1 offsets.  Swin's relative table is this, then share.
    Side condition: stride 1 and no dilation.
    """

    offset: Reindex
    sites: Term
    id: ClassVar[str] = "pad"
    kind: ClassVar[Kind] = "="
    subgoal: ClassVar[str] = "relative"

    def apply(self, bundle: Bundle) -> Bundle:
        """The offset's size becomes n_out + n_in - 1."""
        box = _only_box(bundle, self.id)
        if not (same(self.offset.stride, ONE) and same(self.offset.dilation, ONE)):
            raise DeclarationError("pad_stride")
        axis = box[position_of(box, self.offset.tap)]
        return _exchange(bundle, axis.name, axis.sized(self.sites + axis.size - 1))

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """Every site gets an edge at every offset that some site has."""
        at = position_of(before.boxes[0], self.offset.tap)
        table = dict(wiring.tables[0])
        offsets = {label[at] for label in table.values()}
        reads = self.offset.reader(wiring)
        for edge, label in wiring.tables[0].items():
            for tap in offsets:
                phantom = reads(edge, tap)
                table.setdefault(phantom, (*label[:at], tap, *label[at + 1 :]))
        return Wiring(wiring.start, wiring.env, (table,))


@dataclass(frozen=True)
class Share(Rule):
    """Labels forget these coordinates: what is learned at one site serves all.  Assumption.

    The count is the number of distinct labels left, never a division by an orbit's size.
    Side conditions: a partner axis of the same direction was re-indexed first, else one
    label would mean different places at different sites (``summed`` says that the inputs
    are summed over the axis instead, as global average pooling does).
    """

    names: tuple[str, ...]
    summed: bool = False
    id: ClassVar[str] = "share"
    kind: ClassVar[Kind] = "~>"
    subgoal: ClassVar[str] = "share"

    def apply(self, bundle: Bundle) -> Bundle:
        """The shared axes leave the boxes."""
        for box in bundle.boxes:
            for axis in box:
                if axis.name in self.names:
                    _no_partner(axis, box, self.summed)
        for name in self.names:
            bundle = _exchange(bundle, name, None)
        return bundle

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """The coordinates are dropped from every label; edges stay: they are the uses."""
        tables = []
        for box, table in zip(before.boxes, wiring.tables, strict=True):
            kept = [i for i, axis in enumerate(box) if axis.name not in self.names]
            tables.append({e: tuple(label[i] for i in kept) for e, label in table.items()})
        return Wiring(wiring.start, wiring.env, tuple(tables))


def _no_partner(axis: Axis, box: Box, summed: bool) -> None:
    for other in box:
        absolute = other.dim == axis.dim and other.role != "offset"
        if axis.dim and other.side != axis.side and absolute and not summed:
            raise DeclarationError("share_absolute", axis=axis.name, partner=other.name)


@dataclass(frozen=True)
class Group(Rule):
    """Outputs of one group see inputs of the same group only.  Assumption.

    Both axes split into g equal groups and only equal groups stay joined, so the cut axis
    keeps 1/g of its size.  Side condition: g divides both (the layer requires it).
    """

    cut: str
    other: str
    groups: Term
    id: ClassVar[str] = "group"
    kind: ClassVar[Kind] = "~>"
    subgoal: ClassVar[str] = "restrict"

    def apply(self, bundle: Bundle) -> Bundle:
        """The cut axis's size is divided by the number of groups."""
        box = _only_box(bundle, self.id)
        axis = box[position_of(box, self.cut)]
        position_of(box, self.other)
        size = ONE if axis.size == self.groups else axis.size / self.groups
        return _exchange(bundle, self.cut, axis.sized(size))

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """Edges between different groups go; the cut coordinate counts within its group."""
        box = before.boxes[0]
        c, o = position_of(box, self.cut), position_of(box, self.other)
        g = wiring.number(self.groups)
        part_c, part_o = (wiring.number(box[i].size) // g for i in (c, o))
        table = {
            edge: (*label[:c], label[c] % part_c, *label[c + 1 :])
            for edge, label in wiring.tables[0].items()
            if label[c] // part_c == label[o] // part_o
        }
        return Wiring(wiring.start, wiring.env, (table,))


@dataclass(frozen=True)
class Split(Rule):
    """One axis as two, a = (a1, a2), or two as one.  Equality.

    Side condition: the sizes multiply out (n_a = n_1 * n_2), as the head count and the
    width of a head do for the model width.
    """

    whole: Axis
    outer: Axis
    inner: Axis
    merge: bool = False
    id: ClassVar[str] = "split"
    kind: ClassVar[Kind] = "="
    subgoal: ClassVar[str] = "relative"

    def apply(self, bundle: Bundle) -> Bundle:
        """One axis is exchanged for two, or two for one."""
        box = _only_box(bundle, self.id)
        if not same(self.outer.size * self.inner.size, self.whole.size):
            raise DeclarationError("split_sizes", whole=self.whole.name)
        if self.merge:
            at = position_of(box, self.outer.name)
            if position_of(box, self.inner.name) != at + 1:
                raise DeclarationError("split_apart", outer=self.outer.name)
            return Bundle(((*box[:at], self.whole, *box[at + 2 :]),), bundle.stored)
        at = position_of(box, self.whole.name)
        return Bundle(((*box[:at], self.outer, self.inner, *box[at + 1 :]),), bundle.stored)

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """A coordinate becomes quotient and remainder, or back."""
        box = before.boxes[0]
        n = wiring.number(self.inner.size)
        at = position_of(box, self.outer.name if self.merge else self.whole.name)
        table: dict[Edge, Label] = {}
        for edge, label in wiring.tables[0].items():
            if self.merge:
                table[edge] = (*label[:at], label[at] * n + label[at + 1], *label[at + 2 :])
            else:
                table[edge] = (*label[:at], *divmod(label[at], n), *label[at + 1 :])
        return Wiring(wiring.start, wiring.env, (table,))


class _Unstored(Rule):
    """Edges stay (they are used), labels stop being parameters of this tensor."""

    kind: ClassVar[Kind] = "~>"
    subgoal: ClassVar[str] = "share"

    def apply(self, bundle: Bundle) -> Bundle:
        """The same boxes, not stored."""
        return Bundle(bundle.boxes, stored=False)

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """Every edge keeps its place, none keeps a label."""
        return Wiring(wiring.start, wiring.env, tuple({} for _ in wiring.tables))


@dataclass(frozen=True)
class Fix(_Unstored):
    """The entries are known constants (1/k^2, a DFT, frozen): nothing is learned."""

    value: Term | None = None
    id: ClassVar[str] = "fix"


@dataclass(frozen=True)
class Dynamic(_Unstored):
    """The entries are computed from the data (a maximum's place, attention scores)."""

    id: ClassVar[str] = "dynamic"


@dataclass(frozen=True)
class Tie(_Unstored):
    """The labels are those of another tensor of the same shape: counted there."""

    to: str
    id: ClassVar[str] = "tie"


@dataclass(frozen=True)
class Factor(Rule):
    """W[a, b] = sum over r of B[a, r] A[r, b].  Assumption; saves if r < ab/(a + b).

    The axes of ``left`` go to the first box, ``right`` to the second; all others (sites)
    stay in both.
    """

    rank: Axis
    left: tuple[str, ...]
    right: tuple[str, ...]
    letters: tuple[str, str] = ("B", "A")
    id: ClassVar[str] = "factor"
    kind: ClassVar[Kind] = "~>"
    subgoal: ClassVar[str] = "restrict"

    def apply(self, bundle: Bundle) -> Bundle:
        """One box becomes two, joined by the rank axis."""
        box = _only_box(bundle, self.id)
        for name in (*self.left, *self.right):
            position_of(box, name)
        first = tuple(axis for axis in box if axis.name not in self.right)
        second = tuple(axis for axis in box if axis.name not in self.left)
        return Bundle(((*first, self.rank), (self.rank, *second)), bundle.stored)

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """Each index pair of a factor is one edge and one label."""
        box = before.boxes[0]
        ranks = range(wiring.number(self.rank.size))
        first: dict[Edge, Label] = {}
        second: dict[Edge, Label] = {}
        a = [i for i, axis in enumerate(box) if axis.name not in self.right]
        b = [i for i, axis in enumerate(box) if axis.name not in self.left]
        for label in set(wiring.tables[0].values()):
            for r in ranks:
                key = (*(label[i] for i in a), r)
                first[key] = key
                key = (r, *(label[i] for i in b))
                second[key] = key
        return Wiring(wiring.start, wiring.env, (first, second))


@dataclass(frozen=True)
class Replicate(Rule):
    """Independent copies over an axis: gates, experts, directions.  Part of the start."""

    axis: Axis
    id: ClassVar[str] = "replicate"
    kind: ClassVar[Kind] = "="
    subgoal: ClassVar[str] = "axes"

    def apply(self, bundle: Bundle) -> Bundle:
        """The copies' axis joins every box."""
        return Bundle(tuple((self.axis, *box) for box in bundle.boxes), bundle.stored)

    def run(self, wiring: Wiring, before: Bundle) -> Wiring:
        """Every edge and its label once for each copy."""
        copies = range(wiring.number(self.axis.size))
        tables = tuple(
            {(*edge, r): (r, *label) for edge, label in table.items() for r in copies}
            for table in wiring.tables
        )
        return Wiring(wiring.start, wiring.env, tables)


RULES: tuple[type[Rule], ...] = (
    Reindex, Pad, Restrict, Share, Split, Group, Fix, Factor, Tie, Replicate, Dynamic,
)  # fmt: skip
