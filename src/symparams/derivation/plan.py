"""The facts of one layer's count, worked out once for every level, and the common phrases."""

from __future__ import annotations

import functools

from .. import symbols as names
from ..algebra import number, value
from ..axes import SITES, Axis, Box
from ..declaration import Bound, Key, Layer
from ..rewriting import factored
from ..terms import (
    ONE,
    Ceil,
    Floor,
    Neg,
    Num,
    Quot,
    Rel,
    S,
    Sum,
    Sym,
    Term,
    letters,
    product,
    substitute,
    total,
    walk,
)
from ..words import first, source
from .page import Dims, Formula, Indices, Letter, Listing, Say
from .steps import Step, count_steps, index_steps
from .story import Story


class Plan:
    """What happened to the tensors of a layer, and its totals."""

    def __init__(self, bound: Bound, convention: str = "textbook") -> None:
        self.bound = bound
        self.convention = convention
        self.layer = bound.layer
        self.family = home(bound.layer)
        self.tensors = tuple(t for t in bound.tensors if t.trainable and t.end.stored)
        self.stories = tuple(Story(bound, t) for t in self.tensors)
        self.written = tuple(
            Story(bound, t) for t in bound.tensors if t in self.tensors or not t.end.stored
        )
        self.weights = tuple(s for s in self.stories if s.tensor.kind != "bias")
        self.biases = tuple(s for s in self.stories if s.tensor.kind == "bias")
        if not self.weights:  # a normalisation with a shift and no scale
            self.weights, self.biases = self.biases, ()
        self.main = self.weights[0] if self.weights else None
        self.bias_open = any(t.when for t in self.tensors)

    @functools.cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step, index sets first, then the total."""
        out: tuple[Step, ...] = ()
        for tensor in self.tensors:
            out += index_steps(self.bound, tensor)
        return out + count_steps(self.bound, self.tensors, "params")

    @functools.cached_property
    def weight_total(self) -> Term:
        """All weights together."""
        return worked(total(*(self.bound.put(s.tensor.size) for s in self.weights)))

    @functools.cached_property
    def bias_total(self) -> Term | None:
        """All biases together, where there are any."""
        if not self.biases:
            return None
        return worked(total(*(self.bound.put(s.tensor.size) for s in self.biases)))

    @functools.cached_property
    def with_bias(self) -> Term:
        """Weights and biases."""
        if self.bias_total is None:
            return self.weight_total
        return worked(self.weight_total + self.bias_total)

    @functools.cached_property
    def positions(self) -> Box:
        """The axes of the input that range over positions."""
        return tuple(a for a in self.layer.inputs if a.role == "position")

    @property
    def drops(self) -> bool:
        """Whether positions are sites that leave the count."""
        return self.main is not None and any(a.role == "position" for a in self.main.shared)

    @property
    def stays(self) -> Box:
        """The axes of the weight that still range over positions."""
        if self.main is None:
            return ()
        box = self.main.tensor.end.boxes[0]
        return tuple(a for a in box if a.role in ("position", "token", "time"))

    def sized(self, size: Term) -> Term:
        """A size with what is known put in, worked out."""
        return worked(self.bound.put(size))


def worked(size: Term) -> Term:
    """A size worked out: a number, or letters collected and factored."""
    found = number(size)
    if found is not None:
        return Num(int(found)) if found == int(found) else size
    return factored(size)


def whole(size: Term) -> int | None:
    """A size as a number, or None while letters are left."""
    found = number(size)
    return int(found) if found is not None and found == int(found) else None


def plain(sizes: tuple[Term, ...]) -> tuple[Term, ...]:
    """Sizes with every quotient of numbers worked out: the width of one head of several."""
    return tuple(
        size if isinstance(size, Num) or (found := whole(size)) is None else Num(found)
        for size in sizes
    )


# --- phrases -------------------------------------------------------------------------------


def layer_fact(bound: Bound) -> Say:
    """The noun phrase of a layer, ``a 3x3 convolution``."""
    parts = tuple(bound.put(S(letter)) for letter in parts_of(bound, "k"))
    numeric = bool(parts) and all(isinstance(part, Num) for part in parts)
    facts = {
        "kernel": Dims(parts) if numeric else None,
        "axes": len(parts),
        "groups": _given_groups(bound),
        "name": named(bound.layer),
        **_several(bound),
    }
    if bound.layer.of is not None:  # a wrapper is called after what it wraps
        facts["inner"] = layer_fact(Bound(bound.layer.of, bound.values))
        return Say(f"layers.{bound.layer.id}.a", facts)
    return Say(f"layers.{home(bound.layer)}.a", facts)


def home(layer: Layer) -> str:
    """The family under which a layer's words stand: its own, or that of all without any."""
    return "own" if layer.title and source(f"layers.{layer.family}.a") is None else layer.family


