"""A layer as declared index sets, and what follows from them: counts, uses, shapes.

No formula is written here or in any entry: a tensor is a start box and a tuple of rules,
and every quantity is a fold over that tuple.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from .algebra import value
from .axes import Axis, Box, axes, box_size, position_of, side_of
from .calculus import (
    SUBGOALS,
    Bundle,
    Dynamic,
    Env,
    Factor,
    Fix,
    Group,
    Pad,
    Reindex,
    Restrict,
    Rule,
    Share,
    Split,
    Wiring,
    dense,
)
from .errors import DeclarationError
from .symbols import INDEX
from .terms import ONE, Floor, Num, S, Sym, Term, letters, product, substitute, term, total

Values = Mapping[str, Term]


@dataclass(frozen=True)
class Tensor:
    """A parameter tensor: its outputs, its inputs and the rules that act on the dense map.

    ``letter`` names it in a written equation that ``reads`` some values and ``writes``
    others; ``kind`` is weight, bias, scale, table (looked up), stat, buffer or dynamic.  ``when``
    is the switch that decides whether it is there; one that is not ``trainable`` is counted apart,
    and a buffer is not counted as a weight at all.  ``factors`` are the values a product of
    several inputs reads, each with its axes.
    """

    name: str
    letter: str
    out: Box
    inputs: Box = ()
    rules: tuple[Rule, ...] = ()
    when: str = ""
    trainable: bool = True
    kind: str = "weight"
    reads: str = "x"
    writes: str = "y"
    factors: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def start(self) -> Bundle:
        """The dense start: one label for every pair of an output and an input."""
        return Bundle(((*self.out, *self.inputs),))

    def windowed(self, site: str = "out", **windows: str) -> Tensor:
        """Each output reads a window: ``windowed(H="k_h")`` re-indexes H, then restricts.

        ``site="in"`` turns it round: each input value is spread over a window of outputs.
        """
        return self.through(windows, site)

    def through(
        self, windows: Mapping[str, str], site: str = "out", same: bool = False,
        low: Mapping[str, str] | None = None,
    ) -> Tensor:  # fmt: skip
        """The same, with the windows' padding of another kind.

        ``same`` keeps the size: stride 1, no dilation, padding by half the window; ``low`` are the
        letters of the padding at the low side of each axis, where the sides differ.
        """
        moved_box, site_box = (self.inputs, self.out) if site == "out" else (self.out, self.inputs)
        rules: list[Rule] = []
        for dim, tap in windows.items():
            moved, fixed = _along(moved_box, dim), _along(site_box, dim)
            mark = tap.removeprefix("k")
            padding = S((low or {}).get(dim, "P" + mark))
            moves: tuple[Term, Term, Term] = (S("s" + mark), S("d" + mark), padding)
            if same:
                moves = (ONE, ONE, Floor((S(tap) - 1) / 2))
            offset = Reindex(moved.name, fixed.name, tap, INDEX[tap], *moves)
            rules += [offset, Restrict(offset, S(tap))]
        return self._with(*rules)

    def diagonal(self, *dims: str, lag: int = 0) -> Tensor:
        """Each output reads only its own place along these directions (or ``lag`` before)."""
        rules: list[Rule] = []
        for dim in dims:
            moved, fixed = _along(self.inputs, dim), _along(self.out, dim)
            name = moved.name + "-" + fixed.name
            offset = Reindex(moved.name, fixed.name, name, moved.index, padding=term(lag))
            rules += [offset, Restrict(offset, None)]
        return self._with(*rules)

    def grouped(self, cut: str, other: str, by: str = "g") -> Tensor:
        """Only inputs and outputs of one of ``by`` groups are joined."""
        return self._with(Group(cut, other, S(by)))

    def shared_over(self, *names: str, summed: bool = False) -> Tensor:
        """The same labels at every index of these axes."""
        return self._with(Share(names, summed))

    def merged(self, outer: str, inner: str, whole: Axis) -> Tensor:
        """Two neighbouring axes written as one, as long as their product: heads and their width."""
        first, second = (_named((*self.out, *self.inputs), name) for name in (outer, inner))
        return self._with(Split(whole, first, second, merge=True))

    def relative(self, *dims: str) -> Tensor:
        """Every offset between two positions, padded to a full box of them."""
        rules: list[Rule] = []
        for dim in dims:
            moved, fixed = _along(self.inputs, dim), _along(self.out, dim)
            offset = Reindex(moved.name, fixed.name, f"{moved.name}-{fixed.name}", moved.index)
            rules += [offset, Pad(offset, fixed.size)]
        return self._with(*rules)

    def factored(self, rank: Axis, left: tuple[str, ...], right: tuple[str, ...]) -> Tensor:
        """A product of two thinner maps, joined by a rank."""
        return self._with(Factor(rank, left, right))

    def of_kind(self, kind: str) -> Tensor:
        """The same tensor, said to be a scale, a table, a statistic or computed from the data."""
        return replace(self, kind=kind)

    def fixed(self, to: Term | None = None) -> Tensor:
        """The entries are constants."""
        return self._with(Fix(to))

    def frozen(self) -> Tensor:
        """Counted, but not trained."""
        return replace(self, trainable=False)

    def selected(self) -> Tensor:
        """The entries are computed from the data."""
        return self._with(Dynamic())

    def reading(self, values: str, writes: str = "") -> Tensor:
        """The values it reads in a written equation, and those it works out."""
        return replace(self, reads=values, writes=writes or self.writes)

    def where(self, switch: str) -> Tensor:
        """There only where a switch is on."""
        return replace(self, when=switch)

    def _with(self, *rules: Rule) -> Tensor:
        ordered = sorted((*self.rules, *rules), key=lambda rule: SUBGOALS.index(rule.subgoal))
        fresh = replace(self, rules=tuple(ordered))
        assert fresh.bundles  # a bad declaration is refused when it is made
        return fresh

    @functools.cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """The index sets after the start and after each rule.

        Raises:
            DeclarationError: a rule's side condition fails.
        """
        bundles = [self.start]
        for rule in self.rules:
            bundles.append(rule.apply(bundles[-1]))
        return tuple(bundles)

    @property
    def end(self) -> Bundle:
        """The index sets of what is stored."""
        return self.bundles[-1]

    @functools.cached_property
    def size(self) -> Term:
        """How many parameters the tensor declares."""
        return self.end.size

    @functools.cached_property
    def unshared(self) -> Tensor:
        """The same tensor with weights of its own at every site: each use is a label."""
        kept = (rule for rule in self.rules if not isinstance(rule, Share) or rule.summed)
        return replace(self, rules=tuple(kept))

    @functools.cached_property
    def uses(self) -> Term:
        """How often its labels are used for one input: the cells without sharing."""
        return self.unshared.end.cells

    @property
    def multiplied(self) -> bool:
        """Whether its entries are multiplied with values and added up: a weight, or scores
        computed from the data; not a look-up, a scale or a bias."""
        return self.kind == "dynamic" or (self.kind == "weight" and self.end.stored)

    def per_batch(self) -> Tensor:
        """The same tensor with the batch written out: a site like any other, always shared."""
        return self.at_every(axes("N", "out")[0])

    def at_every(self, site: Axis) -> Tensor:
        """The same tensor at every index of a site that keeps to itself, always shared."""
        rules: tuple[Rule, ...] = (Share((site.name,)),)
        inputs = self.inputs
        if inputs:
            (moved,) = _apart((site.on("in"),), (site,))
            inputs = (moved, *inputs)
            offset = Reindex(moved.name, site.name, f"{moved.name}-{site.name}", moved.index)
            rules = (offset, Restrict(offset, None), *rules)
        ordered = sorted((*rules, *self.rules), key=lambda rule: SUBGOALS.index(rule.subgoal))
        return replace(self, out=(site, *self.out), inputs=inputs, rules=tuple(ordered))

    def bound(self, values: Values) -> Tensor | None:
        """What is left of the declaration once switches are set; None when it is off.

        A rule bound to nothing (one group) leaves the tuple, so it is in no step's name.
        """
        if self.when and values.get(self.when) == Num(0):
            return None
        if any(substitute(axis.size, values) == Num(0) for axis in (*self.out, *self.inputs)):
            return None
        kept = tuple(r for r in self.rules if not (isinstance(r, Group) and _one(r, values)))
        held = values.get(self.when)
        switch = self.when if held is None or isinstance(held, Sym) else ""
        out = several(self.out, values)
        if kept == self.rules and switch == self.when and out == self.out:
            return self
        return replace(self, rules=kept, when=switch, out=out)

    def wire(self, env: Env) -> list[Wiring]:
        """All edges and labels at small numbers, after the start and after each rule."""
        wirings = [dense(self.start.boxes[0], env)]
        for rule, before in zip(self.rules, self.bundles, strict=False):
            wirings.append(rule.run(wirings[-1], before))
        return wirings


def several(box: Box, values: Values) -> Box:
    """A box without copies that are only one."""
    return tuple(a for a in box if a.role != "copy" or substitute(a.size, values) != ONE)


def _one(rule: Group, values: Values) -> bool:
    return substitute(rule.groups, values) == ONE


def _named(box: Box, name: str) -> Axis:
    return box[position_of(box, name)]


def _along(box: Box, dim: str) -> Axis:
    for axis in box:
        if dim in (axis.dim, axis.name):
            return axis
    raise DeclarationError("no_axis", axis=dim, box=" ".join(a.name for a in box) or "()")


def weight(out: str | Box, inputs: str | Box, name: str = "weight", letter: str = "w") -> Tensor:
    """The dense start of a weight: every output joined to every input."""
    outputs = _box(out, "out")
    return Tensor(name, letter, outputs, _apart(_box(inputs, "in"), outputs))


def _apart(inputs: Box, outputs: Box) -> Box:
    """Input axes named as an output axis get a prime: one direction, two index sets."""
    names = {axis.name for axis in outputs}
    used = {axis.index for axis in outputs}
    return tuple(
        replace(a, name=a.name + "'", index=a.index + "'" if a.index in used else a.index)
        if a.name in names
        else a
        for a in inputs
    )


def bias(out: str | Box, name: str = "bias", letter: str = "b", when: str = "b") -> Tensor:
    """One bias for every output, where the bias switch is on."""
    return Tensor(name, letter, _box(out, "out"), when=when, kind="bias")


def _box(box: str | Box, side: str) -> Box:
    return axes(box, "out" if side == "out" else "in") if isinstance(box, str) else box


@dataclass(frozen=True)
class Key:
    """What a person can set: a size, a modifier or a switch.

    ``symbol`` is its letter and ``parts`` its letters axis by axis; ``default`` gives a
    Term for each part, or nothing where the letter stays open.  ``least`` is the smallest
    number allowed; ``words`` are settings by name (``same``) and the structural option
    they choose.  Of kind ``structure`` a whole number, of kind ``listed`` a sequence is itself
    the option; of kind ``sizes`` there is a letter for each value, and the option is how many.
    """

    symbol: str
    code: str
    parts: tuple[str, ...] = ()
    default: tuple[Term, ...] = ()
    kind: str = "size"
    least: int = 1
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    option: str = ""
    flag: tuple[Term, ...] = ()  # what False and True stand for, where it may be said so

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters that carry the value."""
        return self.parts or (self.symbol,)


