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
from symparams.errors import Error

SEED = 7
CALLS = 5

# What random calls have found and nobody has mended: a buffer, in no count.  Strike it out when it
# holds.
OPEN = {
    "torch-spectral_norm": "a grouped transposed convolution: u has C_out/g entries",
}


def inside(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


LSTM = inside("LSTM", units=3)
# What random calls once found, with what PyTorch 2.13 and Keras 3.15 say: trainable and
# non-trainable numbers, and the output's shape.
FOUND = [
    ("torch", "MaxPool2d", {"kernel_size": 2, "return_indices": True}, [2, 4, 7, 7],
     (0, 0, ((2, 4, 3, 3), (2, 4, 3, 3)))),
    ("torch", "MaxPool2d", {"kernel_size": 2, "return_indices": False}, [2, 4, 7, 7],
     (0, 0, (2, 4, 3, 3))),
    ("keras", "Bidirectional", {"layer": inside("LSTM", units=3, return_state=True)}, [2, 3, 4],
     (192, 0, ((2, 6), (2, 3), (2, 3), (2, 3), (2, 3)))),
    ("keras", "RNN", {"cell": inside("GRUCell", units=2, trainable=False)}, [2, 3, 4],
     (0, 48, (2, 2))),
    ("keras", "RNN", {"cell": inside("LSTMCell", units=2), "return_state": True}, [2, 3, 4],
     (56, 0, ((2, 2), (2, 2), (2, 2)))),
    ("keras", "RNN", {"cell": [inside("GRUCell", units=2), inside("LSTMCell", units=2)],
                      "return_state": True}, [2, 3, 4],
     (88, 0, ((2, 2), (2, 2), ((2, 2), (2, 2))))),
    ("keras", "PReLU", {"shared_axes": [-1]}, [2, 3, 4], (4, 0, (2, 3, 4))),
    ("keras", "SpectralNormalization", {"layer": inside("Dense", units=3), "trainable": False},
     [2, 4], (0, 18, (2, 3))),
]  # fmt: skip

# What stores something else than is declared here: a sentence, never another number.
REFUSED = [
    ("torch", "weight_norm", {"module": inside("Linear", in_features=4, out_features=6), "dim": 1},
     [2, 4], "dim"),
    ("torch", "spectral_norm", {"module": inside("Linear", in_features=4, out_features=6),
                                "dim": 1}, [2, 4], "dim"),
    ("keras", "Bidirectional", {"layer": LSTM, "backward_layer": inside("LSTM", units=5,
                                                                        go_backwards=True)},
     [2, 3, 4], "backward_layer"),
    ("keras", "Normalization", {"axis": None}, [2, 3, 4], "axis"),
    ("keras", "Normalization", {"mean": 2.0, "variance": 2.0}, [2, 3, 4], "mean"),
    ("keras", "RNN", {"cell": [inside("GRUCell", units=2, trainable=False),
                               inside("LSTMCell", units=2)]}, [2, 3, 4], "trainable"),
    ("keras", "SpectralNormalization", {"layer": inside("DepthwiseConv2D", kernel_size=3)},
     [2, 7, 7, 3], "layer"),
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


def cases() -> list[Any]:
    return [
        pytest.param(oracle.Case(framework, name, config, shape), said,
                     id=f"{framework}-{name}-{'-'.join(config)}-{at}")
        for at, (framework, name, config, shape, said) in enumerate(FOUND)
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


@pytest.mark.parametrize(("one", "said"), cases())
def test_found_before(one: oracle.Case, said: tuple[Any, ...]) -> None:
    found = oracle.derived(one)
    assert (found["trainable"], found["non_trainable"], found["output_shape"]) == said


@pytest.mark.parametrize(("one", "said"), cases())
def test_found_before_still_holds(one: oracle.Case, said: tuple[Any, ...]) -> None:
    need(one.framework)
    lines = oracle.disagreements(one)
    assert not lines, "\n    ".join((str(one), *lines))


@pytest.mark.parametrize(("framework", "name", "config", "shape", "offender"), REFUSED)
def test_refused(
    framework: str, name: str, config: dict[str, Any], shape: list[int], offender: str
) -> None:
    with pytest.raises(Error, match=offender):
        oracle.derived(oracle.Case(framework, name, config, shape))


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