def named(layer: Layer) -> Say:
    """What a layer is called in a list."""
    if layer.title and source(f"layers.{layer.id}.name") is None:
        return Say("layers.own.name", {"title": layer.title})
    return Say(f"layers.{layer.id}.name")


def _several(bound: Bound) -> dict[str, object]:
    """Modifiers that bring in other structure, where they are more than one: layers, directions."""
    keys = (k for k in bound.layer.keys if k.kind == "modifier" and k.option not in ("", "sides"))
    given = {k.symbol: bound.values.get(k.symbol) for k in keys if not k.words}
    return {name: None if held == ONE else held for name, held in given.items()}


def _given_groups(bound: Bound) -> Term | None:
    groups = bound.values.get("g")
    return None if groups in (None, ONE) else groups


def parts_of(bound: Bound, symbol: str) -> tuple[str, ...]:
    """The letters that carry a key's value, if the layer has it."""
    key = bound.layer.key(symbol)
    return key.letters if key else ()


def shape(bound: Bound, box: Box) -> Dims:
    """A shape as the questions write it: sites first, channels last (several multiplied)."""
    sites = tuple(bound.put(a.size) for a in box if a.role in SITES)
    channels = [bound.put(a.size) for a in box if a.role not in SITES]
    if any(t.factors and box == bound.layer.inputs for t in bound.layer.tensors):
        return Dims((*sites, *channels))  # of several inputs, not of one
    if channels:
        several = [c for c in channels if c != ONE]
        joined = worked(product(*several)) if len(several) > 1 else (several or channels)[0]
        sites = (*sites, joined)
    return Dims(sites)


def shapes(bound: Bound) -> Say:
    """From which shape to which."""
    facts = {"inp": shape(bound, bound.layer.inputs), "out": shape(bound, bound.outputs)}
    return Say("titles.shapes", facts)


def axes_facts(story: Story) -> dict[str, object]:
    """The index letters and sizes of both sides."""
    bound = story.bound
    out = story.tensor.out
    inputs = story.tensor.inputs
    return {
        "out": Indices(tuple(a.index for a in out)),
        "out_sizes": Listing(plain(bound.box(out))),
        "inp": Indices(tuple(a.index for a in inputs)),
        "in_sizes": Listing(plain(bound.box(inputs))),
    }


def letter(story: Story) -> Letter:
    """A tensor's letter."""
    return Letter(story.tensor.letter)


def indices(box: Box) -> Indices:
    """The index letters of a box."""
    return Indices(tuple(axis.index for axis in box))


# --- stride and padding ----------------------------------------------------------------------


def fit_line(bound: Bound) -> Say | None:
    """Stride and padding, and that they map the input size to the output size."""
    checks: list[Term] = []
    for define in bound.layer.defines:
        result = bound.values.get(define.symbol)
        if not define.symbol.endswith("_out") or define.symbol == "C_out":
            continue
        line = size_line(bound, define.term)
        if isinstance(result, Num) and line is not None and Rel(line, result) not in checks:
            checks.append(Rel(line, result))
    if not checks or bound.layer.key("s") is None:
        return None
    facts = {
        **{name: _once(bound, symbol) for name, symbol in _MODIFIERS.items()},
        "dilated": _once(bound, "d") not in (None, Dims((ONE,))),
        "extra": _once(bound, "op") not in (None, Dims((Num(0),))),
        "mode": dict(bound.layer.options).get("padding"),
        "checked": any(d.symbol in bound.given for d in bound.layer.defines),
        "line": checks[0],
        "other": checks[1] if len(checks) > 1 else None,
        "third": checks[2] if len(checks) > 2 else None,
    }
    return Say("steps.axes.fit", facts)


_MODIFIERS = {"stride": "s", "padding": "P", "dilation": "d", "output_padding": "op"}


def _once(bound: Bound, symbol: str) -> Dims | None:
    sizes = tuple(bound.put(S(name)) for name in parts_of(bound, symbol))
    if not sizes:
        return None
    return Dims(sizes[:1] if len(set(sizes)) == 1 else sizes)


def size_line(bound: Bound, definition: Term) -> Term | None:
    """A size rule with the numbers in, without what does nothing (stride 1, no padding)."""
    size = bound.expand(definition)
    return None if letters(size) else neat(size)


def neat(size: Term) -> Term:
    """floor((100 + 2*1 - 3)/1) + 1 reads 100 + 2 - 3 + 1."""
    match size:
        case Sum(terms):
            flat: list[Term] = []
            for part in terms:
                item = neat(part)
                flat += item.terms if isinstance(item, Sum) else [item]
            return total(*(t for t in flat if t != Num(0)))
        case Neg(inner):
            return Neg(neat(inner))
        case Floor(Quot(top, Num(1))):
            return neat(top)
        case Floor(Quot(top, bottom)) | Ceil(Quot(top, bottom)):
            return type(size)(Quot(neat(top), bottom))
    if any(isinstance(node, Floor | Ceil) for _, node in walk(size)):
        return size
    found = number(size)
    return Num(int(found)) if found is not None and found >= 0 and found == int(found) else size


