"""Recurrent layers: published numbers, conventions, stacks, wrappers, multiply-accumulates."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest
import sympy

from symparams import ValueRefused, layer, read, why
from symparams.binding import bind
from symparams.bridge import symbol, to_sympy
from symparams.catalog import builder
from symparams.catalog import layer as declared
from symparams.declaration import Bound
from symparams.derivation import conventions
from symparams.derivation.conventions import NAMES

i, h, p, b, g2, D, L, T = map(symbol, ("i", "h", "p", "b", "g2", "D", "L", "T"))
GATES = {"rnn": 1, "mgu": 2, "gru": 3, "lstm": 4}


def formula(identity: str, **options: object) -> sympy.Expr:
    return sympy.expand(to_sympy(Bound(declared(identity, **options)).formula()))


# --- formulas that come out -------------------------------------------------------------------


@pytest.mark.parametrize("kind", GATES)
def test_gates_side_by_side(kind: str) -> None:
    gates = GATES[kind]
    expected = sympy.expand(gates * h * (i + h + b) + b * g2 * h)
    assert formula(kind) == formula(f"{kind}_cell") == expected


def test_projection_and_peepholes() -> None:
    plain = 4 * h * (i + p) + h * p + b * h * (4 + g2)
    assert formula("lstm", projected=True) == sympy.expand(plain)
    assert formula("lstm", peephole=True) == formula("lstm") + 3 * h


@pytest.mark.parametrize("kind", GATES)
def test_stacks_read_all_directions_below(kind: str) -> None:
    gates = GATES[kind]
    biases = b * (gates + g2)
    first = h * (gates * (i + h) + biases)
    others = h * (gates * (D * h + h) + biases)
    assert formula(kind, stacked=True) == sympy.expand(D * (first + (L - 1) * others))


def test_stacked_projection() -> None:
    rest = h * p + b * h * (4 + g2)
    expected = D * (4 * h * (i + p) + rest + (L - 1) * (4 * h * (D * p + p) + rest))
    assert formula("lstm", stacked=True, projected=True) == sympy.expand(expected)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_convolutional(n: int) -> None:
    kernel = sympy.prod(symbol("k" + mark) for mark in {1: ("",), 2: ("_h", "_w"),
                                                        3: ("_d", "_h", "_w")}[n])  # fmt: skip
    c, f = symbol("C_in"), symbol("C_out")
    expected = sympy.expand(f * (4 * kernel * (c + f) + b * (4 + g2)))
    assert formula(f"conv_lstm{n}d") == formula(f"conv_lstm_cell{n}d") == expected


# --- published numbers ------------------------------------------------------------------------

PUBLISHED: list[tuple[str, Mapping[str, object], int]] = [
    ("torch.nn.LSTM", {"input_size": 10, "hidden_size": 20}, 2560),
    ("keras.layers.LSTM", {"units": 20, "input_dim": 10}, 2480),
    ("flax.linen.LSTMCell", {"features": 20, "i": 10}, 2480),
    ("torch.nn.GRU", {"input_size": 10, "hidden_size": 20}, 1920),
    ("keras.layers.GRU", {"units": 20, "input_dim": 10}, 1920),
    ("keras.layers.GRU", {"units": 20, "input_dim": 10, "reset_after": False}, 1860),
    ("flax.linen.GRUCell", {"features": 20, "i": 10}, 1880),
    ("flax.linen.MGUCell", {"features": 20, "i": 10}, 1260),
    ("flax.linen.MGUCell", {"features": 20, "i": 10, "reset_gate": False}, 1240),
    ("torch.nn.LSTM", {"input_size": 10, "hidden_size": 20, "num_layers": 2,
                       "bidirectional": True}, 2 * (2560 + 4 * 20 * (60 + 2))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "count"), PUBLISHED)
def test_one_layer_in_every_framework(
    name: str, given: Mapping[str, object], count: int
) -> None:  # fmt: skip
    assert layer(name)(**given).params == count


MACS: list[tuple[str, dict[str, object], int]] = [
    ("lstm", {"i": 10, "h": 20, "T": 5}, 12_000),
    ("lstm", {"i": 10, "h": 20, "T": 5, "p": 7}, 7_500),
    ("gru", {"i": 10, "h": 20, "T": 5}, 9_000),
    ("lstm_cell", {"i": 10, "h": 20}, 2_400),
]


@pytest.mark.parametrize(("identity", "given", "macs"), MACS)
def test_multiply_accumulates_of_one_example(
    identity: str, given: dict[str, object], macs: int
) -> None:
    assert layer(identity)(**given).macs == macs


# --- conventions --------------------------------------------------------------------------------

# What PyTorch, Keras and Flax count more than the textbook, with bias.
MORE = {
    "rnn": {"pytorch": h, "keras": 0, "flax": 0},
    "lstm": {"pytorch": 4 * h, "keras": 0, "flax": 0},
    "gru": {"pytorch": 3 * h, "keras": 3 * h, "flax": h},
    "mgu": {"flax": h},
}


@pytest.mark.parametrize("kind", MORE)
def test_differences_are_symbolic(kind: str) -> None:
    found = layer(kind)().conventions()
    assert [row.convention for row in found.data.rows] == ["textbook", *MORE[kind]]
    for name, more in MORE[kind].items():
        assert found.difference(name) == more
        assert sympy.expand(found[name] - found["textbook"] - more) == 0


def test_a_difference_says_what_it_comes_from() -> None:
    text = str(layer("lstm")().conventions())
    assert "+4 h" in text
    assert "PyTorch keeps a second bias vector" in text
    flax = layer("gru")(bias=True).conventions(base="pytorch").to_dict()
    rows = {row["convention"]: row for row in flax["conventions"]}
    assert rows["flax"]["difference"] == "-2*h"
    assert "candidate" in rows["flax"]["why"][0]
    assert "why" not in rows["keras"]


def test_conventions_agree_without_bias_and_where_nothing_is_settled() -> None:
    for model in (layer("lstm")(bias=False), layer("conv2d")()):
        assert "Every convention gives the same count" in str(model.conventions())


def test_every_framework_call_is_counted_as_it_is_spelled() -> None:
    assert read("LSTM(10, 20)").params == 2560
    assert read("LSTM(10, 20)").convention == "pytorch"
    assert read("LSTM(10, 20)", convention="keras").params == 2480
    assert layer("keras.layers.LSTM")(20, input_dim=10, convention="pytorch").params == 2560
    assert layer("lstm")(i=10, h=20, bias=True, convention="pytorch").params == 2560
    with pytest.raises(ValueError, match="no convention"):
        read("lstm", convention="mxnet")


@pytest.mark.parametrize("name", NAMES)
def test_a_convention_of_a_bound_layer(name: str) -> None:
    bound = bind(builder("gru"), {"i": 10, "h": 20, "b": 1})
    again = bind(builder("gru"), {"i": 10, "h": 20, "b": 1}, None, name)
    assert conventions.under(bound, name).params == again.params


def test_conventions_on_the_command_line() -> None:
    def run(*args: str) -> str:
        done = subprocess.run([sys.executable, "-m", "symparams", *args], check=True,
                              capture_output=True, text=True)  # fmt: skip
        return done.stdout

    rows = json.loads(run("derive", "lstm", "i=10", "h=20", "--convention", "all", "--format",
                          "json"))["conventions"]  # fmt: skip
    assert [(row["convention"], row["value"]) for row in rows] == [
        ("textbook", 2480), ("pytorch", 2560), ("keras", 2480), ("flax", 2480)]  # fmt: skip
    found = json.loads(run("derive", "gru", "i=10", "h=20", "bias=True", "--convention", "flax",
                           "--format", "json"))  # fmt: skip
    assert (found["value"], found["convention"]) == (1880, "flax")


def test_the_lecture_shows_the_conventions_once() -> None:
    for text in ("lstm i=10 h=20", "lstm i=10 h=20 num_layers=2"):
        assert str(read(text).derive("lecture")).count("PyTorch ") >= 1
        assert str(read(text).derive("lecture")).count("Conventions ") == 1
    assert "Conventions" not in str(read("conv2d").derive("lecture"))


# --- stacks and wrappers --------------------------------------------------------------------------


def test_more_than_one_layer_or_direction_takes_parts() -> None:
    one = layer("lstm")(i=10, h=20, num_layers=1, bidirectional=False)
    assert one.params == layer("lstm")(i=10, h=20).params
    two = layer("lstm")(i=10, h=20, bidirectional=True, bias=True, convention="pytorch")
    assert two.params == 5120
    assert two.output_shape == (T, 40)


def test_unrolled_names() -> None:
    model = layer("torch.nn.LSTM")(8, 4, 2, bidirectional=True)
    assert model.tensors["weight_ih_l1_reverse"] == (16, 8)
    assert len(model.tensors) == 2 * 2 * 4


def test_two_bias_vectors_are_one_tensor_in_keras() -> None:
    gru = layer("keras.layers.GRU")
    assert gru(20, input_dim=10).tensors["gru_cell/bias"] == (2, 60)
    assert gru(20, input_dim=10, reset_after=False).tensors["gru_cell/bias"] == (60,)


def test_calls_inside_calls() -> None:
    both = read("Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')", i=10)
    assert both.params == 2 * 4 * 64 * (10 + 64 + 1)
    assert both.output_shape == (T, 64)
    cells = read("RNN([LSTMCell(10), GRUCell(5)])", i=3)
    assert cells.params == 4 * 10 * (3 + 10 + 1) + 3 * 5 * (10 + 5 + 2)
    every = read("TimeDistributed(Conv2D(8, 3))", C_in=3)
    assert every.params == 8 * (27 + 1)
    with pytest.raises(ValueRefused, match="is a layer here"):
        read("Bidirectional(64)")


def test_what_is_missing_tells_two_frameworks_apart() -> None:
    assert read("LSTM(64)").convention == "keras"
    assert read("GRU(10, 20)").convention == "pytorch"


def test_time_distributed_has_no_index_of_time() -> None:
    every = layer("time_distributed")(C_in=3, C_out=4, T=5)
    assert every.macs == 5 * 3 * 4
    answer = every.why("T")
    assert answer.drops_out
    assert answer.removed_by == ("reindex", "restrict", "share")


def test_dense_after_all_steps_or_the_last() -> None:
    assert read("lstm 8, dense 10", i=3, T=7).output_shape == (7, 10)
    assert read("LSTM(8), Dense(10)", i=3, T=7).output_shape == (10,)


# --- words and questions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("LSTM with 20 units and 10 inputs, no bias", 2400),
        ("lstm 10 -> 20 without bias", 2400),
        ("simple rnn with hidden size 20, 10 inputs, no bias", 600),
        ("minimal gated unit with 20 hidden units and 10 inputs without bias", 1200),
        ("gru cell hidden_size=20 input_size=10 bias=False", 1800),
        ("bidirectional lstm with 20 units and 10 inputs without bias", 4800),
        ("conv lstm 3x3 with 8 filters, 3 input channels, no bias", 4 * 8 * 9 * 11),
    ],
)
def test_said_in_words(text: str, count: int) -> None:
    assert read(text).params == count


@pytest.mark.parametrize(
    ("text", "asked", "drops"),
    [
        ("lstm", "T", True), ("lstm", "N", True), ("lstm", "h", False), ("lstm", "i", False),
        ("lstm", "g2", False), ("lstm proj_size=p", "p", False), ("lstm", "L", True),
        ("lstm num_layers=2", "L", False), ("lstm num_layers=2", "T", True),
        ("lstm num_layers=2", "h", False), ("conv_lstm2d", "H", True),
        ("conv_lstm2d", "T", True), ("lstm_cell", "h", False),
    ],
)  # fmt: skip
def test_why(text: str, asked: str, drops: bool) -> None:
    answer = why(text, asked)
    assert answer.drops_out is drops
    assert str(answer)
