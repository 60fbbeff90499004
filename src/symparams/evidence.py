"""Evidence by enumeration: every edge and label of a small layer, against the symbolic fold.

What a rule is said to do to a size is compared with what it does to single labels at small
numbers, uses included; edges of one label must sit at one relative place.  Evidence
belongs to the declaration, not to anybody's numbers, so it is found once per process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .algebra import value
from .axes import Axis, Box, position_of
from .calculus import Reindex, Share, Wiring
from .declaration import Key, Layer, Tensor
from .errors import Error, VerificationError
from .terms import letters

MAX_EDGES = 900
MAX_TAPS = 4096
_EXTENT = (5, 7)  # the sizes of the first spatial axis that are tried
_EXTENT_3D = (3, 4)
Choose = Callable[[Sequence[int]], int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was enumerated: the small numbers, and the labels after each rule at each."""

    sizes: tuple[Mapping[str, int], ...]
    labels: tuple[tuple[int, ...], ...]
    dead: tuple[int, ...] = ()

    @property
    def shown(self) -> tuple[str, tuple[int, ...]]:
        """The letter whose sizes are quoted ("labels counted at H = 5, 7") and its sizes."""
        names = [name for name in ("D", "H", "L", "T", "N", "n")
                 if all(name in env for env in self.sizes)]  # fmt: skip
        telling = (n for n in names if len({env[n] for env in self.sizes} - {1}) > 1)
        for name in (*telling, *names):
            return name, tuple(env[name] for env in self.sizes)
        name = next(iter(self.sizes[0]))
        return name, tuple(env[name] for env in self.sizes)