# --- the formula ------------------------------------------------------------------------------


def formula_bound(bound: Bound) -> Bound:
    """The binding a formula is shown under: one letter for a square kernel, usual modifiers.

    Only letters that stand for letters, and structure (one group), are kept.
    """
    values: dict[str, Term] = {}
    for key in bound.layer.keys:
        given = [bound.values.get(part) for part in key.letters]
        if key.kind == "modifier" and all(held == ONE for held in given):
            values.update(dict.fromkeys(key.letters, ONE))
        elif as_another(bound, key):
            values.update(zip(key.letters, key.default, strict=True))
        elif key.kind == "copies":  # a convention's choice is structure
            values.update({k: v for k, v in zip(key.letters, given, strict=True) if v is not None})
        elif len(key.parts) > 1 and key.kind == "size" and len(set(given)) == 1:
            values.update({part: S(key.symbol) for part in key.parts})
    return Bound(bound.layer, values)


def as_another(bound: Bound, key: Key) -> bool:
    """Whether a size is, as usual, that of another letter: keys as wide as queries."""
    return bool(key.default) and all(
        isinstance(usual, Sym) and bound.put(S(letter)) == bound.put(usual)
        for letter, usual in zip(key.letters, key.default, strict=True)
    )


def _meaning(name: str, family: str) -> str:
    """The glossary's key of a letter: a family may mean its own thing by it, and letters that
    are numbered, however many, mean one thing."""
    base = name.rpartition("_")[0] + "_"
    return first(f"glossary.{family}.{name}", f"glossary.{name}", f"glossary.{family}.{base}",
                 f"glossary.{base}", "glossary.own")  # fmt: skip


def _what(name: str, layer: Layer) -> Say:
    """What a letter is; one of somebody's own layer is called as its key is, or as its role."""
    key = layer.key(name)
    code = key.code if key is not None else name
    known = not layer.title or (key is not None and key.kind == "switch")
    if known or (code != name and code == names.name(name).code):
        return Say(_meaning(name, layer.family), {"code": code.replace("_", " ")})
    axis = next((a for a in (*layer.inputs, *layer.outputs) if a.name == name), None)
    if code == name and axis is not None:
        return Say(f"glossary.roles.{axis.role}")
    return Say("glossary.own", {"code": code.replace("_", " ")})


def formula_words(count: Term, identity: str, convention: str, layer: Layer) -> tuple[Say, ...]:
    """A formula with what each of its letters is, said once."""
    seen: dict[str, None] = {}
    for _, node in walk(count):
        if isinstance(node, Sym):
            seen.setdefault(node.name)
    words = [
        Say("glossary.symbol", {"letter": Formula(S(name)), "what": _what(name, layer)})
        for name in seen
    ]
    return (
        Say(identity, {"formula": Formula(count)}),
        Say(
            "glossary.line", {"words": tuple(words), "convention": Say(f"conventions.{convention}")}
        ),
    )


def positions_size(plan: Plan) -> Dims:
    """The spatial size of the input, as the question names it."""
    return Dims(plan.bound.box(plan.positions))


def doubled(bound: Bound) -> Bound | None:
    """The same layer on an input twice as large along every position axis, or twice as long."""
    extents = extents_of(bound.layer.inputs)
    if not extents or not all(isinstance(bound.put(a.size), Num) for a in extents):
        return None
    values = dict(bound.values)
    for axis in extents:
        values[axis.name] = Num(2 * int(value(bound.put(axis.size))))
    for key in bound.layer.keys:  # what is as long as an extent grows with it
        if key.kind == "extent" and as_another(bound, key):
            values[key.symbol] = substitute(key.default[0], values)
    derived = {d.symbol for d in bound.layer.defines}
    kept = {name: held for name, held in values.items() if name not in derived}
    for define in reversed(bound.layer.defines):
        size = substitute(define.term, kept)
        found = number(size)
        if found is not None:
            kept[define.symbol] = Num(int(found))
    return Bound(bound.layer, kept)


def extents_of(box: Box) -> Box:
    """The axes that make an input large: positions, or else steps, tokens or nodes."""
    places = role_axes(box, "position")
    return places or tuple(a for a in box if a.role in ("time", "token", "node"))


def role_axes(box: Box, role: str) -> tuple[Axis, ...]:
    """The axes of one role."""
    return tuple(axis for axis in box if axis.role == role)
