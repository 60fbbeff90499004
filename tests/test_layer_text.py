"""Reading layers as people write them: every word understood, or refused with its place."""

from __future__ import annotations

import contextlib
import re
import string
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symparams import reading, words
from symparams.errors import Error, UnknownName, UnreadableError
from symparams.reading.layers import LayerText, phrases, read_layers, read_quantity
from symparams.reading.values import read_assignment, read_shape, read_value
from symparams.terms import Num, S, Term, product

IDS = ("conv1d", "conv2d", "depthwise_conv2d", "linear", "lstm", "dropout", "flatten")
C, H, W, k, n, C_in, C_out, d = map(S, ("C", "H", "W", "k", "n", "C_in", "C_out", "d"))


def shape(*extents: int | Term) -> tuple[Term, ...]:
    return tuple(Num(extent) if isinstance(extent, int) else extent for extent in extents)


def words_of(
    name: str,
    input: tuple[Term, ...] | None = None,
    output: tuple[Term, ...] | None = None,
    **keys: object,
) -> tuple[object, ...]:
    return name, "words", (), keys, input, output


def keys_of(name: str, **keys: object) -> tuple[object, ...]:
    return name, "keys", (), keys, None, None


def call_of(name: str, *args: object, **keys: object) -> tuple[object, ...]:
    return name, "call", args, keys, keys.pop("input", None), None


def bare(read: LayerText) -> tuple[object, ...]:
    return read.name, read.style, read.args, dict(read.keys), read.input, read.output


def conv(kernel: object, *more: object, **keys: object) -> tuple[object, ...]:
    """A convolution whose kernel, or channels, are what is looked at."""
    if isinstance(kernel, tuple) and "axes" not in keys:
        keys["axes"] = len(kernel)
    return words_of("conv", *more, kernel_size=kernel, **keys)  # type: ignore[arg-type]  # any value


