"""How PyTorch, Keras and Flax spell a layer: names, arguments, defaults, layouts - tables.

>>> call = read("Conv2D", [64, 3], input_shape=(32, 32, 3))
>>> call.spelling.framework.title, call.layer_id, call.given["b"]
('Keras', 'conv2d', 1)
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence

from ..errors import Error, UnknownName, ValueRefused
from . import attention, general, normalization, recurrent
from .flax import FLAX
from .flax import SPELLINGS as _FLAX
from .keras import KERAS
from .keras import SPELLINGS as _KERAS
from .layout import buffers, output_shape, tensors
from .rules import shown
from .spelling import Call, Framework, Parameter, Shape, Spelling, Stored, letters_of, row
from .torch import SPELLINGS as _TORCH
from .torch import TORCH

__all__ = [
    "FRAMEWORKS", "Call", "Framework", "Parameter", "Spelling", "Stored", "aliases", "buffers",
    "candidates", "choose", "find", "one_of", "output_shape", "read", "row", "spellings", "tensors",
]  # fmt: skip

FRAMEWORKS = (TORCH, KERAS, FLAX)


@functools.cache
def spellings() -> tuple[Spelling, ...]:
    """Every spelling, framework by framework."""
    families = (recurrent, normalization, attention, general)
    return (*_TORCH, *_KERAS, *_FLAX, *(row for family in families for row in family.SPELLINGS))


@functools.cache
def _by_name() -> Mapping[str, tuple[Spelling, ...]]:
    table: dict[str, tuple[Spelling, ...]] = {}
    for spelling in spellings():
        table[spelling.name] = (*table.get(spelling.name, ()), spelling)
    return table


def find(name: str) -> tuple[Spelling, ...]:
    """The spellings a name means: one framework's where it is qualified, else all that
    spell it exactly so.

    ``nn.`` is PyTorch's, and Flax' only for what PyTorch does not have.

    >>> [s.qualified for s in find("tf.keras.layers.Dense")]
    ['keras.layers.Dense']
    >>> [s.framework.id for s in find("Dense")], [s.framework.id for s in find("nn.Dense")]
    (['keras', 'flax'], ['flax'])
    >>> find("dense")
    ()
    """
    prefix, _, plain = name.rpartition(".")
    found = _by_name().get(plain, ())
    if prefix:
        found = tuple(s for s in found if prefix in s.framework.prefixes)[:1]
    return found


def candidates(name: str, keywords: Sequence[str] = ()) -> tuple[Spelling, ...]:
    """The spellings of a name that have these keywords: keywords tell a framework apart
    before the exact spelling does.

    >>> [s.name for s in candidates("Conv2d", ["filters"])]
    ['Conv2D']
    """
    found = find(name)
    words = set(keywords) - letters_of() - {"batch_input_shape", "input_shape"}
    knowing = tuple(s for s in found if words <= set(s.names))
    if knowing or "." in name or not words:
        return knowing or found
    near = (s for s in spellings() if s.name.lower() == name.lower())
    return tuple(s for s in near if words <= set(s.names)) or found


def read(
    name: str,
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] | None = None,
    batch_input_shape: Shape | None = None,
    input_shape: Shape | None = None,
) -> Call:
    """One call in whichever framework it can be meant.

    Raises:
        UnknownName: no framework spells it so, or none has an argument of that name.
        ValueRefused: two frameworks read it differently, or a value cannot be used.

    >>> str(read("Dense", [64, False]))
    'flax.linen.Dense(features=64, use_bias=False)'
    """
    return one_of(name, candidates(name, list(kwargs or {})), args, kwargs,
                  batch_input_shape=batch_input_shape, input_shape=input_shape)  # fmt: skip


def choose(
    name: str, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None
) -> Spelling:
    """The spelling a call is meant in; see ``read``."""
    return read(name, args, kwargs).spelling


def one_of(
    name: str,
    among: Sequence[Spelling],
    args: Sequence[object] = (),
    kwargs: Mapping[str, object] | None = None,
    **shapes: Shape | None,
) -> Call:
    """The one reading of a call among several spellings; see ``read``."""
    if not among:
        near = difflib.get_close_matches(name.rpartition(".")[2], _by_name(), 1, 0.7)
        raise UnknownName("no_class", name=shown(name), near=near[0] if near else None)
    calls: list[Call] = []
    refusal: Error | None = None
    for spelling in [s for s in among if s.fits(args)] or among[:1]:
        try:
            calls.append(spelling.read(args, kwargs, **shapes))
        except (UnknownName, ValueRefused) as error:
            refusal = refusal or error
    if not calls:
        assert refusal is not None  # every spelling was read or refused
        raise refusal
    calls = [call for call in calls if call.complete] or calls
    other = next((c for c in calls if c.meaning != calls[0].meaning), None)
    if other is not None:
        raise ValueRefused("two_readings", name=name, first=str(calls[0]), second=str(other))
    return calls[0]


def aliases(layer_id: str) -> dict[str, str]:
    """Every framework's keywords for a layer's keys; a word two frameworks use for
    different keys is left out.

    >>> aliases("conv2d")["filters"], aliases("linear")["units"]
    ('C_out', 'C_out')
    """
    found: dict[str, str] = {}
    clash: set[str] = set()
    for spelling in spellings():
        ranks = (1, 2, 3) if spelling.rank is None else (spelling.rank,)
        if layer_id not in (spelling.layer.format(n=n) for n in ranks):
            continue
        for parameter in spelling.signature:
            if parameter.key and found.setdefault(parameter.name, parameter.key) != parameter.key:
                clash.add(parameter.name)
    return {name: key for name, key in found.items() if name not in clash}
