"""Layers that were really constructed in a framework come out with their very numbers."""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from symparams import catalog, frameworks
from symparams.algebra import value

REFERENCE = Path(__file__).parent / "reference"
PREFIXES = {"torch": "torch.nn.", "keras": "keras.layers.", "flax": "flax.linen."}

Row = dict[str, Any]


def rows(framework: str) -> list[Row]:
    lines = (REFERENCE / f"{framework}_layers.jsonl").read_text(encoding="utf-8").splitlines()
    columns = json.loads(lines[0])["columns"]
    return [dict(zip(columns, json.loads(line), strict=True)) for line in lines[1:]]


def kinds() -> list[Any]:
    found: dict[tuple[str, str], list[Row]] = {}
    for framework in PREFIXES:
        for row in rows(framework):
            found.setdefault((framework, row["layer"]), []).append(row)
    return [
        pytest.param(PREFIXES[framework] + layer, held, id=f"{framework}-{layer}-{len(held)}rows")
        for (framework, layer), held in found.items()
    ]


def plain(shape: Any) -> Any:
    """A shape, or several in one another, as JSON has it."""
    return [plain(part) for part in shape] if isinstance(shape, tuple) else shape


def unrolled(tensors: Row) -> Row:
    """A record's tensors, ``layers.[0-2].weight`` as three."""
    found = {}
    for name, shape in tensors.items():
        pieces = re.split(r"\[(\d+)(?:-(\d+))?\]", name)
        ranges = [
            range(int(a), int(b or a) + 1) for a, b in zip(pieces[1::3], pieces[2::3], strict=True)
        ]
        for numbers in itertools.product(*ranges):
            marks = (*map(str, numbers), "")
            found["".join(a + b for a, b in zip(pieces[::3], marks, strict=True))] = shape
    return found


def derived(name: str, row: Row) -> Row:
    """What symparams makes of a row's constructor call and input."""
    (spelling,) = frameworks.find(name)
    call = spelling.read((), row["config"], batch_input_shape=row["input_shape"])
    bound = call.bind(functools.partial(catalog.layer, call.layer_id))
    tensors = {n: list(shape) for n, shape in frameworks.tensors(call, bound).items()}
    return {
        "trainable": value(bound.params),
        "non_trainable": value(bound.put(bound.count(trainable=False))),
        "total": sum(math.prod(shape) for shape in tensors.values()),
        "tensors": tensors,
        "output_shape": plain(frameworks.output_shape(call, bound)),
    }


@pytest.mark.parametrize(("name", "held"), kinds())
def test_constructed_layers(name: str, held: list[Row]) -> None:
    wrong = []
    for row in held:
        row = {**row, "tensors": unrolled(row["tensors"])}
        found = derived(name, row)
        differs = {key: (got, row[key]) for key, got in found.items() if got != row[key]}
        if differs:
            wrong.append(f"{row['config']} on {row['input_shape']}: {differs}")
    assert not wrong, f"{len(held) - len(wrong)} of {len(held)} rows of {name}\n" + "\n".join(wrong)


def test_rows_of_every_kind_are_there() -> None:
    """The rows by kind of layer: none is lost when the files are written anew."""
    counts: Counter[str] = Counter()
    for framework, prefix in PREFIXES.items():
        for row in rows(framework):
            (spelling,) = frameworks.find(prefix + row["layer"])
            counts[spelling.layer.replace("{n}d", "")] += 1
    assert counts == {
        "linear": 72,
        "conv": 164,
        "conv_transpose": 140,
        "depthwise_conv": 40,
        "locally_connected": 10,
        "max_pool": 48,
        "avg_pool": 72,
        "global_max_pool": 9,
        "global_avg_pool": 9,
        "adaptive_max_pool": 24,
        "adaptive_avg_pool": 18,
        "flatten": 11,
        "activation": 96,
        "dropout": 39,
        "identity": 6,
        "pad": 54,
        "crop": 9,
        "upsample": 23,
        "rnn": 40,
        "gru": 40,
        "lstm": 40,
        "rnn_cell": 52,
        "gru_cell": 52,
        "lstm_cell": 64,
        "mgu_cell": 12,
        "conv_lstm": 46,
        "conv_lstm_cell": 12,
        "stacked_cells": 20,
        "bidirectional": 20,
        "time_distributed": 20,
        "multi_head_attention": 60,
        "grouped_query_attention": 20,
        "dot_attention": 8,
        "additive_attention": 8,
        "transformer_encoder_layer": 20,
        "transformer_decoder_layer": 20,
        "transformer_encoder": 20,
        "transformer_decoder": 20,
        "transformer": 20,
        "embedding": 48,
        "embedding_bag": 20,
        "batch_norm": 100,
        "instance_norm": 70,
        "layer_norm": 60,
        "rms_norm": 50,
        "group_norm": 60,
        "prelu": 43,
        "weight_norm": 8,
        "spectral_norm": 28,
        "local_response_norm": 3,
        "reversible_embedding": 8,
        "unit_norm": 3,
        "feature_norm": 8,
        "bilinear": 20,
        "adaptive_log_softmax": 20,
        "separable_conv": 40,
        "einsum_dense": 40,
        "unfold2d": 8,
        "fold2d": 8,
        "max_unpool": 9,
        "pixel_shuffle": 3,
        "pixel_unshuffle": 3,
        "channel_shuffle": 3,
        "reshape": 6,
        "permute": 3,
        "repeat_vector": 3,
        "concatenate": 3,
        "add": 3,
        "multiply": 3,
        "average": 3,
        "maximum": 3,
    }
