"""Why an axis drops out of a count, or where it stays."""

from __future__ import annotations

import json
from typing import Any

import pytest

from symparams import read, why
from symparams.errors import Error, UnknownName

FOUNDING = "3x3 convolution, 100x100x128 -> 100x100x256"
HEAD = "conv 3x3 64, relu, flatten, dense 10"

Answer = tuple[str, str, bool, list[str], list[str]]

# layer, what is asked, drops out, removed by, stays in
ANSWERS: list[Answer] = [
    ("conv2d", "H", True, ["reindex", "restrict", "share"], []),
    ("conv2d", "height", True, ["reindex", "restrict", "share"], []),
    ("conv2d", "W", True, ["reindex", "restrict", "share"], []),
    ("conv2d", "H_out", True, ["share"], []),
    ("conv2d", "stride", True, [], []),
    ("conv2d", "padding", True, [], []),
    ("conv2d", "dilation", True, [], []),
    ("conv2d", "batch", True, ["reindex", "restrict", "share"], []),
    ("conv2d", "N", True, ["reindex", "restrict", "share"], []),
    ("conv2d", "C_in", False, [], ["weight"]),
    ("conv2d", "C_out", False, [], ["weight", "bias"]),
    ("conv2d", "k", False, [], ["weight"]),
    ("conv2d", "k_h", False, [], ["weight"]),
    ("conv2d", "bias", False, [], []),
    ("conv2d", "groups", False, [], ["weight"]),
    (FOUNDING, "H", True, ["reindex", "restrict", "share"], []),
    (FOUNDING, "stride", True, [], []),
    ("conv1d", "L", True, ["reindex", "restrict", "share"], []),
    ("conv3d", "D", True, ["reindex", "restrict", "share"], []),
    ("linear", "batch", True, ["reindex", "restrict", "share"], []),
    ("linear", "C_in", False, [], ["weight"]),
    ("flatten_dense", "H", False, [], ["weight"]),
    ("flatten_dense", "batch", True, ["reindex", "restrict", "share"], []),
    ("global_pool_dense", "H", True, ["share"], []),
    ("locally_connected2d", "H", False, ["reindex", "restrict"], ["weight", "bias"]),
    ("locally_connected2d", "stride", False, [], ["weight", "bias"]),
    ("locally_connected2d", "padding", False, [], ["weight", "bias"]),
    ("conv_transpose2d", "H", True, ["reindex", "restrict", "share"], []),
    ("depthwise_conv2d", "H", True, ["reindex", "restrict", "share"], []),
    ("depthwise_conv2d", "C_in", False, ["reindex", "restrict"], ["weight", "bias"]),
    ("depthwise_conv2d", "m", False, [], ["weight", "bias"]),
    ("max_pool2d", "H", True, ["reindex", "restrict", "share", "dynamic"], []),
    ("avg_pool2d", "H", True, ["reindex", "restrict", "share", "fix"], []),
]


@pytest.mark.parametrize(
    ("layer", "asked", "drops", "removed", "stays"),
    ANSWERS,
    ids=[f"{layer}-{asked}" for layer, asked, *_ in ANSWERS],
)
def test_answers(layer: str, asked: str, drops: bool, removed: list[str], stays: list[str]) -> None:
    data = why(layer, asked).to_dict()
    assert data["drops_out"] is drops
    assert data["removed_by"] == removed
    assert data["stays_in"] == stays
    assert json.loads(json.dumps(data)) == data
    assert data["text"]


def test_a_bare_letter_asks_for_both_sides() -> None:
    data = why("conv2d", "H").to_dict()
    sides = [(one["axis"], one["tensor"], one["removed_by"]) for one in data["sides"]]
    assert sides == [
        ("H", "weight", ["reindex", "restrict"]),
        ("H_out", "weight", ["share"]),
        ("H_out", "bias", ["share"]),
    ]
    assert data["axis"] == "H"