@dataclass(frozen=True)
class Define:
    """A derived size: its letter and what it is."""

    symbol: str
    term: Term


@dataclass(frozen=True)
class Divides:
    """A side condition: the first divides the second."""

    divisor: str
    whole: str


@dataclass(frozen=True)
class Part:
    """A layer inside another: under a name, its letters bound to Terms of the whole.

    ``copies`` says how many independent ones there are, ``active`` through how many of them
    one input goes; a part that is ``tied`` uses the weights of another and adds none; ``when``
    is the switch that decides whether it is there.
    """

    name: str
    layer: Layer
    bind: tuple[tuple[str, Term], ...] = ()
    copies: Term = ONE
    tied: str = ""
    when: str = ""
    active: Term | None = None


def part(
    name: str, layer: Layer, copies: Term = ONE, tied: str = "", when: str = "",
    active: Term | None = None, **bind: Term | int,
) -> Part:  # fmt: skip
    """A part with its letters bound: ``part("up", linear(), C_in=S("d"), C_out=S("f"))``.

    Raises:
        DeclarationError: the layer has no such letter.
    """
    for letter in bind:
        if letter not in layer.letters:
            raise DeclarationError("stray_letter", layer=layer.id, tensor=name, letter=letter)
    terms = tuple((letter, term(value)) for letter, value in bind.items())
    return Part(name, layer, terms, copies, tied, when, active)


