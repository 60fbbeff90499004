"""How arguments of attention and transformer classes are read: several inputs, layers in layers.

Source: the class documentation of PyTorch 2.13, Keras 3.15 and flax.linen 0.12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ValueRefused
from ..terms import Num, Term, term
from .rules import Reading, Rule, is_list, shown


def _chosen(option: str) -> Rule:
    """A flag that chooses a structural option."""

    def rule(reading: Reading, name: str, key: str, value: object) -> None:
        if value:
            reading.fixed[option] = True

    return rule


def _extra(reading: Reading, name: str, key: str, value: object) -> None:
    """A key and a value beside those of the tokens: learned ones, or zeros."""
    if value:
        reading.fixed["extra"] = int(str(reading.fixed.get("extra", 0))) + 1
        if name == "add_bias_kv":
            reading.fixed["bias_kv"] = True


def _own_width(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras: the output's own width, a number or a shape of one axis."""
    reading.given[key] = value[0] if is_list(value) and len(value) == 1 else value
    reading.fixed["projected"] = True


def _asked(reading: Reading, name: str, key: str, value: object) -> None:
    """The further inputs of Keras' attention: values, then keys."""
    reading.given[key] = value
    _memory(reading, ("E_v", "E_k"))


def _asked_flax(reading: Reading, name: str, key: str, value: object) -> None:
    """The further inputs of Flax' attention: keys, then values."""
    reading.given[key] = value
    _memory(reading, ("E_k", "E_v"))


def _alike(reading: Reading, name: str, key: str, value: object) -> None:
    """Inputs of one width: nothing projects them."""
    if name == "use_scale":
        reading.fixed["scaled"] = bool(value)
    else:
        reading.fixed["concat"] = value == "concat"
    if not reading.given.get("S"):
        _memory(reading, ("E", "E"))


def _vector_only(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras' additive attention: a vector at most, no matrices."""
    _alike(reading, name, key, value)
    reading.fixed["projected"] = False


def _tokens_first(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: tokens come first, then the batch, unless the batch is asked to."""
    pattern = "N T E_out" if value else "T N E_out"
    reading.out = f"[{pattern}, N T S_all]" if reading.name == "MultiheadAttention" else pattern
    if not value:
        _turned(reading)
    if reading.name == "Transformer":
        _target(reading)
    elif "Encoder" not in reading.name:
        _memory(reading, ("E_k", "E_v") if reading.name == "MultiheadAttention" else ("E",))


def _turned(reading: Reading) -> None:
    """The first axis of each input is its tokens', the second the batch."""
    if reading.batch is None or reading.shape is None:
        return
    tokens, (batch, *rest) = reading.batch, reading.shape
    reading.batch = _size(batch)
    reading.shape = [_number(tokens), *rest]
    pairs = zip(reading.fronts, reading.others, strict=True)
    reading.others = tuple([_number(front), *shape[1:]] for front, shape in pairs)


def _size(value: object) -> Term | None:
    return value if isinstance(value, Term) else term(value) if isinstance(value, int) else None


def _number(held: Term | None) -> object:
    return held.value if isinstance(held, Num) else held


def _memory(reading: Reading, widths: tuple[str, ...]) -> None:
    """What is attended to, from the shapes of the further inputs; one left out is the last."""
    shapes = reading.others
    if not shapes:
        return
    for width, shape in zip(widths, (*shapes, *shapes[-1:] * len(widths)), strict=False):
        if len(shape) != 2:
            raise ValueRefused("input_axes", layer=reading.name, shape=shown(list(shape)),
                               given=len(shape), wanted=2, axes="S, " + width)  # fmt: skip
        reading.given["S"] = shape[0]
        _width(reading, width, shape)


def _width(reading: Reading, letter: str, shape: Sequence[object]) -> None:
    """The width of an input: as it is, or as the arguments say it must be."""
    usual = {"E_k": "kdim", "E_v": "vdim"}.get(letter, "")
    free = letter != "E" and usual not in reading.values  # the framework takes it from the input
    model = reading.given.get("E", reading.shape[-1] if reading.shape else None)
    said = shape[-1] if free else reading.given.get(letter, model)
    if said is not None and said != shape[-1] and isinstance(said, int):
        raise ValueRefused("input_contradicts", layer=reading.name, key=usual or "width",
                           value=shown(said), shape=shown(list(shape)),
                           found=shown(shape[-1]))  # fmt: skip
    if letter != "E":
        reading.given[letter] = shape[-1]


def _target(reading: Reading) -> None:
    """PyTorch's Transformer: the source, then the target, whose tokens come out."""
    reading.named = ("S", "E")
    if reading.others:
        reading.given["T"] = reading.others[0][0]
        _width(reading, "E", reading.others[0])


_LAYER_OF = {
    "TransformerEncoder": "transformer_encoder_layer",
    "TransformerDecoder": "transformer_decoder_layer",
}


def _stacked(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: a layer of which a stack holds copies."""
    call = _inside(reading, name, value)
    if call.layer_id != _LAYER_OF.get(reading.name):
        raise ValueRefused("not_a_layer", layer=reading.name, key=name, value=shown(value))
    reading.given |= call.given
    reading.fixed |= call.fixed
    reading.out = call.out
    if not call.out.startswith("N"):
        _turned(reading)
    if "Decoder" in reading.name:
        _memory(reading, ("E",))


def _inside(reading: Reading, name: str, value: object) -> Any:
    assert reading.nest is not None
    return reading.nest(name, value, None, None)


def _last_norm(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: a norm at the end of a stack, which keeps its own bias."""
    call = _inside(reading, name, value)
    if call.layer_id != "layer_norm":
        raise ValueRefused("not_a_layer", layer=reading.name, key=name, value=shown(value))
    if call.given.get("a", 1):
        reading.fixed["final_norm"] = True
        reading.given["b_n"] = int(bool(call.given.get("b", 1)))


RULES: Mapping[str, Rule] = {
    "qk_norm": _chosen("qk_norm"),
    "gate": _chosen("gate"),
    "norm_first": _chosen("norm_first"),
    "extra": _extra,
    "own_width": _own_width,
    "asked": _asked,
    "asked_flax": _asked_flax,
    "alike": _alike,
    "alike_only": _vector_only,
    "tokens_first": _tokens_first,
    "stacked": _stacked,
    "last_norm": _last_norm,
}
