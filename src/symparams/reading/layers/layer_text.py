"""What the rooms of this package make of a text: names, keys and shapes, no layers yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...terms import Term


@dataclass(frozen=True)
class LayerText:
    """A layer as somebody wrote it: its name, what was given, and where it stands.

    ``style`` is "call" (``Conv2D(64, 3)``), "keys" (``conv2d kernel_size=3``) or "words"; in
    words the name is one of ``PHRASES`` and the keys are the frameworks' usual ones.
    """

    name: str
    style: str
    args: tuple[object, ...] = ()
    keys: Mapping[str, object] = field(default_factory=dict)
    input: tuple[Term, ...] | None = None
    output: tuple[Term, ...] | None = None
    text: str = ""
    span: tuple[int, int] = (0, 0)