@dataclass(frozen=True)
class Layer:
    """A layer type: its axes, its tensors or parts, its keys, and how its sizes follow.

    ``conventions`` binds letters as a framework does (how many bias vectors an LSTM has);
    a wrapper is made ``of`` another layer.  ``title`` is what a layer that somebody else
    declares is called; those of the catalogue have their words in the templates.
    """

    id: str
    family: str
    inputs: Box
    outputs: Box
    tensors: tuple[Tensor, ...] = ()
    keys: tuple[Key, ...] = ()
    defines: tuple[Define, ...] = ()
    requires: tuple[Divides, ...] = ()
    also: tuple[str, ...] = ()
    options: tuple[tuple[str, object], ...] = ()
    parts: tuple[Part, ...] = ()
    conventions: tuple[tuple[str, tuple[tuple[str, Term], ...]], ...] = ()
    of: Layer | None = None
    title: str = ""

    def __post_init__(self) -> None:
        names = [*(t.name for t in self.tensors), *(p.name for p in self.parts)]
        if len(set(names)) != len(names):
            raise DeclarationError("tensor_twice", layer=self.id)
        for tensor in self.tensors:
            self._known(tensor.name, letters(tensor.size) | letters(tensor.uses))
        for piece in self.parts:
            sizes = ("copies", piece.copies), ("active", piece.active or ONE)
            for _, bound in (*piece.bind, *sizes):
                self._known(piece.name, letters(bound))

    def _known(self, piece: str, used: frozenset[str]) -> None:
        stray = used - self.letters
        if stray:
            raise DeclarationError("stray_letter", layer=self.id, tensor=piece, letter=min(stray))

    @functools.cached_property
    def letters(self) -> frozenset[str]:
        """Every letter of the layer: of its axes, keys and derived sizes."""
        known = {axis.name for axis in (*self.inputs, *self.outputs)}
        known |= {letter for key in self.keys for letter in (key.symbol, *key.letters)}
        return frozenset(known | {define.symbol for define in self.defines})

    @functools.cached_property
    def memo(self) -> dict[object, object]:
        """What was found once for this declaration, by whoever found it."""
        return {}

    @functools.cached_property
    def _variants(self) -> dict[tuple[object, ...], tuple[Tensor, ...]]:
        return {}

    def variant(self, values: Values) -> tuple[Tensor, ...]:
        """The tensors for a structure: which switches are on, whether there are groups.

        Kept per structure, so that what follows from a declaration is worked out once.
        """
        structure = self.structure(values)
        if structure not in self._variants:
            bound = (tensor.bound(values) for tensor in self.tensors)
            self._variants[structure] = tuple(t for t in bound if t is not None)
        return self._variants[structure]

    def structure(self, values: Values) -> tuple[object, ...]:
        """What of the values decides which tensors and rules there are."""
        return tuple(
            values.get(key.symbol)
            if key.kind == "switch"
            else values.get(key.symbol) in (ONE, Num(0)) and values.get(key.symbol)
            for key in self.keys
            if key.kind in ("switch", "copies") or key.symbol in self._ones
        )

    @functools.cached_property
    def _ones(self) -> frozenset[str]:
        """The letters that change the structure when they are 1: groups, copies."""
        copies = frozenset(axis.name for axis in self.outputs if axis.role == "copy")
        return copies | frozenset(condition.divisor for condition in self.requires)

    def key(self, name: str) -> Key | None:
        """The key that answers to a name: its symbol, its code form, or a part's letter."""
        for key in self.keys:
            if name in (key.symbol, key.code, *key.also) or name in key.letters:
                return key
        return None

    @property
    def switches(self) -> tuple[str, ...]:
        """The letters of the switches, in order."""
        return tuple(key.symbol for key in self.keys if key.kind == "switch")

    def define(self, symbol: str) -> Term | None:
        """What a derived size is, or None for a letter of its own."""
        for define in self.defines:
            if define.symbol == symbol:
                return define.term
        return None


