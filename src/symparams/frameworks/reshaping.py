"""Rules for equations, several inputs, and layers that only change a shape.

Sources: Keras 3.15 ``EinsumDense`` and the merging layers; flax.linen 0.12 ``DenseGeneral``;
PyTorch 2.13 ``Bilinear``, ``Fold``, ``Unflatten``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..equation import Equation, read_equation
from ..errors import ValueRefused
from .rules import Reading, Rule, is_list, shown


def _refused(reading: Reading, name: str, key: str, value: object) -> None:
    raise ValueRefused("not_accepted", layer=reading.name, key=name, value=shown(value),
                       wanted="None")  # fmt: skip


def _second_input(reading: Reading, name: str, key: str, value: object) -> None:
    """The width of a second input, which must be what that input has."""
    reading.given[key] = value
    for other in reading.others:
        last = other[-1] if other else None
        if isinstance(last, int) and isinstance(value, int) and last != value:
            raise ValueRefused("input_contradicts", layer=reading.name, key=name,
                               value=shown(value), shape=shown(list(other)),
                               found=last)  # fmt: skip


def _equation(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras' EinsumDense: sizes by ``output_shape``, biases over ``bias_axes``; a bias keeps a 1
    for every later output axis that it does not have."""
    text, bias = str(value), reading.values.get("bias_axes")
    parts = text.partition("->")[0].partition(",")[0].replace("...", "")
    axes = len(reading.shape) + 1 if reading.shape is not None else len(parts) + 1
    lead = axes - len(parts) - (1 if text.startswith("...") else 0) if "..." in text else 0
    read = read_equation(text, max(lead, 0))
    reading.fixed |= {"equation": text, "bias_axes": bias, "lead": max(lead, 0)}
    sizes = reading.values.get("output_shape")
    listed = list(sizes) if is_list(sizes) else [sizes]
    known = set(read.inputs) if reading.shape is not None else set()
    for axis, size in zip(reversed(read.output), reversed(listed), strict=False):
        if size is not None and axis not in known:
            reading.given[axis] = size
    held = {f"n_{letter}" for letter in str(bias or "")}
    _einsum_layout(reading, read)
    after = list(read.output)
    while after and after[0] not in held:
        after.pop(0)
    reading.layout["bias"] = " ".join(axis if axis in held else "1" for axis in after)
    if bias is not None:
        reading.given["b"] = 1


def _einsum_layout(reading: Reading, read: Equation) -> None:
    batch = ("N",) if read.batch else ()
    reading.named = read.inputs
    reading.out = " ".join((*batch, *read.output))
    reading.layout["weight"] = " ".join(read.kernel)


def _dense_general(reading: Reading, name: str, key: str, value: object) -> None:
    """Flax' DenseGeneral, as an equation: ``axis`` is summed, ``batch_dims`` keep weights of
    their own, ``features`` are new."""
    sizes = list(value) if is_list(value) else [value]
    axes, apart = (_places(reading, one) for one in ("axis", "batch_dims"))
    count = len(reading.shape) + 1 if reading.shape is not None else max(*axes, *apart, 1) + 1
    if count + len(sizes) > len(_LETTERS) or not axes:
        raise ValueRefused("too_many_axes", layer=reading.name, given=count, most=MOST_LETTERS)
    box, new = _LETTERS[:count], _LETTERS[count : count + len(sizes)]
    kept = [x for i, x in enumerate(box) if i not in (*axes, *apart)]
    front, summed = [box[i] for i in apart], [box[i] for i in axes]
    kernel, output = (*front, *summed, *new), (*front, *kept, *new)
    text = f"{''.join(box)},{''.join(kernel)}->{''.join(output)}"
    bias = reading.values.get("use_bias")
    held = "".join((*front, *new))
    read = read_equation(text)
    reading.fixed |= {"equation": text, "bias_axes": held if bias else None}
    reading.given |= {f"n_{x}": size for x, size in zip(new, sizes, strict=True)}
    _einsum_layout(reading, read)
    reading.layout["bias"] = " ".join(f"n_{x}" for x in held)
    reading.named = tuple(f"n_{x}" for x in box[1:])
    if not read.batch and reading.batch is not None:
        reading.given[f"n_{box[0]}"] = reading.batch
    if bias:
        reading.given["b"] = 1


_LETTERS = "abcdefghijklmnop"
MOST_LETTERS = len(_LETTERS)


def _places(reading: Reading, name: str) -> list[int]:
    """Dimensions counted from either end, the batch included, as places from 0."""
    value = reading.values.get(name)
    parts = [] if value is None else list(value) if is_list(value) else [value]
    count = len(reading.shape) + 1 if reading.shape is not None else 2
    found = []
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, int) or not -count <= part < count:
            raise ValueRefused("no_such_dim", layer=reading.name, key=name, value=shown(part),
                               count=count, last=count - 1)  # fmt: skip
        found.append(part % count)
    return found