K3, K5 = (3, 3), (5, 5)
WORDS = {
    # convolutions
    "3x3 convolution, 100x100x128 -> 100x100x256": conv(
        K3, shape(100, 100, 128), shape(100, 100, 256)
    ),
    "3×3 Convolution, 100×100×128 → 100×100×256": conv(
        K3, shape(100, 100, 128), shape(100, 100, 256)
    ),
    "3x3 conv from 128 to 256 channels, no bias": conv(
        K3, in_channels=128, out_channels=256, bias=False
    ),
    "3x3 conv, from 128 input channels to 256 output channels": conv(
        K3, in_channels=128, out_channels=256
    ),
    "128 filters that are each 7x7 on a 256 by 256 RGB image": conv(
        (7, 7), shape(256, 256), in_channels=3, out_channels=128
    ),
    "1-D convolution, 7 to 32 channels, kernel 5": conv(5, axes=1, in_channels=7, out_channels=32),
    "conv1d 7 -> 32 kernel 5": conv(5, axes=1, in_channels=7, out_channels=32),
    "conv1d 5 32": conv(5, axes=1, out_channels=32),
    "5x5 convolution with 100 filters on a 300x300x3 input with bias": conv(
        K5, shape(300, 300, 3), out_channels=100, bias=True
    ),
    "3x3 convolution, 64 to 128 channels, stride 2, padding same, 4 groups, dilation 2": conv(
        K3, in_channels=64, out_channels=128, stride=2, padding="same", groups=4, dilation=2
    ),
    "1x1 convolution 256 -> 64": conv((1, 1), in_channels=256, out_channels=64),
    "pointwise convolution 256 -> 64": conv(1, in_channels=256, out_channels=64),
    "k x k convolution from C to 2C channels, H x W": conv(
        (k, k), shape(H, W), in_channels=C, out_channels=product(2, C)
    ),
    "kxk conv, C_in -> C_out, HxW": conv((k, k), shape(H, W), in_channels=C_in, out_channels=C_out),
    "a 3 by 5 convolution with C_out filters on n x n x C": conv(
        (3, 5), shape(n, n, C), out_channels=C_out
    ),
    "96 kernels 11x11x3, stride 4, output 55x55x96": conv(
        (11, 11), None, shape(55, 55, 96), out_channels=96, in_channels=3, stride=4
    ),
    "conv3d 3x3x3 3 to 64 channels": conv((3, 3, 3), in_channels=3, out_channels=64),
    "2D convolution 3x3 64 filters": conv(K3, out_channels=64),
    "convolution (3x3, stride 2) 64 -> 128": conv(K3, in_channels=64, out_channels=128, stride=2),
    "28x28x1 conv 3x3 32": conv(K3, shape(28, 28, 1), out_channels=32),
    "3x3 conv 28x28x1 32": conv(K3, shape(28, 28, 1), out_channels=32),
    "conv 32 3x3": conv(K3, out_channels=32),
    "conv 3 64": conv(3, out_channels=64),
    "conv 5 kernel 64 filters": conv(5, out_channels=64),
    "conv 5x5 kernel 64 filters stride 2": conv(K5, out_channels=64, stride=2),
    "3x3 conv, C channels in, 2C channels out": conv(K3, in_channels=C, out_channels=product(2, C)),
    "3x3 conv, 3 channels, 64 filters": conv(K3, in_channels=3, out_channels=64),
    "Input volume: 32x32x3. 10 5x5 filters with stride 1, pad 2. Number of parameters in this "
    "layer?": conv(K5, shape(32, 32, 3), out_channels=10, stride=1, padding=2),
    "3x3 conv to 128 channels": conv(K3, out_channels=128),
    "conv 3x3 same to 128": conv(K3, out_channels=128, padding="same"),
    "3x3 conv from 64 filters to 128 filters": conv(K3, in_channels=64, out_channels=128),
    "3x3 conv, 64 to 128 filters on 8x8": conv(K3, shape(8, 8), in_channels=64, out_channels=128),
    "3x3 conv from 28x28x1 to 28x28x32": conv(K3, shape(28, 28, 1), shape(28, 28, 32)),
    "conv 10@3x3 s1": conv(K3, out_channels=10, stride=1),
    "conv 16@5x5 pad 2": conv(K5, out_channels=16, padding=2),
    "3x3 conv 64 same": conv(K3, out_channels=64, padding="same"),
    "3x3 conv 64, 'same' padding": conv(K3, out_channels=64, padding="same"),
    "conv kernel_size=3 64 filters padding=same": conv(3, out_channels=64, padding="same"),
    "3x3 dilated convolution 64 to 64 channels": conv(
        K3, in_channels=64, out_channels=64, dilation=d
    ),
    "dilated 3x3 conv with dilation 2": conv(K3, dilation=2),
    "3*3 conv, 28*28*1 -> 28*28*32": conv(K3, shape(28, 28, 1), shape(28, 28, 32)),
    "3x3 conv, 16,384 to 2 channels": conv(K3, in_channels=16384, out_channels=2),
    "3x3 conv with 64 filters, zero padding 1, stride 2": conv(
        K3, out_channels=64, padding=1, stride=2
    ),
    "32 filters with a 5x5 kernel and input depth 3": conv(K5, out_channels=32, in_channels=3),
    "64 filters (3x3) on a grayscale image, without padding": conv(
        K3, out_channels=64, in_channels=1, padding=0
    ),
    "3x3 conv with and without bias": conv(K3),
    "3x3 depthwise convolution on 56x56x64": words_of(
        "depthwise_conv", shape(56, 56, 64), kernel_size=K3, axes=2
    ),
    "Depthwise 3x3 convolution on 3 channels with a bias per channel": words_of(
        "depthwise_conv", kernel_size=K3, axes=2, in_channels=3, bias=True
    ),
    "depthwise separable 3x3, 64 to 64 channels": words_of(
        "separable_conv", kernel_size=K3, axes=2, in_channels=64, out_channels=64
    ),
    "transposed convolution 4x4, stride 2, padding 1, 64 -> 32 channels": words_of(
        "conv_transpose",
        kernel_size=(4, 4),
        axes=2,
        stride=2,
        padding=1,
        in_channels=64,
        out_channels=32,
    ),
    "transposed convolution, input 2x2, filter 3, stride 2, output padding 1": words_of(
        "conv_transpose", shape(2, 2), kernel_size=3, stride=2, output_padding=1
    ),
    "locally connected layer 3x3 with 64 filters on 32x32x3": words_of(
        "locally_connected", shape(32, 32, 3), kernel_size=K3, axes=2, out_channels=64
    ),
    # dense
    "linear layer from 128 to 256": words_of("linear", in_channels=128, out_channels=256),
    "dense 128 -> 256 without bias": words_of(
        "linear", in_channels=128, out_channels=256, bias=False
    ),
    "fully connected layer with 784 inputs and 10 outputs": words_of(
        "linear", in_channels=784, out_channels=10
    ),
    "fully-connected, 784 inputs, 10 neurons": words_of("linear", in_channels=784, out_channels=10),
    "linear d -> 2d": words_of("linear", in_channels=d, out_channels=product(2, d)),
    "dense layer from 128 units to 256 units": words_of(
        "linear", in_channels=128, out_channels=256
    ),
    "dense: 7x7x512 to 4096": words_of("linear", shape(7, 7, 512), out_channels=4096),
    "7x7x512 -> dense 10": words_of("linear", shape(7, 7, 512), out_channels=10),
    "784: dense 10": words_of("linear", in_channels=784, out_channels=10),
    "flatten then dense 10 on 7x7x512": words_of(
        "flatten_dense", shape(7, 7, 512), out_channels=10
    ),
    "flatten and dense to 1000, 7x7x512": words_of(
        "flatten_dense", shape(7, 7, 512), out_channels=1000
    ),
    "global average pooling and a dense layer with 10 units on 7x7x512": words_of(
        "global_pool_dense", shape(7, 7, 512), out_channels=10
    ),
    "flatten 7x7x512": words_of("flatten", shape(7, 7, 512)),
    # pools and shapes
    "2x2 max pooling with stride 2 on 26x26x32": words_of(
        "max_pool", shape(26, 26, 32), kernel_size=(2, 2), axes=2, stride=2
    ),
    "128x128x12 volume, max pooling with filter 4 and stride 4": words_of(
        "max_pool", shape(128, 128, 12), kernel_size=4, axes=2, stride=4
    ),
    "max pool 2": words_of("max_pool", kernel_size=2),
    "maxpool 2x2": words_of("max_pool", kernel_size=(2, 2), axes=2),
    "max 2x2 pooling": words_of("max_pool", kernel_size=(2, 2), axes=2),
    "MaxPooling1D 3": words_of("max_pool", kernel_size=3, axes=1),
    "pool 3 s2": words_of("max_pool", kernel_size=3, stride=2),
    "average pooling, pool size 2": words_of("avg_pool", kernel_size=2),
    "global average pooling on 7x7x512": words_of("global_avg_pool", shape(7, 7, 512), axes=2),
    "GlobalMaxPooling2D": words_of("global_max_pool", axes=2),
    "adaptive average pooling to 1x1": words_of("adaptive_avg_pool", output_size=(1, 1), axes=2),
    "adaptive max pooling to 7": words_of("adaptive_max_pool", output_size=7),
    "dropout 0.5": words_of("dropout", rate=0.5),
    "dropout with rate 0.5": words_of("dropout", rate=0.5),
    "dropout 50%": words_of("dropout", rate=0.5),
    "relu": words_of("activation"),
    "leaky ReLU on 26x26x32": words_of("activation", shape(26, 26, 32)),
    "zero padding 1 on 31x31x32": words_of("pad", shape(31, 31, 32), padding=1, axes=2),
    "31x31x32 volume padded with pad=1": words_of("pad", shape(31, 31, 32), padding=1, axes=2),
    "cropping 2": words_of("crop", padding=2),
    "upsampling 2": words_of("upsample", scale_factor=2),
    "2x upsampling": words_of("upsample", scale_factor=2),
    "upsampling 2x": words_of("upsample", scale_factor=2),
    "upsampling by a factor of 2": words_of("upsample", scale_factor=2),
    "identity on C x H x W": words_of("identity", shape(C, H, W)),
    # questions
    "How many parameters does a 3x3 convolution with 256 filters on a 128-channel input have, "
    "with and without bias?": conv(K3, in_channels=128, out_channels=256),
    "number of parameters of a 3x3 conv from 16 to 32 channels": conv(
        K3, in_channels=16, out_channels=32
    ),
    "3x3 conv from 16 to 32 channels: parameters?": conv(K3, in_channels=16, out_channels=32),
    "256x256x3 input, 4 filters 7x7, stride 2, no padding: size after convolution?": conv(
        (7, 7), shape(256, 256, 3), out_channels=4, stride=2, padding=0
    ),
}
KEYS = {
    "conv2d in_channels=6 kernel_size=3x5 bias=True": keys_of(
        "conv2d", in_channels=6, kernel_size=(3, 5), bias=True
    ),
    "conv2d C_out=2*C_in kernel_size=3": keys_of("conv2d", C_out=product(2, C_in), kernel_size=3),
    "conv2d padding='same', stride = 2": keys_of("conv2d", padding="same", stride=2),
    "conv2d": keys_of("conv2d"),
    "Conv2d kernel_size=(3, 5)": keys_of("Conv2d", kernel_size=(3, 5)),
    "lstm": keys_of("lstm"),
    "nn.Conv2d in_channels=3": keys_of("nn.Conv2d", in_channels=3),
    "new_layer width=3": keys_of("new_layer", width=3),
    "conv2d pad=((1, 2), (3, 4))": keys_of("conv2d", pad=((1, 2), (3, 4))),
}
CALLS = {
    "Conv2D(64, (3, 3), input_shape=(28, 28, 1))": call_of(
        "Conv2D", 64, (3, 3), input_shape=(28, 28, 1)
    ),
    "nn.Conv2d(3, 12, 3, groups=3)": call_of("nn.Conv2d", 3, 12, 3, groups=3),
    "keras.layers.Dense(10)": call_of("keras.layers.Dense", 10),
    "torch.nn.Linear(128, 256, bias=False)": call_of("torch.nn.Linear", 128, 256, bias=False),
    "Conv2D(64, 3, padding=\"same\", activation='relu')": call_of(
        "Conv2D", 64, 3, padding="same", activation="relu"
    ),
    "Conv2D(64, 3x3, valid)": call_of("Conv2D", 64, (3, 3), padding="valid"),
    "nn.Conv2d(3, 32, 7, stride 2, padding 3)": call_of("nn.Conv2d", 3, 32, 7, stride=2, padding=3),
    "Conv1D(64, kernel 5) with 25 input channels": call_of(
        "Conv1D", 64, kernel_size=5, in_channels=25
    ),
    "Conv2D(32, 3) on 28x28x1": call_of("Conv2D", 32, 3, input=shape(28, 28, 1)),
    "Conv2DTranspose(8, (5,5), strides 2, same)": call_of(
        "Conv2DTranspose", 8, K5, strides=2, padding="same"
    ),
    "Flatten()": call_of("Flatten"),
    "MaxPool2d(3, stride=None, ceil_mode=True)": call_of(
        "MaxPool2d", 3, stride=None, ceil_mode=True
    ),
    "Dense(2*C, activation=tf.nn.relu)": call_of(
        "Dense", product(2, C), activation="tf.nn.relu"
    ),
    "BatchNorm2d(64, eps=1e-5, momentum=-1)": call_of("BatchNorm2d", 64, eps=1e-5, momentum=-1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [*WORDS.items(), *KEYS.items(), *CALLS.items()])
def test_one_layer(text: str, expected: tuple[object, ...]) -> None:
    (found,) = read_layers(text, IDS)
    assert bare(found) == expected
    assert found.text == text


@pytest.mark.parametrize("text", WORDS)
def test_words_need_no_ids_and_no_case(text: str) -> None:
    plain = "".join(c.lower() if c not in "CHWD_" else c for c in text)
    assert bare(read_layers(plain)[0]) == WORDS[text]


SEQUENCES = {
    "conv 5x5 6, relu, maxpool 2, conv 5x5 16, relu, maxpool 2, flatten, dense 120, dense 84, "
    "dense 10": "conv activation max_pool conv activation max_pool flatten linear linear linear",
    "conv 3x3 64 -> relu -> 2x2 max pool -> flatten -> dense 10": "conv activation max_pool "
    "flatten linear",
    "conv 3x3 64 then relu; max pool 2 followed by dense 10": "conv activation max_pool linear",
    "3x3 conv with 64 filters and relu": "conv activation",
    "conv 3x3 64 and 2x2 max pooling": "conv max_pool",
    "conv 3x3 64 relu maxpool 2": "conv activation max_pool",
    "relu, zero padding 1, conv 3x3 128": "activation pad conv",
    "conv2d kernel_size=3, conv2d kernel_size=3": "conv2d conv2d",
    "depthwise_conv2d kernel_size=3, conv2d kernel_size=1": "depthwise_conv2d conv2d",
    "two 3x3 convolutions from C to C channels": "conv conv",
    "three stacked 3x3 convs, stride 1": "conv conv conv",
    "Conv2d(32,64,3), Conv2d(64,128,3), MaxPool2d(2), flatten": "Conv2d Conv2d MaxPool2d flatten",
    "conv 3x3 64, flatten then dense 10": "conv flatten_dense",
    "conv 3x3, 64 filters, stride 2, 3x3 conv with 128 filters": "conv conv",
}


@pytest.mark.parametrize(("text", "names"), SEQUENCES.items())
def test_sequences(text: str, names: str) -> None:
    assert " ".join(layer.name for layer in read_layers(text, IDS)) == names


@pytest.mark.parametrize(
    "text",
    [
        "32x32x3: conv 5x5 6, relu",
        "input 32x32x3: conv 5x5 6, relu",
        "32x32x3 -> conv 5x5 6 -> relu",
        "32x32x3 input, conv 5x5 6, relu",
        "conv 5x5 6 on 32x32x3, relu",
    ],
)
def test_the_input_of_a_network_is_that_of_its_first_layer(text: str) -> None:
    first, second = read_layers(text)
    assert first.input == shape(32, 32, 3)
    assert (first.keys["kernel_size"], first.keys["out_channels"]) == (K5, 6)
    assert second.input is None


def test_spans_say_where_each_layer_stands() -> None:
    text = "conv 5x5 6, relu and then a 2x2 max pooling"
    shown = [layer.text[slice(*layer.span)] for layer in read_layers(text)]
    assert shown == ["conv 5x5 6", "relu", "2x2 max pooling"]


def test_a_call_inside_a_call() -> None:
    (found,) = read_layers("keras.layers.Bidirectional(keras.layers.GRU(32), merge_mode='sum')")
    (inner,) = found.args
    assert isinstance(inner, LayerText)
    assert (inner.name, inner.args) == ("keras.layers.GRU", (32,))
    (model,) = read_layers("Sequential([Dense(8), Dense(10)])")
    assert [layer.name for layer in model.args[0]] == ["Dense", "Dense"]  # type: ignore[attr-defined]  # layers


# --- what is refused ------------------------------------------------------------------------

REFUSED = {
    "": ("layer_expected", 0),
    "   ": ("layer_expected", 0),
    "3x3 convolution with frobs": ("unknown_word", 21),
    "3x3 convolutoin 64": ("unknown_word", 4),
    "3x3 conv with bias, no bias": ("said_twice", 20),
    "3x3 conv with and without bias, no bias": ("said_twice", 32),
    "3x3 conv, kernel 5": ("said_twice", 17),
    "3x3 conv with a 5x5 kernel": ("said_twice", 16),
    "3x3 conv, stride 2, stride 3": ("said_twice", 27),
    "3x3 conv on 28x28x1, on 32x32x3": ("said_twice", 24),
    "1-D 2-D convolution": ("said_twice", 4),
    "conv 64": ("number_ambiguous", 5),
    "6 5x5 convolutions": ("number_ambiguous_layers", 0),
    "conv 3x3, 64 channels": ("channels_which", 10),
    "conv 3x3 64 128": ("number_unplaced", 12),
    "relu 5": ("number_unplaced", 5),
    "conv 3x3x64": ("window_depth", 5),
    "conv 3x3 -1": ("layer_stray", 9),
    "3x3 conv 3.5": ("not_whole", 9),
    "3x3 conv with padding 1, pad 2": ("said_twice", 29),
    "zero padding, 3x3 conv": ("noun_needs_value", 0),
    "linear from in_features to 5": ("noun_needs_value", 12),
    "3x3 conv with stride": ("noun_needs_value", 14),
    "3x3 conv with 8x8 groups": ("one_number", 14),
    "how many parameters?": ("no_layer", 0),
    "3x3": ("no_layer", 0),
    "conv 3x3 64 then 128": ("no_layer_here", 17),
    "3x3 conv true": ("word_out_of_place", 9),
    "3x3 = 5": ("layer_stray", 4),
    "conv 28x28x": ("value_expected", 11),
    "3x3 conv & relu": ("layer_stray", 9),
    "3x3 conv @ 5": ("layer_stray", 9),
    "3x3 conv!": ("layer_stray", 8),
    "conv (3x3": ("never_closed", 5),
    "conv 3x3)": ("never_opened", 8),
    "conv (3, 3]": ("wrong_closer", 10),
    "Conv2D(3, 3, 3": ("never_closed", 6),
    "Conv2D(3 3)": ("comma_expected", 9),
    "Conv2D(a=1, a=2)": ("key_twice", 12),
    "Conv2D(a=1, 2)": ("positional_late", 12),
    "Conv2D(,)": ("value_expected", 7),
    "Conv2D(lambda: 0)": ("comma_expected", 13),
    "Conv2D(*x)": ("value_expected", 7),
    "conv2d kernel_size=": ("value_expected", 19),
    "conv2d kernel_size==3": ("value_expected", 19),
    "conv2d kernel_size=3**": ("layer_stray", 20),
    "conv 3x3 on (28, None, 1)": ("shape_none", 12),
    "conv 3x3 on 0.5x3x3": ("shape_extent", 12),
    "dropout 1e999": ("number_too_big", 8),
    "__import__('os')": ("layer_stray", 0),
    "Conv2D(__import__('os'))": ("layer_stray", 7),
    "().__class__": ("layer_stray", 2),
    "<script>alert(1)</script>": ("markup", 0),
    "<b>conv</b>": ("markup", 0),
    "3x3 сonv": ("look_alike", 4),
    "3x3 convolution ３": ("layer_stray", 16),
    "3x3 \x00 conv": ("layer_stray", 4),
    "3x3\u200bconv": ("layer_stray", 3),
    "3x3 \u202econv": ("layer_stray", 4),
    "{{ 7*7 }}": ("layer_stray", 0),
    "畳み込み 3x3": ("other_alphabet", 0),
    "(" * 5000: ("too_deep", 100),
    "Conv2D(" + "[" * 40 + "]" * 40 + ")": ("too_deep", 37),
    "f(" * 20 + ")" * 20: ("too_deep", 20),
    "conv " * 1500: ("too_many_layers", 5000),
    "3 " * 5000: ("layer_too_many", 8000),
    "conv" * 5001: ("layer_too_long", 19999),
    "conv " + "z" * 70: ("word_too_long", 5),
    "conv " + "9" * 201: ("too_many_digits", 5),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REFUSED.items(), ids=lambda value: repr(value)[:30])
def test_refused(text: str, expected: tuple[str, int]) -> None:
    with pytest.raises((UnreadableError, UnknownName)) as caught:
        read_layers(text, IDS)
    assert min(_seconds(text) for _ in range(3)) < 0.05
    assert (caught.value.id, caught.value.column) == expected
    sentence, *shown = str(caught.value).split("\n")
    assert "{" not in sentence or text[0] == "{"
    assert len(shown) == (2 if text.strip() else 0)


def test_an_unknown_word_is_shown_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        read_layers("3x3 convolutoin")
    assert str(caught.value) == (
        "convolutoin is not a word that is known here: did you mean convolution?\n"
        "    3x3 convolutoin\n"
        "        ^"
    )


def test_every_refusal_has_its_sentence() -> None:
    rooms = list(Path(reading.__file__).parent.rglob("*.py"))
    assert len(rooms) > 10
    for room in rooms:
        source = room.read_text(encoding="utf-8")
        for identity in re.findall(r'(?:refuse|UnknownName)\(\s*"(\w+)"', source):
            assert words.source(f"errors.{identity}"), identity


@pytest.mark.parametrize(
    "text",
    [
        "conv 5x5 6, " * 900,
        "max 1 " * 1900,
        "1+" * 1900 + "1 conv",
        "kernel of " * 1900 + "conv",
        "padding 1, " * 1200,
        "with a " * 1900 + "conv",
        "3x" * 1900 + "3 conv",
        "flatten and " * 1600,
        "conv -> " * 1900,
        "3x3 filters " * 900,
        "[3," * 50 + "3" + "]" * 50 + " conv",
        "Conv2D(" + "3," * 1900 + ")",
        "'" * 19_000,
        "a_" * 9_000,
        "k^" * 1900 + "k conv",
    ],
    ids=lambda text: text[:12],
)
def test_long_texts_take_no_time(text: str) -> None:
    assert min(_seconds(text) for _ in range(3)) < 0.05


def _seconds(text: str) -> float:
    started = time.process_time()
    with contextlib.suppress(UnreadableError, UnknownName):
        read_layers(text)
    return time.process_time() - started


# --- values ---------------------------------------------------------------------------------

VALUES: Mapping[str, object] = {
    "3": 3,
    "-1": -1,
    "0.5": 0.5,
    "1e-5": 1e-5,
    "16,384": 16384,
    "3x5": (3, 5),
    "3 x 5": (3, 5),
    "3×5×7": (3, 5, 7),
    "3 by 5": (3, 5),
    "(3, 5)": (3, 5),
    "[3, 5]": (3, 5),
    "(3)": 3,
    "(3,)": (3,),
    "()": (),
    "k x k": (k, k),
    "kxk": (k, k),
    "C": C,
    "2*C": product(2, C),
    "2C": product(2, C),
    "2 C": product(2, C),
    "C_{in}": C_in,
    "(C, 2*C)": (C, product(2, C)),
    "same": "same",
    "'same'": "same",
    "channels_last": "channels_last",
    "True": True,
    "false": False,
    "Yes": True,
    "no": False,
    "none": False,
    "None": None,
    "[[1,0],[1,0]]": ((1, 0), (1, 0)),
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_values(text: str, expected: object) -> None:
    found = read_value(text)
    assert found == expected
    assert type(found) is type(expected)
    assert read_assignment(f"key = {text}") == ("key", expected)


def test_a_value_in_brackets_goes_on() -> None:
    assert read_value("(C + 1)*2") == product(C + 1, 2)
    assert read_value("floor(n/2)") == read_value("⌊n/2⌋")


SHAPES = {
    "100x100x128": shape(100, 100, 128),
    "100×100×128": shape(100, 100, 128),
    "100 by 100 by 128": shape(100, 100, 128),
    "(28, 28, 1)": shape(28, 28, 1),
    "[3, 224, 224]": shape(3, 224, 224),
    "3,224,224": shape(3, 224, 224),
    "n x n x C": shape(n, n, C),
    "HxWxC": shape(H, W, C),
    "2C x 3": shape(product(2, C), 3),
    "784": shape(784),
}


@pytest.mark.parametrize(("text", "expected"), SHAPES.items())
def test_shapes(text: str, expected: tuple[Term, ...]) -> None:
    assert read_shape(text) == expected


VALUES_REFUSED = {
    "": ("value_expected", 0),
    "(": ("never_closed", 0),
    "same padding": ("value_ends", 5),
    "3 5": ("two_numbers", 2),
    "1,2": ("value_ends", 1),
    "1e999": ("number_too_big", 0),
    "__import__('os')": ("layer_stray", 0),
    "lambda: 0": ("value_ends", 6),
    "3 if": ("value_ends", 2),
    "9" * 300: ("too_many_digits", 0),
    "[" * 5000: ("too_deep", 100),
    "[" * 50 + "]" * 50: ("too_deep", 30),
    "'open": ("quotation", 0),
    "{}": ("nothing_inside", 0),
    "x" * 20_001: ("layer_too_long", 19_999),
}


@pytest.mark.parametrize(("text", "expected"), VALUES_REFUSED.items(), ids=lambda v: repr(v)[:20])
def test_values_refused(text: str, expected: tuple[str, int]) -> None:
    with pytest.raises(Error) as caught:
        read_value(text)
    assert (caught.value.id, caught.value.column) == expected
    assert str(caught.value)


@pytest.mark.parametrize("text", ["kernel_size", "=3", "kernel size=3", "k==3", "9=3", ""])
def test_assignments_refused(text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_assignment(text)
    assert caught.value.id == "assignment_expected"


def test_a_refused_value_is_shown_in_its_assignment() -> None:
    with pytest.raises(UnreadableError) as caught:
        read_assignment("kernel_size=3 5 ")
    assert (caught.value.text, caught.value.column) == ("kernel_size=3 5 ", 14)


@pytest.mark.parametrize(
    "text", ["", "(None, 3)", "0.5x3", "same", "3) (4", "28x28x", "((1, 2), 3)"]
)
def test_shapes_refused(text: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_shape(text)
    assert caught.value.text == text
    assert 0 <= (caught.value.column or 0) <= len(text)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("how many parameters does a 3x3 conv have?", "params"),
        ("3x3 conv, 8x8x3 -> 8x8x5: parameters?", "params"),
        ("64 filters 5x5 on 256x256x3: output shape?", "shape"),
        ("2x2 max pooling on 8x8x3: output volume?", "shape"),
        ("3x3 conv on 8x8x3, 5 filters: multiplications?", "macs"),
        ("3x3 conv on 8x8x3, 5 filters: FLOPs?", "flops"),
        ("two 3x3 convolutions: receptive field?", "receptive_field"),
        ("3x3 conv, output shape 8x8x5", None),
        ("3x3 conv", None),
    ],
)
def test_what_is_asked(text: str, quantity: str | None) -> None:
    assert read_quantity(text) == quantity


# --- anything at all ------------------------------------------------------------------------

_VOCABULARY = sorted(phrases.KNOWN | phrases.SPELLING.keys() | set("xCHWkn"))
_PIECES = st.sampled_from(
    [*_VOCABULARY, "3x3", "64", "28x28x1", "0.5", "->", ",", ";", ":", "(", ")", "(3, 3)", "=", "@",
     "k=3", "two", "1-D", "2d", "conv2d", "Conv2D(3, x=3)", "2C", "?", "and", "padding", "-", "%"]
)  # fmt: skip


def _tried(read: Callable[[str], object], text: str) -> object:
    """What a reader makes of a text: its refusal is a fine answer too, anything else is none."""
    try:
        return read(text)
    except (UnreadableError, UnknownName) as error:
        return error


def _points_into(error: Error, text: str) -> bool:
    # A blank text has no place to point at: its sentence stands alone.
    shown = "^" in str(error) or not text.strip()
    return error.column is not None and 0 <= error.column <= len(text) and shown


def _check(text: str) -> None:
    found = _tried(lambda text: read_layers(text, IDS), text)
    if isinstance(found, Error):
        assert _points_into(found, text)
        return
    assert isinstance(found, tuple)
    assert found
    for layer in found:
        assert isinstance(layer, LayerText)
        assert 0 <= layer.span[0] <= layer.span[1] <= len(text)


@settings(max_examples=500, deadline=None)
@given(st.lists(_PIECES, max_size=12).map(" ".join))
def test_any_words_are_read_or_refused(text: str) -> None:
    _check(text)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=string.printable + "×→·²αС\u200b", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    _check(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_any_value_is_read_or_refused(text: str) -> None:
    for read in (read_value, read_shape, read_assignment):
        found = _tried(read, text)
        assert not isinstance(found, Error) or _points_into(found, text)


# --- the questions people asked -------------------------------------------------------------

# Questions that people really asked about layers, without the answers and attempts in them.
QUESTIONS = {
    "3x3 convolution with 256 filters on a 128-channel input, with and without bias": (
        "conv"
    ),
    "dense layer from 128 to 256 units, with and without bias": "linear",
    "1D convolution with kernel 5, 7 input channels and 32 filters, including biases": (
        "conv"
    ),
    "300x300 RGB input, convolutional layer with 100 filters of 5x5, biases included": (
        "conv"
    ),
    "conv layer: 64 filters 5x5 on 32 channels": "conv",
    "Dense(100), Dropout 0.5": "Dense dropout",
    "32 filters with a 5x5 kernel and input depth 3": "conv",
    "96 kernels 11x11x3, stride 4, output 55x55x96": "conv",
    "3x3 convolution from 16 to 32 channels": "conv",
    "First layer Conv2D(32, 3x3) on 28x28x1": "Conv2D",
    "2x2 max-pooling layer on 26x26x32 maps": "max_pool",
    "conv 32 3x3, pool 2, conv 64 3x3, pool 2, flatten, dropout 0.5, dense 10 on 28x28x1: "
    "total parameters?": "conv max_pool conv max_pool flatten dropout linear",
    "Conv2D(64, 3x3, valid) on 26x26x32: what is the output shape?": "Conv2D",
    "Conv2D with 32 3x3 kernels over a 13x13x32 map, same padding: output shape?": "conv",
    "121x121x16 volume, 32 filters 4x4, stride 3, no padding: output volume?": "conv",
    "256x256x3 input, 4 filters 7x7, stride 2, no padding: size after convolution?": "conv",
    "64x64 matrix, 5x5 kernel, stride 1, no padding: size of the convolved matrix?": "conv",
    "1024x1024x3 input, 40 kernels 3x3, stride 1, no padding: dimensions passed to the next "
    "layer?": "conv",
    "39x39 RGB input: conv 10@3x3 s1, conv 20@5x5 s2, conv 40@5x5 s2 (no padding)": (
        "conv conv conv"
    ),
    "228x228x3 input, 8 kernels 5x5, stride 1, no padding: dimensions the next layer "
    "receives?": "conv",
    "256x256x3 image, 64 filters 5x5, stride 1, valid padding: output shape?": "conv",
    "5x5 convolution, stride 1, padding 2 on a 128x128 RGB image with 16 filters: shape of "
    "the feature maps?": "conv",
    "31x31x32 volume padded with pad=1: resulting dimensions?": "pad",
    "128x128x12 volume, max pooling with filter 4 and stride 4: output volume?": "max_pool",
    "32x32x16 volume, max pooling with filter 2 and stride 2: output volume?": "max_pool",
    "MaxPooling1D(pool_size=3) on a (6, 10) tensor: output shape?": "MaxPooling1D",
    "Conv1D(7, 40) on (60,1) then Conv1D(10, 16)": "Conv1D Conv1D",
    "6 maps, 5x5 kernel, one input map, with bias: trainable parameters?": "conv",
    "28x28x1: conv 10 kernels 3x3 with same padding, flatten, dense layer with 2 units: total"
    " parameters?": "conv flatten linear",
    "28x28x1, conv 32 3x3, pool 2, flatten 5408, dense 100, dense 10: total free parameters?": (
        "conv max_pool flatten linear linear"
    ),
    "28x28x1: conv 64 3x3, pool 2, flatten, dense 128, dense 10": (
        "conv max_pool flatten linear linear"
    ),
    "128x128 grayscale image fully connected to 256 neurons, biases included: parameters?": (
        "linear"
    ),
    "flatten then dense 10 on 3x224x224": "flatten_dense",
    "dense 3 -> 6, dense 4, dense 2": "linear linear linear",
    "dense 5 -> 2, dense 2, dense 1": "linear linear linear",
    "784 inputs: dense 16, dense 16, dense 10: number of parameters?": (
        "linear linear linear"
    ),
    "dense 20 -> 10, dense 5": "linear linear",
    "dense 2 -> 2, dense 1": "linear linear",
    "1x28x28, conv 6@4x4, pool 2, conv 16@3x3, pool 2": "conv max_pool conv max_pool",
    "1x28x28, conv 16@5x5 pad 2, pool 2, conv 32@5x5 pad 2, pool 2": (
        "conv max_pool conv max_pool"
    ),
    "3x1200x800, conv 8@5x5, pool 2, conv 16@5x5, pool 2": "conv max_pool conv max_pool",
    "32x200x150 input, Conv2d(32,64,3), Conv2d(64,128,3), MaxPool2d(2), flatten": (
        "Conv2d Conv2d MaxPool2d flatten"
    ),
    "Conv1D(128, 5, valid) on 1000x100": "Conv1D",
    "Conv1D(64, kernel 5) with 25 input channels: trainable parameters?": "Conv1D",
    "Conv1D(320, 26, valid) on (1000, 4): parameters?": "Conv1D",
    "Convolution3D(64, (3,3,3)) with input (3, 16, 112, 112)": "Convolution3D",
    "nn.Conv2d(3, 12, 3, 1, 1, groups=3); how many parameters with bias?": "nn.Conv2d",
    "100-channel image, 3x3 filters, 2 groups, bias ignored, 100 output channels": "conv",
    "5x5 convolution with 256 filters, two groups, over 96 maps: parameters with bias?": (
        "conv"
    ),
    "227x227x3: conv 96 11x11 s4, pool 3 s2, conv 256 5x5 p2 g2, pool 3 s2, conv 384 3x3 p1, "
    "conv 384 3x3 p1 g2, conv 256 3x3 p1 g2, pool 3 s2, flatten, dense 4096, dense 4096, "
    "dense 1000": (
        "conv max_pool conv max_pool conv conv conv max_pool flatten linear linear linear"
    ),
    "Depthwise 3x3 convolution on 3 channels with a bias per channel: parameters?": (
        "depthwise_conv"
    ),
    "Depthwise 3x3 on 3 channels plus pointwise to 128 channels": "depthwise_conv conv",
    "SeparableConv2D(filters=1, kernel_size=2) on 3 channels": "SeparableConv2D",
    "Separable 5x5 convolution, 3 input channels, 16 filters, one bias vector: parameters?": (
        "separable_conv"
    ),
    "Depthwise separable 3x3, 64 to 64 channels, no bias: parameters?": "separable_conv",
    "Transposed convolution, input 2x2, filter 3, stride 2, padding 1: output size?": (
        "conv_transpose"
    ),
    "Conv2DTranspose(1, (3,3), 2, valid) on 2x2: output size?": "Conv2DTranspose",
    "Conv2DTranspose(128, (5,5), strides 1, same, use_bias=False) on 10x10x256: parameters?": (
        "Conv2DTranspose"
    ),
    "Conv2DTranspose(16, 3x3, strides 2, same) on 64x64x32: output shape?": (
        "Conv2DTranspose"
    ),
    "3x3 convolution, dilation 1, 3x3 convolution, dilation 2, 3x3 convolution, dilation 4: "
    "receptive field?": "conv conv conv",
    "A 3x3 convolution from 64 to 64 channels with dilation 2: parameters with bias?": (
        "conv"
    ),
    "Three stacked 3x3 convolutions, stride 1: receptive field on the input?": (
        "conv conv conv"
    ),
    "two 3x3 convolutions at stride 1: receptive field?": "conv conv",
    "conv with a 3x3 kernel, conv with a 5x5 kernel": "conv conv",
    "32x32x512 input; 1x1 conv to 128 channels followed by 5x5 conv same to 128: "
    "multiplications?": "conv conv",
    "256x256x3 image, one output channel, a single 1x1 filter with bias: parameters?": (
        "conv"
    ),
    "first dense layer: 7x7x512 to 4096, parameters with bias?": "linear",
    "224x224x3: conv 64 3x3 p1, conv 64 3x3 p1, pool 2": "conv conv max_pool",
    "relu, 3x3 conv with 512 input channels and 512 output channels: parameters?": (
        "activation conv"
    ),
    "7x7 conv, stride 2, 3 to 64 channels, 112x112 output": "conv",
    "28x28x1: conv 16@3x3 same, max pool 2x2 same, conv 8@3x3 same, max pool 2x2 same, conv "
    "8@3x3 same, max pool 2x2 same": "conv max_pool conv max_pool conv max_pool",
    "28x28x1: conv 16@3x3 same, max pool 2x2 same, conv 8@3x3 same, upsampling 2, conv 1@3x3 "
    "same": "conv max_pool conv upsample conv",
    "3x300x300 input, 64 filters 3x3x3, stride 1, padding 1, no bias: FLOPs?": "conv",
    "nn.Conv2d(3, 32, 7, stride 2, padding 3) on 1440x1440": "nn.Conv2d",
    "3x3 convolution 32->64 on 8x8 (same): multiplications?": "conv",
}  # fmt: skip


@pytest.mark.parametrize(("text", "names"), QUESTIONS.items())
def test_questions_as_they_were_asked(text: str, names: str) -> None:
    assert " ".join(layer.name for layer in read_layers(text, IDS)) == names
