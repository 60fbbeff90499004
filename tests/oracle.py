"""The oracle: layers with random arguments, really built in PyTorch and in Keras.

Every class that ``frameworks.spellings()`` knows has a generator of random constructor calls in
``oracle_torch`` or ``oracle_keras``.  Each call is built, PyTorch's on the ``meta`` device and
Keras' on symbolic inputs, and what the framework says is compared with what symparams derives:
every tensor's name and shape, the trained and the untrained count, PyTorch's buffers, and the
output's shape.

    python tests/oracle.py --framework torch --seed 7 --n 40
    python tests/oracle.py --framework keras --only Conv2D --only Dense

A call depends on the seed, the class and its number alone, so one that is printed comes again.
Nothing of the frameworks is imported before a layer is built.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import operator
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oracle_draw import Config, Draw, Generator
from oracle_keras import KERAS
from oracle_torch import TORCH
from symparams import frameworks, layer
from symparams.errors import Error

FRAMEWORKS = {"torch": "pytorch", "keras": "keras"}

Found = dict[str, Any]

TABLES: dict[str, dict[str, Generator]] = {"torch": TORCH, "keras": KERAS}

# What symparams knows and these versions do not have, and why.
ABSENT = {
    "keras": {
        "LocallyConnected1D": "Keras 2's, gone in Keras 3",
        "LocallyConnected2D": "Keras 2's, gone in Keras 3",
        "GroupedQueryAttention": "a usual name; keras.layers has GroupQueryAttention",
    },
    "torch": {},
}

UNFREEZABLE = {f"SpatialDropout{n}D" for n in (1, 2, 3)}  # these have no ``trainable``


def classes(framework: str) -> list[str]:
    """The classes of a framework that symparams knows and that can be built."""
    known = frameworks.spellings()
    found = dict.fromkeys(s.name for s in known if s.framework.id == FRAMEWORKS[framework])
    return [name for name in found if name not in ABSENT[framework]]


@dataclass(frozen=True)
class Case:
    """One constructor call on one input."""

    framework: str
    name: str
    config: Config
    shape: list[Any]

    @property
    def qualified(self) -> str:
        """The class's name with its module's."""
        wanted = FRAMEWORKS[self.framework]
        return next(s.qualified for s in frameworks.spellings()
                    if s.framework.id == wanted and s.name == self.name)  # fmt: skip

    def __str__(self) -> str:
        said = "".join(f"{name}={value!r}, " for name, value in self.config.items())
        return f'layer("{self.qualified}")({said}batch_input_shape={self.shape})'


def case(framework: str, name: str, seed: int, number: int) -> Case:
    """The call of a number: the same for the same seed, whatever else is drawn."""
    draw = Draw(f"{seed} {framework} {name} {number}")
    config, shape = TABLES[framework][name](draw)
    if framework == "keras" and name not in UNFREEZABLE and draw.random() < 0.15:
        config["trainable"] = False
    return Case(framework, name, config, shape)


# --- what each side says ------------------------------------------------------------------------


def sizes(held: Any) -> Any:
    """Shapes, of tensors or written down, several in one another, as tuples."""
    if hasattr(held, "shape"):
        return tuple(held.shape)
    if isinstance(held, tuple | list):
        return tuple(sizes(part) for part in held)
    return held


def derived(asked: Case) -> Found:
    """What symparams says, through its public door."""
    model = layer(asked.qualified)(**asked.config, batch_input_shape=asked.shape)
    call, bound = model._call, model.chain.parts[0].bound
    found = {
        "tensors": model.tensors,
        "trainable": int(model.params),
        "non_trainable": int(model.non_trainable),
        "output_shape": sizes(frameworks.output_shape(call, bound)),
    }
    if asked.framework == "torch":
        found["buffers"] = frameworks.buffers(call, bound)
    return found


def built(asked: Case) -> Found:
    """What the framework says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {"torch": built_in_torch, "keras": built_in_keras}[asked.framework](asked)


def made(value: Any, namespace: Any) -> Any:
    """An argument, with the layers in it built."""
    if isinstance(value, Mapping):
        config = {name: made(part, namespace) for name, part in value["config"].items()}
        return getattr(namespace, value["class_name"])(**config)
    if isinstance(value, list):
        return [made(part, namespace) for part in value]
    return value


def built_in_torch(asked: Case) -> Found:
    import torch

    constructor = operator.attrgetter(asked.qualified.removeprefix("torch."))(torch)
    with torch.device("meta"):
        arguments = {name: made(value, torch.nn) for name, value in asked.config.items()}
        module = constructor(**arguments).eval()
    output = torch_output(module, asked)
    held = dict(module.named_parameters())
    return {
        "tensors": sizes_of(held),
        "trainable": sum(p.numel() for p in held.values() if p.requires_grad),
        "non_trainable": sum(p.numel() for p in held.values() if not p.requires_grad),
        "output_shape": sizes(output),
        "buffers": sizes_of(dict(module.named_buffers())),
    }