def _cutoffs(reading: Reading, name: str, key: str, value: object) -> None:
    reading.given[key] = list(value) if is_list(value) else [value]


def _same_inputs(reading: Reading, name: str, key: str, value: object) -> None:
    """Layers that merge inputs of one shape, value by value."""
    first = list(reading.shape or ())
    for other in reading.others:
        if list(other) != first:
            raise ValueRefused("inputs_differ", layer=reading.name, first=shown(first),
                               other=shown(list(other)))  # fmt: skip


def _joined(reading: Reading, name: str, key: str, value: object) -> None:
    """Inputs side by side along one axis, which alone may differ."""
    at = reading.index(name, value) - 1
    if at < 0:
        raise ValueRefused("batch_dim", layer=reading.name, key=name, value=shown(value))
    along = reading.axes[at]
    shapes = [list(reading.shape or ()), *(list(other) for other in reading.others)]
    rests = [shape[:at] + shape[at + 1 :] for shape in shapes]
    for shape, rest in zip(shapes, rests, strict=True):
        if rest != rests[0]:
            raise ValueRefused("inputs_differ", layer=reading.name, first=shown(shapes[0]),
                               other=shown(shape))  # fmt: skip
    reading.fixed |= {"inputs": max(len(shapes), 2), "along": along}
    axes = reading.axes
    reading.named = tuple(f"{a}_1" if a == along else a for a in axes)
    reading.given |= {f"{along}_{i}": shape[at] for i, shape in enumerate(shapes, 1) if shape}
    reading.out = " ".join(("N", *(f"{a}_out" if a in (along, "C") else a for a in axes)))


def _shaped(reading: Reading, target: Sequence[object], key: str, rank: int) -> None:
    reading.named = tuple(f"n_{i}" for i in range(1, rank + 1))
    reading.fixed |= {"rank": rank, "target": tuple(target)}
    reading.out = " ".join(("N", *(f"m_{i}" for i in range(1, len(target) + 1))))
    sizes = [size for size in reading.shape or () if isinstance(size, int)]
    known = [part for part in target if isinstance(part, int)]
    settled = -1 not in known and len(known) == len(target) and len(sizes) == rank
    if settled and math.prod(sizes) != math.prod(known):
        raise ValueRefused("reshape_count", layer=reading.name, given=math.prod(sizes),
                           target=shown(list(target)))  # fmt: skip


def _reshape(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras: the new shape without the batch; one -1 follows from the others."""
    target = list(value) if is_list(value) else [value]
    _shaped(reading, target, name, len(reading.shape) if reading.shape is not None else 1)


def _unflatten(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: one dimension as several, the others as they are."""
    count = len(reading.shape) if reading.shape is not None else 1
    dim = reading.values.get("dim")
    at = dim if isinstance(dim, int) and not isinstance(dim, bool) else 0
    at = at + count + 1 if at < 0 else at
    if not 1 <= at <= count:
        raise ValueRefused("no_such_dim", layer=reading.name, key="dim", value=shown(dim),
                           count=count + 1, last=count)  # fmt: skip
    parts = list(value) if is_list(value) else [value]
    if reading.shape is not None and isinstance(reading.shape[at - 1], int):
        known = [p for p in parts if isinstance(p, int)]
        if -1 not in known and math.prod(known) != reading.shape[at - 1]:
            raise ValueRefused("reshape_count", layer=reading.name, given=reading.shape[at - 1],
                               target=shown(parts))  # fmt: skip
    before = [f"n_{i}" for i in range(1, at)]
    behind = [f"n_{i}" for i in range(at + 1, count + 1)]
    _shaped(reading, [*before, *parts, *behind], name, count)


def _permute(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras: the places of the new axes, counted from 1 after the batch."""
    dims = list(value) if is_list(value) else [value]
    if sorted(map(str, dims)) != sorted(str(i) for i in range(1, len(dims) + 1)):
        raise ValueRefused("not_accepted", layer=reading.name, key=name, value=shown(value),
                           wanted=f"1 to {len(dims)} in some order")  # fmt: skip
    reading.named = tuple(f"n_{i}" for i in range(1, len(dims) + 1))
    reading.fixed["dims"] = tuple(dims)
    reading.out = " ".join(("N", *(f"m_{i}" for i in range(1, len(dims) + 1))))


def _folded(reading: Reading, name: str, key: str, value: object) -> None:
    """Folding reads rows: channels and places."""
    reading.given[key] = value
    reading.named = ("C", "L")
    reading.rank = 2


RULES: Mapping[str, Rule] = {
    "refused": _refused,
    "second_input": _second_input,
    "equation": _equation,
    "dense_general": _dense_general,
    "cutoffs": _cutoffs,
    "same_inputs": _same_inputs,
    "joined": _joined,
    "reshape": _reshape,
    "unflatten": _unflatten,
    "permute": _permute,
    "folded": _folded,
}