Build = Callable[..., Layer]


def usual(
    layer: Layer, values: dict[str, Term], outer: frozenset[str] = frozenset()
) -> dict[str, Term]:
    """Modifiers left out take their usual value; a kernel left out is square, one letter.

    The ``outer`` letters hold sizes of what the layer is a part of, in whose letters they speak.
    """
    fresh: dict[str, Term] = {}
    for key in layer.keys:
        missing = [letter for letter in key.letters if letter not in values]
        if key.default and missing:
            usual_ = zip(key.letters, key.default, strict=True)
            fresh.update((letter, held) for letter, held in usual_ if letter in missing)
        elif len(key.parts) > 1 and key.kind == "size" and len(missing) == len(key.parts):
            values.update({part: S(key.symbol) for part in key.parts})
    values.update(fresh)
    for _ in range(2):  # a usual value may be another letter of the layer (a pool's window)
        for letter, held in list(values.items()):
            if letter not in outer and letter not in letters(held):
                values[letter] = substitute(fresh.get(letter, held), values)
    return values


@dataclass(frozen=True)
class BoundPart:
    """A part of a bound layer: its name, what is known of it, and how many there are."""

    name: str
    bound: Bound
    copies: Term = ONE
    tied: str = ""
    when: str = ""
    active: Term = ONE