def sizes_of(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: sizes(tensor) for name, tensor in held.items()}


def torch_output(module: Any, asked: Case) -> Any:
    """A call without data; where the operation has none such, one with zeros."""
    try:
        return called(module, asked, "meta")
    except NotImplementedError:
        return called(module.to_empty(device="cpu"), asked, "cpu")


def called(module: Any, asked: Case, device: str) -> Any:
    import torch

    several = isinstance(asked.shape[0], list)
    shapes = asked.shape if several else [asked.shape]
    whole = asked.name in ("Embedding", "EmbeddingBag")
    inputs = [torch.zeros(s, dtype=torch.long if whole else None, device=device) for s in shapes]
    if asked.name.startswith("MaxUnpool"):
        inputs[1] = inputs[1].long()
    if asked.name == "AdaptiveLogSoftmaxWithLoss":
        return module.log_prob(*inputs)
    return module(*inputs)


def built_in_keras(asked: Case) -> Found:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    keras.utils.clear_session(free_memory=False)
    config = {name: made(value, keras.layers) for name, value in asked.config.items()}
    module = getattr(keras.layers, asked.name)(**config)
    output = keras_output(module, asked)
    front = f"{module.name}/"
    held = {weight.path.removeprefix(front): weight for weight in module.weights}
    assert len(held) == len(module.weights), "two weights of one name"
    return {
        "tensors": sizes_of(held),
        "trainable": count(module.trainable_weights),
        "non_trainable": count(module.non_trainable_weights),
        "output_shape": sizes(output),
    }


def count(weights: Sequence[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def keras_output(module: Any, asked: Case) -> Any:
    """A symbolic call; where that leaves a size open, one on zeros."""
    import keras

    output = keras_called(module, asked, keras.KerasTensor)
    if any(size is None for size in flat(sizes(output))):
        output = keras_called(module, asked, keras.ops.zeros)
    return output


def keras_called(module: Any, asked: Case, tensor: Callable[..., Any]) -> Any:
    if not isinstance(asked.shape[0], list):
        inputs = tensor(asked.shape)
        if not asked.name.endswith("Cell"):
            return module(inputs)
        states = module.state_size
        several = states if isinstance(states, list | tuple) else [states]
        return module(inputs, [tensor((asked.shape[0], size)) for size in several])
    inputs = [tensor(shape) for shape in asked.shape]
    apart = asked.name in ("MultiHeadAttention", "GroupQueryAttention")
    return module(*inputs) if apart else module(inputs)


def flat(held: Any) -> Iterator[Any]:
    if isinstance(held, tuple | list):
        for part in held:
            yield from flat(part)
    else:
        yield held


# --- the comparison -----------------------------------------------------------------------------


def differences(ours: Found, theirs: Found) -> list[str]:
    """What the two sides say differently, one line each."""
    lines = []
    for key, said in theirs.items():
        mine = ours[key]
        if isinstance(said, dict):
            names = [name for name in {**mine, **said} if mine.get(name) != said.get(name)]
            lines += [f"{key} {name}: {mine.get(name)}, really {said.get(name)}" for name in names]
        elif mine != said:
            lines.append(f"{key}: {mine}, really {said}")
    return lines


def disagreements(asked: Case) -> list[str]:
    """What is wrong about one call: nothing where both sides say the same.

    Raises:
        AssertionError: the framework itself refuses the call, so the generator is at fault.
    """
    try:
        theirs = built(asked)
    except Exception as error:
        raise AssertionError(f"{asked}: {asked.framework} says {error}") from error
    try:
        return differences(derived(asked), theirs)
    except Error as error:
        return [f"refused: {error}; really {theirs}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for every class; the number of calls about which the two sides disagree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--framework", choices=list(FRAMEWORKS), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n", type=int, default=5, help="calls of each class")
    parser.add_argument("--only", action="append", help="a class; may be given again")
    parser.add_argument("--list", action="store_true", help="print the calls and build nothing")
    options = parser.parse_args(arguments)
    wrong: Counter[str] = Counter()
    asked = [case(options.framework, name, options.seed, number)
             for name in options.only or classes(options.framework)
             for number in range(options.n)]  # fmt: skip
    for one in asked:
        if options.list:
            print(one)
            continue
        try:
            lines = disagreements(one)
        except Exception as error:
            lines = [f"{type(error).__name__}: {error}"]
        if lines:
            wrong[one.name] += 1
            print(f"{one}\n    " + "\n    ".join(lines))
    if not options.list:
        print(f"{len(asked)} calls, {wrong.total()} disagree {dict(wrong) or ''}")
    return min(wrong.total(), 1)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
