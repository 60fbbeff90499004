"""Layers that were really constructed in a framework come out with their very numbers."""

from __future__ import annotations

import functools
import json
import math
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
        "output_shape": list(frameworks.output_shape(call, bound)),
    }


@pytest.mark.parametrize(("name", "held"), kinds())
def test_constructed_layers(name: str, held: list[Row]) -> None:
    wrong = []
    for row in held:
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
    }