@dataclass(frozen=True)
class Bound:
    """A layer with what is known of it: numbers, letters, switches.

    ``values`` holds a Term for each letter that was set or has its usual value; letters
    that are not in it stay; ``given`` are the letters a person set.  Structure (switches,
    one group) is bound before anything is derived, numbers are substituted into what was.
    """

    layer: Layer
    values: Values = field(default_factory=dict)
    given: frozenset[str] = frozenset()

    @functools.cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors that are there."""
        return self.layer.variant(self.values)

    @functools.cached_property
    def parts(self) -> tuple[BoundPart, ...]:
        """The parts that are there, their letters bound in terms of this layer's."""
        out = []
        for piece in self.layer.parts:
            switch = self.values.get(piece.when)
            copies = self.put(piece.copies)
            if switch == Num(0) or (not letters(copies) and value(copies) == 0):
                continue
            values = {letter: _settled(self.put(size)) for letter, size in piece.bind}
            bound = Bound(piece.layer, usual(piece.layer, values, frozenset(values)))
            when = piece.when if switch is None or isinstance(switch, Sym) else ""
            active = copies if piece.active is None else self.put(piece.active)
            out.append(BoundPart(piece.name, bound, copies, piece.tied, when, active))
        return tuple(out)

    @property
    def outputs(self) -> Box:
        """The output axes that are there."""
        return several(self.layer.outputs, self.values)

    def put(self, size: Term) -> Term:
        """A size with what is known put in."""
        if isinstance(size, Sym):
            return self.values.get(size.name, size)
        return substitute(size, self.values)

    def box(self, box: Iterable[Axis]) -> tuple[Term, ...]:
        """The sizes of axes, with what is known put in."""
        return tuple(self.put(axis.size) for axis in box)

    def share_of(self, tensor: Tensor) -> Term:
        """A tensor's part of the count; an open switch stays as a factor."""
        size = tensor.size
        return S(tensor.when) * size if tensor.when else size

    def count(self, trainable: bool = True) -> Term:
        """The number of parameters, in letters; the parts' with what is known put in."""
        own = [self.share_of(t) for t in self._weights(trainable)]
        return total(*own, *(_of_part(p, p.bound.stored(trainable)) for p in self.parts))

    def stored(self, trainable: bool = True) -> Term:
        """The number of parameters with what is known put in."""
        own = [self.put(self.share_of(t)) for t in self._weights(trainable)]
        return total(*own, *(_of_part(p, p.bound.stored(trainable)) for p in self.parts))

    def _weights(self, trainable: bool) -> Iterable[Tensor]:
        return (t for t in self.tensors if t.trainable == trainable and t.kind != "buffer")

    @property
    def buffers(self) -> Term:
        """What is kept beside the weights and not counted with them, as PyTorch's buffers are."""
        own = [self.put(self.share_of(t)) for t in self.tensors if t.kind == "buffer"]
        return total(*own, *(_of_part(p, p.bound.buffers) for p in self.parts))

    @property
    def params(self) -> Term:
        """The number of trainable parameters with what is known put in."""
        return self.stored()

    @property
    def macs(self) -> Term:
        """Multiply-accumulates for one input, in letters: every weight's uses."""
        used = [t.uses for t in self.tensors if t.multiplied]
        return total(*used, *self._parts_macs)

    @property
    def _parts_macs(self) -> list[Term]:
        return [_times(p.active, p.bound.used) for p in self.parts]

    @property
    def used(self) -> Term:
        """Multiply-accumulates for one input with what is known put in."""
        used = [self.put(t.uses) for t in self.tensors if t.multiplied]
        return total(*used, *self._parts_macs)

    @property
    def active(self) -> Term:
        """The trainable parameters that one input meets: of experts, those it is sent to."""
        own = [self.put(self.share_of(t)) for t in self._weights(True)]
        parts = (_of_part(p, p.bound.active, p.active) for p in self.parts)
        return total(*own, *parts)

    @property
    def activations(self) -> Term:
        """The number of output values for one input, in letters."""
        return box_size(self.outputs)

    def expand(self, size: Term) -> Term:
        """Derived sizes put in, until only given letters are left."""
        known = {d.symbol: d.term for d in self.layer.defines if d.symbol not in self.values}
        for _ in range(3):  # a definition speaks of another (k_eff), no deeper
            before, size = size, substitute(size, known)
            if size is before:
                break
        return self.put(size)  # once: a value may speak of an outer letter of the same name

    def formula(self) -> Term:
        """The count over every letter of the layer, nothing put in."""
        return Bound(self.layer).count()


