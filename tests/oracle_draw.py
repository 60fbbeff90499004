"""Random numbers for the oracle: sizes, flags, shapes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

Config = dict[str, Any]
Drawn = tuple[Config, list[Any]]  # the arguments, and the input's shape or the inputs' shapes


class Draw(random.Random):
    """Random arguments: small sizes, and ones more often than not expected."""

    def width(self, most: int = 40) -> int:
        return self.choice([1, self.randint(1, 8), self.randint(1, most), self.randint(1, most)])

    def flag(self) -> bool:
        return self.random() < 0.5

    def some(self, **optional: Any) -> Config:
        """Some of the arguments; those left out are the framework's defaults."""
        return {name: value for name, value in optional.items() if self.random() < 0.6}

    def per_axis(self, rank: int, low: int, high: int) -> Any:
        """One number for all axes, or one for each."""
        if self.flag():
            return self.randint(low, high)
        return tuple(self.randint(low, high) for _ in range(rank))

    def lead(self, most: int = 2) -> list[int]:
        return [self.randint(1, 6) for _ in range(self.randint(0, most))]

    def shape(self, least: int = 2, most: int = 4) -> list[int]:
        return [self.randint(1, 6) for _ in range(self.randint(least, most))]


def spread(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * rank


def windows(config: Config, rank: int, kernel: str, dilation: str) -> list[int]:
    """The effective size of a window along each axis."""
    sizes, steps = spread(config[kernel], rank), spread(config.get(dilation, 1), rank)
    return [d * (k - 1) + 1 for k, d in zip(sizes, steps, strict=True)]


def room(draw: Draw, least: Sequence[int]) -> list[int]:
    """Positions along each axis, enough for a window."""
    return [size + draw.randint(0, 7) for size in least]


def plain(draw: Draw, least: int = 2, most: int = 4, must: Any = None, **optional: Any) -> Drawn:
    """A layer of single values: any input, and arguments that change no size."""
    return {**(must or {}), **draw.some(**optional)}, draw.shape(least, most)


def tokens(
    draw: Draw, batch_first: bool, widths: Sequence[int], alike: tuple[int, ...] = ()
) -> list[Any]:
    """Shapes of several inputs of one batch, of which some have as many tokens."""
    batch, shared = draw.randint(1, 4), draw.randint(1, 5)
    found = []
    for n, wide in enumerate(widths):
        many = shared if n in alike else draw.randint(1, 5)
        found.append([batch, many, wide] if batch_first else [many, batch, wide])
    return found


Generator = Callable[[Draw], Drawn]
RANKS = (1, 2, 3)
