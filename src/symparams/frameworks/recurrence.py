"""How the arguments of recurrent layers and of wrappers become what a layer takes.

Sources: the class documentation of PyTorch 2.13, Keras 3.15 and flax.linen 0.12.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ValueRefused
from ..terms import Num, Term, term
from .rules import Inner, Reading, Rule, is_list, shown


def _batch_first(reading: Reading, name: str, key: str, value: object) -> None:
    """PyTorch: time steps come first, then the batch, unless the batch is asked to.

    The states that are returned beside the outputs have the layers and directions in front.
    """
    states = "[(L D) N h, (L D) N h]" if reading.name == "LSTM" else "(L D) N h"
    width = "h"
    if reading.values.get("proj_size"):
        width, states = "p", "[(L D) N p, (L D) N h]"
    first = "N T" if value else "T N"
    reading.out = f"[{first} (D {width}), {states}]"
    if value or reading.batch is None or reading.shape is None:
        return
    steps, (batch, *rest) = reading.batch, reading.shape
    reading.shape = [steps.value if isinstance(steps, Num) else steps, *rest]
    reading.batch = _size(batch)


def _size(value: object) -> Term | None:
    return value if isinstance(value, Term) else term(value) if isinstance(value, int) else None


def _projected(reading: Reading, name: str, key: str, value: object) -> None:
    if value != 0:
        reading.given[key] = value


def _sequences(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras: the output of every step, or of the last only."""
    if not value:
        reading.fixed["last"] = True


def _states(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras: the states of the last step beside the output; a stack of cells' one by one."""
    if not value:
        return
    if reading.layer == "" and len(reading.inner) > 1:
        states = [_state(one.call.layer_id, f"h_{n}") for n, one in enumerate(reading.inner, 1)]
        found = [", ".join(one) if len(one) == 1 else f"[{', '.join(one)}]" for one in states]
    elif reading.ahead:
        found = 2 * ["N C_out grid" if reading.order == "first" else "N grid C_out"]
    else:
        found = _state(reading.layer or reading.name, "h")
    reading.out = f"[{', '.join(('*', *found))}]"


def _state(name: str, letter: str) -> list[str]:
    """A cell's states: an LSTM has two."""
    return (2 if "lstm" in name.lower() else 1) * [f"N {letter}"]


def _second(reading: Reading, name: str, key: str, value: object) -> None:
    """Whether there is a second bias vector."""
    reading.given[key] = bool(value)


def _biased(reading: Reading, name: str, key: str, value: object) -> None:
    """Flax' cells always have their biases."""
    reading.given["b"] = True


# --- wrappers ---------------------------------------------------------------------------------


def snake(name: str) -> str:
    """The name Keras gives a layer that has none: its class's, in small letters.

    >>> snake("SimpleRNN"), snake("ConvLSTM2D"), snake("LSTMCell")
    ('simple_rnn', 'conv_lstm2d', 'lstm_cell')
    """
    text = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", text).lower()


def _called(call: Any) -> str:
    given = dict(call.written).get("name")
    return str(given) if given else snake(call.spelling.name)


def _both_ways(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras' Bidirectional: two copies of a layer, their outputs joined as merge_mode says."""
    assert reading.nest is not None
    call = reading.nest(name, value, reading.batch, reading.shape)
    merge = reading.values.get("merge_mode")
    _of(reading, call)
    reading.fixed["merge"] = str(merge) if merge else "none"
    states = 2 * ([call.out[1:-1].partition(", ")[2]] if call.out else [])
    outputs = [*(["*"] if merge else ["*", "*"]), *states]
    reading.out = f"[{', '.join(outputs)}]" if len(outputs) > 1 else ""
    own = _called(call)
    reading.inner.append(Inner("direction", (f"forward_{own}/", f"backward_{own}/"), call))


def _every_step(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras' TimeDistributed: the same layer at every time step."""
    assert reading.nest is not None
    steps, *rest = reading.shape or (None,)
    call = reading.nest(name, value, reading.batch, rest if reading.shape else None)
    _of(reading, call)
    time = "T_0" if "T" in call.given else "T"
    if steps is not None:
        reading.given[time] = steps
    if call.out:
        reading.out = call.out.replace("N", f"N {time}", 1)
    reading.inner.append(Inner("", (f"{_called(call)}/",), call))


def _of(reading: Reading, call: Any) -> None:
    """What a wrapped layer takes is what the wrapper takes; its input has been looked at."""
    reading.given |= call.given
    reading.fixed |= {"inner": call.layer_id, "options": tuple(call.fixed.items())}
    reading.order, reading.frozen, reading.shape = call.order, call.frozen, None


def _cells(reading: Reading, name: str, key: str, value: object) -> None:
    """Keras' RNN: one cell, or several on top of each other."""
    assert reading.nest is not None
    if isinstance(value, Mapping) and value.get("class_name") == "StackedRNNCells":
        config = value.get("config")
        value = config.get("cells") if isinstance(config, Mapping) else value
    several = list(value) if is_list(value) else [value]
    calls = [reading.nest(name, one, None, None) for one in several]
    for call in calls:
        if not call.layer_id.endswith("_cell"):
            raise ValueRefused("not_a_layer", layer=reading.name, key=name,
                               value=shown(call.spelling.name))  # fmt: skip
    if any(call.frozen != calls[0].frozen for call in calls):
        raise ValueRefused("only_default", layer=reading.name, key="trainable", value="False")
    reading.frozen = calls[0].frozen
    if len(calls) == 1:
        _one_cell(reading, calls[0], "stacked_rnn_cells/" if is_list(value) else "")
    else:
        _several_cells(reading, calls)


def _one_cell(reading: Reading, call: Any, front: str) -> None:
    reading.layer = call.layer_id.removesuffix("_cell")
    reading.given |= call.given
    reading.inner.append(Inner("", (f"{front}{_called(call)}/",), call))


def _several_cells(reading: Reading, calls: Sequence[Any]) -> None:
    biases = tuple(bool(call.given.get("b", True)) for call in calls)
    reading.fixed["cells"] = tuple(call.layer_id.removesuffix("_cell") for call in calls)
    if any(biases) and not all(biases):
        reading.fixed["biases"] = biases
    reading.given["b"] = any(biases)
    met: Counter[str] = Counter()
    for n, call in enumerate(calls, start=1):
        reading.given[f"h_{n}"] = call.given["h"]
        if "g2" in call.given:  # said apart from the convention
            reading.given[f"g2_{n}"] = 3 * int(bool(call.given["g2"]))
        own = _called(call)
        mark = f"_{met[own]}" if met[own] else ""
        met[own] += 1
        reading.inner.append(Inner(f"cell_{n}", (f"stacked_rnn_cells/{own}{mark}/",), call))


RULES: Mapping[str, Rule] = {
    "batch_first": _batch_first,
    "projected": _projected,
    "sequences": _sequences,
    "states": _states,
    "second": _second,
    "biased": _biased,
    "both_ways": _both_ways,
    "every_step": _every_step,
    "cells": _cells,
}