def test_a_transposed_convolution_shares_over_its_input() -> None:
    sides = why("conv_transpose2d", "H").to_dict()["sides"]
    assert [(s["axis"], s["tensor"], s["removed_by"]) for s in sides] == [
        ("H_out", "weight", ["reindex", "restrict"]),
        ("H", "weight", ["share"]),
        ("H_out", "bias", ["share"]),
    ]


def test_each_side_has_its_numbers_and_evidence() -> None:
    first, second, third = why(FOUNDING, "H").to_dict()["sides"]
    assert first["change"]["before"]["text"] == "100·100"
    assert first["change"]["after"]["text"] == "3·3"
    assert second["change"]["after"]["text"] == third["change"]["after"]["text"] == "1"
    for side in (first, second, third):
        assert [env["H"] for env in side["evidence"]["sizes"]] == [5, 7]


@pytest.mark.parametrize("asked", ["stride", "padding", "dilation"])
def test_what_is_no_axis_is_answered_through_the_size_it_is_in(asked: str) -> None:
    answer = why("conv2d", asked)
    assert answer.drops_out
    assert "H_out" in answer.text()


def test_the_size_is_not_lost_and_what_would_bring_it_back() -> None:
    text = why(FOUNDING, "H").text()
    for number in ("2,949,120,000", "2,560,000", "294,912"):
        assert number in text
    assert "locally connected" in text


def test_what_would_remove_it() -> None:
    assert "global average pooling" in " ".join(why("flatten_dense", "H").text().split())
    assert "groups" in why("conv2d", "C_in").text()


def test_groups_given_cut_the_channels() -> None:
    answer = why("conv2d groups=2 in_channels=4 out_channels=8", "C_in")
    assert not answer.drops_out
    assert (answer.removed_by, answer.stays_in) == (("group",), ("weight",))


@pytest.mark.parametrize(
    ("text", "asked", "drops", "stays"),
    [
        (HEAD, "H", False, ["linear.weight"]),
        (HEAD, "W", False, ["linear.weight"]),
        (HEAD, "batch", True, []),
        (HEAD, "k", False, ["conv2d.weight", "linear.weight"]),
        (HEAD, "stride", False, ["linear.weight"]),
        (HEAD, "bias", False, []),
        ("conv 3x3 64, relu, global average pooling, dense 10", "H", True, []),
        ("conv 3x3 64, conv 3x3 32", "H", True, []),
        ("dense 5, dense 6", "batch", True, []),
    ],
)
def test_sequences(text: str, asked: str, drops: bool, stays: list[str]) -> None:
    answer = why(text, asked)
    assert answer.drops_out is drops
    assert list(answer.stays_in) == stays
    assert answer.text()


def test_a_sequence_keeps_its_sides_apart() -> None:
    data = why(HEAD, "H").to_dict()
    assert data["removed_by"] == ["reindex", "restrict", "share"]
    assert {side["tensor"].partition(".")[0] for side in data["sides"]} == {"conv2d"}


@pytest.mark.parametrize("text", ["lstm", "gru", "rnn"])
def test_time_drops_out_of_a_recurrent_layer(text: str) -> None:
    answer = why(text, "T")
    assert answer.drops_out
    assert answer.removed_by == ("reindex", "restrict", "share")
    assert not why(text, "hidden_size").drops_out


@pytest.mark.parametrize("layer", ["conv2d", HEAD, "linear"])
def test_unknown_names_are_refused(layer: str) -> None:
    with pytest.raises(UnknownName) as refused:
        why(layer, "colour")
    assert "colour" in str(refused.value)


@pytest.mark.parametrize("asked", ["", "H W", "<b>", "C_in; import os"])
def test_hostile_names_are_refused(asked: str) -> None:
    with pytest.raises(Error):
        why("conv2d", asked)


@pytest.mark.parametrize("model", [read("conv2d"), read(HEAD)], ids=["layer", "sequence"])
def test_the_answer_is_the_same_by_every_door(model: Any) -> None:
    answer = model.why("H")
    assert repr(answer).startswith("<Why H")
    assert answer.to_dict()["drops_out"] is answer.drops_out
    assert tuple(answer.to_dict()["removed_by"]) == answer.removed_by
