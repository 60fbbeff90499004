"""The equation of a dense layer between chosen axes, ``abc,cde->abde``: what is summed, what stays.

Source: Keras' ``EinsumDense``; the notation is Einstein's, after NumPy's ``einsum``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ValueRefused


def leading(count: int) -> tuple[str, ...]:
    """The names of leading axes: T, or T_1, T_2, ..."""
    return ("T",) if count == 1 else tuple(f"T_{i + 1}" for i in range(count))


@dataclass(frozen=True)
class Equation:
    """``ab,bc->ac`` read: the axes of input, kernel and output, without the batch.

    The batch is the first axis, unless the kernel has it; ``...`` stands for ``lead`` axes.
    """

    inputs: tuple[str, ...]
    kernel: tuple[str, ...]
    output: tuple[str, ...]
    batch: bool = True

    @property
    def contracted(self) -> tuple[str, ...]:
        """The axes that are summed against the kernel."""
        return tuple(n for n in self.inputs if n in self.kernel and n not in self.output)

    @property
    def summed(self) -> tuple[str, ...]:
        """The axes that are only summed."""
        return tuple(n for n in self.inputs if n not in (*self.kernel, *self.output))

    @property
    def kept(self) -> tuple[str, ...]:
        """The axes of both input and output."""
        return tuple(n for n in self.inputs if n in self.output)

    @property
    def fresh(self) -> tuple[str, ...]:
        """The output axes that the kernel brings."""
        return tuple(n for n in self.output if n not in self.inputs)


def read_equation(equation: str, lead: int = 0) -> Equation:
    """The axes of an equation such as ``...x,xy->...y``.

    Raises:
        ValueRefused: it is no such equation.

    >>> read_equation("abc,cde->abde").contracted
    ('n_c',)
    """
    try:
        left, output = equation.replace(" ", "").split("->")
        inputs, kernel = left.split(",")
    except ValueError:
        raise ValueRefused("not_an_equation", equation=equation[:60]) from None
    sides = [_tokens(side, lead, equation) for side in (inputs, kernel, output)]
    source, through, result = sides
    batch = inputs.startswith("...") or source[0] not in through
    if batch and not inputs.startswith("..."):
        source, result = source[1:], tuple(n for n in result if n != source[0])
    read = Equation(source, through, result, batch)
    known = {*source, *through}
    if not set(result) <= known or not set(through) <= {*source, *result} or not result:
        raise ValueRefused("not_an_equation", equation=equation[:60])
    return read


def _tokens(side: str, lead: int, equation: str) -> tuple[str, ...]:
    names: list[str] = []
    start, dots, end = side.partition("...")
    for place, piece in enumerate((start, dots, end)):
        if place == 1:
            names += leading(lead) if piece else ()
        elif piece.isascii() and (piece.isalpha() or not piece):
            names += [f"n_{letter}" for letter in piece]
        else:
            raise ValueRefused("not_an_equation", equation=equation[:60])
    if not names or len(set(names)) != len(names):
        raise ValueRefused("not_an_equation", equation=equation[:60])
    return tuple(names)
