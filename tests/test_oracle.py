"""What symparams derives is what PyTorch and Keras build, for random arguments of every class.

Where a framework is not installed its tests are skipped; with ``SYMPARAMS_ORACLE=1``, which
``.ci/run`` sets once it has installed them, they fail instead.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import pytest

import oracle

SEED = 7
CALLS = 5

# What the oracle has found and nobody has mended.  A row that holds no longer fails: strike it out.
OPEN = {
    "torch-spectral_norm": "a grouped transposed convolution: u has C_out/g entries",
    "keras-ConvLSTM1D": "returned states: no time axis, channels where the data format has them",
    "keras-ConvLSTM3D": "returned states: no time axis, channels where the data format has them",
    "keras-TimeDistributed": "an EinsumDense with ... inside: the steps are not the input's",
    "keras-SpectralNormalization": "a transposed convolution: u is as its kernel's last axis",
}


def inside(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


LSTM = inside("LSTM", units=3)
KNOWN = [
    ("torch", "weight_norm", {"module": inside("Linear", in_features=4, out_features=6), "dim": 1},
     [2, 4], "dim is not looked at"),
    ("torch", "spectral_norm", {"module": inside("Linear", in_features=4, out_features=6),
                                "dim": 1}, [2, 4], "dim is not looked at"),
    ("torch", "MaxPool2d", {"kernel_size": 2, "return_indices": True}, [2, 4, 7, 7],
     "the indices are an output too"),
    ("keras", "Bidirectional", {"layer": LSTM, "backward_layer": inside("LSTM", units=5,
                                                                        go_backwards=True)},
     [2, 3, 4], "backward_layer is not looked at"),
    ("keras", "Bidirectional", {"layer": inside("LSTM", units=3, return_state=True)}, [2, 3, 4],
     "the states are outputs too"),
    ("keras", "RNN", {"cell": inside("GRUCell", units=2, trainable=False)}, [2, 3, 4],
     "a cell's own trainable is not looked at"),
    ("keras", "RNN", {"cell": [inside("GRUCell", units=2), inside("LSTMCell", units=2)],
                      "return_state": True}, [2, 3, 4], "each cell's states are an output"),
    ("keras", "Normalization", {"axis": None}, [2, 3, 4], "one mean and variance for all"),
    ("keras", "Normalization", {"mean": 2.0, "variance": 2.0}, [2, 3, 4],
     "given numbers are no weights"),
    ("keras", "SpectralNormalization", {"layer": inside("DepthwiseConv2D", kernel_size=3)},
     [2, 7, 7, 3], "u is as long as the kernel's last axis"),
    ("keras", "PReLU", {"shared_axes": [-1]}, [2, 3, 4], "Keras counts -1 without the batch"),
]  # fmt: skip

# Keras and PyTorch warn about themselves as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")


def lacking(framework: str) -> str:
    """The first package that is not there, of those the framework's layers need."""
    needed = {"torch": ("torch",), "keras": ("torch", "keras")}[framework]
    return next((name for name in needed if importlib.util.find_spec(name) is None), "")


def need(framework: str) -> None:
    if missing := lacking(framework):
        reason = f"not installed: {missing} (pip install -e '.[oracle]')"
        (pytest.fail if os.environ.get("SYMPARAMS_ORACLE") == "1" else pytest.skip)(reason)


def xfail(reason: str) -> list[Any]:
    return [pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)] * bool(reason)


def asked() -> list[Any]:
    """Every class of what is installed; one that says so for what is not."""
    return [
        pytest.param(framework, name, id=f"{framework}-{name or 'absent'}",
                     marks=xfail(OPEN.get(f"{framework}-{name}", "")))
        for framework in oracle.FRAMEWORKS
        for name in ([""] if lacking(framework) else oracle.classes(framework))
    ]  # fmt: skip


def known() -> list[Any]:
    return [
        pytest.param(oracle.Case(framework, name, config, shape), marks=xfail(reason),
                     id=f"{framework}-{name}-{'-'.join(config)}")
        for framework, name, config, shape, reason in KNOWN
        if not lacking(framework)
    ]  # fmt: skip


@pytest.mark.parametrize(("framework", "name"), asked())
def test_random_layers(framework: str, name: str) -> None:
    need(framework)
    wrong = []
    for number in range(CALLS):
        one = oracle.case(framework, name, SEED, number)
        if lines := oracle.disagreements(one):
            wrong.append("\n    ".join((str(one), *lines)))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("one", known())
def test_known_disagreements(one: oracle.Case) -> None:
    lines = oracle.disagreements(one)
    assert not lines, "\n    ".join((str(one), *lines))


@pytest.mark.parametrize("framework", list(oracle.FRAMEWORKS))
def test_every_class_has_a_generator(framework: str) -> None:
    assert set(oracle.classes(framework)) == set(oracle.TABLES[framework])


@pytest.mark.parametrize("framework", list(oracle.FRAMEWORKS))
def test_a_call_comes_again(framework: str) -> None:
    for name in oracle.classes(framework):
        assert oracle.case(framework, name, 3, 1) == oracle.case(framework, name, 3, 1)


def test_every_difference_is_told() -> None:
    theirs = {"tensors": {"weight": (4, 3), "bias": (4,)}, "trainable": 16, "output_shape": (2, 4)}
    ours = {"tensors": {"weight": (3, 4), "scale": (4,)}, "trainable": 16, "output_shape": (2, 3)}
    assert oracle.differences(theirs, theirs) == []
    assert oracle.differences(ours, theirs) == [
        "tensors weight: (3, 4), really (4, 3)",
        "tensors scale: (4,), really None",
        "tensors bias: None, really (4,)",
        "output_shape: (2, 3), really (2, 4)",
    ]