def small_numbers(layer: Layer, choose: Choose, tries: int = 200) -> dict[str, int]:
    """Small numbers for every letter of a layer that satisfy its side conditions.

    ``choose`` picks one of a sequence: a random choice in tests, a fixed one at run time.

    Raises:
        VerificationError: no such numbers were found.
    """
    for tried in range(tries):
        env: dict[str, int] = {"N": choose((1, 2))}
        for key in sorted(layer.keys, key=lambda key: key.kind != "modifier"):
            for position, letter in enumerate(key.letters):
                options = _range(key, position, layer, env)
                env[letter] = choose(_fewer(key, options) if tried > tries // 4 else options)
            env.setdefault(key.symbol, env[key.letters[0]])
        if _derived(layer, env) and _fits(layer, env):
            return env
    raise VerificationError("no_small_numbers", layer=layer.id)


def _range(key: Key, position: int, layer: Layer, env: Mapping[str, int]) -> Sequence[int]:
    if key.kind == "switch":
        return (1,)
    if key.kind == "extent":
        extents = [key.symbol for key in layer.keys if key.kind == "extent"]
        if key.symbol == extents[0]:
            crowded = len(extents) > 2 or any(
                t.kind == "dynamic" or t.factors for t in layer.tensors
            )
            crowded = crowded or (len(extents) > 1 and extents[0] == "T")
            return _EXTENT_3D if crowded else _EXTENT
        return (2, 3) if len(extents) < 3 else (2, 1)
    for condition in layer.requires:
        if condition.whole == key.symbol:
            return (env.get(condition.divisor, 1), 2 * env.get(condition.divisor, 1))
    if key.symbol in {c.divisor for c in layer.requires}:
        return (2, 1)
    usual = {"k": (3, 2), "s": (1, 2), "P": (1, 0), "d": (1, 2)}
    if key.symbol in usual:
        return usual[key.symbol] if position == 0 else usual[key.symbol][::-1]
    if key.kind == "size":
        return (2, 3)
    return (1, 2) if key.least else (0, 1)


def _fewer(key: Key, options: Sequence[int]) -> Sequence[int]:
    """Where nothing has fitted yet: plain windows, and sizes as small as they may be."""
    if key.symbol in ("d", "s"):
        return (1,)
    return (1, 2) if tuple(options) in ((2, 3), (3, 2)) else options


def _derived(layer: Layer, env: dict[str, int]) -> bool:
    for define in reversed(layer.defines):
        try:
            number = value(define.term, env)
        except Error:
            return False
        if number < 1 or number != int(number):
            return False
        env[define.symbol] = int(number)
    return True


def _fits(layer: Layer, env: Mapping[str, int]) -> bool:
    for condition in layer.requires:
        if env[condition.whole] % env[condition.divisor]:
            return False
    for tensor in layer.tensors:
        edges = 1
        for axis in tensor.start.boxes[0]:
            edges *= int(value(axis.size, env))
        if edges > MAX_EDGES:
            return False
    return True


def enumerate_tensor(tensor: Tensor, env: Mapping[str, int]) -> tuple[tuple[int, ...], int]:
    """Labels after the start and after each rule, and how many labels are dead.

    Raises:
        VerificationError: the enumeration and the symbolic fold disagree.
    """
    wirings = tensor.wire(env)
    counted = []
    for step, (wiring, bundle) in enumerate(zip(wirings, tensor.bundles, strict=True)):
        rule = tensor.rules[step - 1].id if step else "dense"
        labels, said = wiring.labels(), value(bundle.size, env)
        if labels != said:
            raise VerificationError(
                "labels_disagree", tensor=tensor.name, rule=rule, labels=labels, said=str(said)
            )
        counted.append(labels)
    _check_uses(tensor, wirings, env)
    _check_places(tensor, wirings[-1])
    return tuple(counted), _dead(wirings[-1])


def _check_uses(tensor: Tensor, wirings: list[Wiring], env: Mapping[str, int]) -> None:
    """The bookkeeping law: edges of all labels together are the uses the fold predicts."""
    edges = value(tensor.uses, env)
    last = wirings[-1]
    if not tensor.end.stored or any(isinstance(r, Share) and r.summed for r in tensor.rules):
        return
    if last.edges() != edges:
        raise VerificationError("uses_disagree", tensor=tensor.name, edges=last.edges())


def _check_places(tensor: Tensor, wiring: Wiring) -> None:
    """Edges of one label have one relative place; no count can see this.

    Sharing an absolute position gives the right number and the wrong layer.
    """
    shared = {n for r in tensor.rules if isinstance(r, Share) and not r.summed for n in r.names}
    if not shared or len(wiring.tables) != 1:
        return
    start = wiring.start
    by_offset = {r.moved: r for r in tensor.rules if isinstance(r, Reindex)}
    summed = {n for r in tensor.rules if isinstance(r, Share) and r.summed for n in r.names}
    for site, partner in _pairs(start, shared):
        if start[partner].name in summed:
            continue  # no place of its own is left of what was summed
        rule = by_offset.get(start[partner].name) or by_offset.get(start[site].name)
        stride = wiring.number(rule.stride) if rule else 1
        turned = rule is not None and rule.moved == start[site].name
        fixed, moved = (partner, site) if turned else (site, partner)
        places: dict[tuple[int, ...], int] = {}
        for edge, label in wiring.tables[0].items():
            place = edge[moved] - stride * edge[fixed]
            if places.setdefault(label, place) != place:
                raise VerificationError("places_disagree", tensor=tensor.name)


def _pairs(start: Box, shared: set[str]) -> list[tuple[int, int]]:
    out = []
    for name in shared:
        axis: Axis | None = next((a for a in start if a.name == name), None)
        if axis is None or not axis.dim:
            continue
        for other in start:
            if other.dim == axis.dim and other.side != axis.side:
                out.append((position_of(start, name), position_of(start, other.name)))
    return out


def _dead(wiring: Wiring) -> int:
    """Labels that meet no real input cell: declared, never used."""
    sizes = [wiring.number(axis.size) for axis in wiring.start]
    live: set[object] = set()
    every: set[object] = set()
    for table in wiring.tables:
        for edge, label in table.items():
            every.add(label)
            if all(0 <= c < n for c, n in zip(edge, sizes, strict=False)):
                live.add(label)
    return len(every - live)


def evidence(layer: Layer, tensor: Tensor) -> Evidence:
    """The evidence for a tensor of a layer, enumerated at two small sizes, once.

    Raises:
        VerificationError: a rule of the declaration does not do what it says.
    """
    found: dict[Any, Any] = layer.memo  # of this declaration: anybody can declare another
    key = (layer.id, layer.options, tensor.name, tuple(rule.id for rule in tensor.rules))
    if key not in found:
        if "numbers" not in found:  # one choice for all tensors of the layer
            found["numbers"] = tuple(small_numbers(layer, _fixed(n)) for n in (0, 1))
        sizes = found["numbers"]
        results = [enumerate_tensor(tensor, env) for env in sizes]
        used = _used(layer, tensor) or {"N"}  # a single number depends on no size
        shown = tuple({n: v for n, v in env.items() if n in used} for env in sizes)
        found[key] = Evidence(shown, tuple(r[0] for r in results), tuple(r[1] for r in results))
    evidence_: Evidence = found[key]
    return evidence_


def _used(layer: Layer, tensor: Tensor) -> frozenset[str]:
    names = frozenset().union(*(letters(b.cells) for b in tensor.bundles))
    for define in layer.defines:
        if define.symbol in names:
            names |= letters(define.term)
    return names


def _fixed(variant: int) -> Choose:
    """A choice that is the same on every machine: a small linear congruential sequence.

    The first extent takes its values in turn, so that two sizes of it are always tried.
    """
    state = 2 * variant + 1

    def choose(options: Sequence[int]) -> int:
        nonlocal state
        if options in (_EXTENT, _EXTENT_3D):
            return options[variant % 2]
        state = (state * 1_103_515_245 + 12_345) % (1 << 31)
        return options[(state >> 16) % len(options)]

    return choose


def tap_uses(n: int, n_out: int, k: int, stride: int, dilation: int, padding: int) -> list[int]:
    """How many sites read a real cell through each tap of a window, along one axis.

    N(i) = #{p in [n_out] : 0 <= s*p + d*i - P <= n - 1}; a tap with N(i) = 0 is declared
    and never used (dead).

    >>> tap_uses(n=100, n_out=100, k=3, stride=1, dilation=1, padding=1)
    [99, 100, 99]
    >>> tap_uses(n=1, n_out=1, k=3, stride=1, dilation=1, padding=1)
    [0, 1, 0]
    """
    uses = []
    for i in range(min(k, MAX_TAPS)):
        low = -(-(padding - dilation * i) // stride)
        high = (n - 1 + padding - dilation * i) // stride
        uses.append(max(0, min(high, n_out - 1) - max(low, 0) + 1))
    return uses