def _settled(size: Term) -> Term:
    """What a part is told: a size that is all numbers as one number."""
    if isinstance(size, Num | Sym) or letters(size):
        return size
    found = value(size)
    return Num(int(found)) if found == int(found) else size


def _of_part(piece: BoundPart, size: Term, copies: Term | None = None) -> Term:
    if piece.tied:
        return Num(0)
    many = piece.copies if copies is None else copies
    return _times(S(piece.when) if piece.when else ONE, many, size)


def _times(*factors: Term) -> Term:
    several = [factor for factor in factors if factor != ONE]
    return product(*(several or [ONE]))


def inner_and_outer(tensor: Tensor) -> tuple[Box, Box]:
    """The stored axes as (what one unit has, how many units there are).

    One output needs every stored input index; with no input left but the layer spread
    over outputs (a transposed convolution), one input feeds every stored output index.
    """
    box = tensor.end.boxes[0]
    taps = tuple(axis for axis in box if axis.role == "offset")
    inputs, outputs = side_of(box, "in"), side_of(box, "out")
    if taps and taps[0].side == "out":
        inner = (*taps, *(axis for axis in outputs if axis.role != "offset"))
        return inner, inputs
    inner = (*(a for a in inputs if a.role == "offset"), *(a for a in inputs if a.role != "offset"))
    return inner, (*side_of(box, "copy"), *outputs)
