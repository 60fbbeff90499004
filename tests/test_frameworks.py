"""How a framework's call is read: names, arguments, letters, inputs, layouts and refusals."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from symparams import catalog, frameworks
from symparams.algebra import same, value
from symparams.declaration import Bound
from symparams.errors import Error, UnknownName, ValueRefused
from symparams.frameworks import Call, Framework, Spelling, aliases, candidates, find, row
from symparams.terms import Num, S, Term


def bound_of(call: Call) -> Bound:
    return call.bind(functools.partial(catalog.layer, call.layer_id))


def read(name: str, /, *args: object, **kwargs: Any) -> Call:
    return frameworks.read(name, args, kwargs)


def shape(name: str, /, *args: object, **kwargs: Any) -> tuple[int | Term, ...]:
    call = read(name, *args, **kwargs)
    return frameworks.output_shape(call, bound_of(call))


def refusal(name: str, /, *args: object, **kwargs: Any) -> str:
    with pytest.raises(Error) as caught:
        bound_of(read(name, *args, **kwargs))
    return caught.value.sentence


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "qualified"),
    [
        ("Conv2d", ["torch.nn.Conv2d"]),
        ("Conv2D", ["keras.layers.Conv2D"]),
        ("Conv", ["flax.linen.Conv"]),
        ("Flatten", ["torch.nn.Flatten", "keras.layers.Flatten"]),
        ("Dropout", ["torch.nn.Dropout", "keras.layers.Dropout", "flax.linen.Dropout"]),
        ("nn.Dropout", ["torch.nn.Dropout"]),
        ("nn.Conv", ["flax.linen.Conv"]),
        ("tensorflow.keras.layers.MaxPool2D", ["keras.layers.MaxPool2D"]),
        ("keras.layers.Conv2d", []),
        ("nnx.Conv", []),
        ("conv2d", []),
        ("", []),
    ],
)
def test_find(name: str, qualified: list[str]) -> None:
    assert [spelling.qualified for spelling in find(name)] == qualified


def test_every_spelling_names_a_layer_of_the_catalogue() -> None:
    for spelling in frameworks.spellings():
        ranks = (spelling.rank,) if spelling.rank else (1, 2)
        assert {spelling.layer.format(n=n) for n in ranks} <= set(catalog.ids()), spelling.name


def test_every_key_of_a_signature_is_one_of_the_layer() -> None:
    options: dict[str, dict[str, object]] = {
        "lora": {"lora": True},
        "ratio": {"by": "ratio"},
        "to_size": {"to": "size"},
    }
    for spelling in frameworks.spellings():
        identity = spelling.id_for(None)
        for parameter in spelling.signature:
            layer = catalog.layer(identity, **options.get(parameter.rule, {}))
            assert not parameter.key or layer.key(parameter.key), (spelling.name, parameter.name)


def test_keywords_tell_a_framework_apart_before_the_spelling_does() -> None:
    assert [s.name for s in candidates("Conv2d", ["filters"])] == ["Conv2D"]
    assert [s.framework.id for s in candidates("Dense", ["features"])] == ["flax"]
    given = {"batch_input_shape": [1, 9, 9, 3]}
    assert read("Conv2d", filters=8, kernel_size=3, **given).spelling.framework.title == "Keras"


def test_aliases() -> None:
    conv = aliases("conv2d")
    expected = {"in_channels": "C_in", "filters": "C_out", "features": "C_out", "strides": "s",
                "kernel_dilation": "d", "feature_group_count": "g", "padding": "P",
                "use_bias": "b"}  # fmt: skip
    assert expected.items() <= conv.items()
    assert "size" not in aliases("upsample2d")  # a size in PyTorch, a factor in Keras
    assert aliases("no_such_layer") == {}


# --- positional arguments, shared names -----------------------------------------------------


def test_places() -> None:
    assert read("Conv2d", 3, 12, 5).given == {"C_in": 3, "C_out": 12, "k": 5, "b": 1}
    assert read("Conv2D", 12, 5).given == {"C_out": 12, "k": 5, "P": "valid", "b": 1}
    assert read("Linear", 4, 5, False).given["b"] is False


@pytest.mark.parametrize(
    ("name", "args", "framework"),
    [
        ("Dense", (64,), "keras"),  # both read it alike
        ("Dense", (64, "relu"), "keras"),
        ("Dense", (64, S("relu")), "keras"),
        ("Dense", (64, False), "flax"),
        ("Flatten", (2,), "pytorch"),
        ("Flatten", ("channels_first",), "keras"),
        ("Flatten", (), "pytorch"),
        ("Softmax", (-1,), "pytorch"),
        ("ELU", (0.5,), "pytorch"),
    ],
)
def test_values_tell_frameworks_apart(name: str, args: tuple[object, ...], framework: str) -> None:
    assert read(name, *args).spelling.framework.id == framework


def test_two_readings_are_written_out() -> None:
    def made(title: str, signature: str) -> Spelling:
        framework = Framework(title.lower(), title, (title.lower(),), "first")
        return next(row(framework, "Norm", "linear", signature, takes="lead"))

    among = (made("One", "a:C_in b:C_out"), made("Two", "a:C_out b:C_in"))
    with pytest.raises(ValueRefused) as caught:
        frameworks.one_of("Norm", among, [8, 16])
    assert "one.Norm(a=8, b=16)" in caught.value.sentence
    assert "two.Norm(a=8, b=16)" in caught.value.sentence
    assert frameworks.one_of("Norm", among, [8, 8]).given == {"C_in": 8, "C_out": 8}


# --- letters --------------------------------------------------------------------------------


def test_letters_stay() -> None:
    call = read("Conv2d", S("C"), 2 * S("C"), S("k"), padding=1)
    bound = bound_of(call)
    c, k = S("C"), S("k")
    assert same(bound.params, 2 * c * c * k * k + 2 * c)
    assert frameworks.tensors(call, bound)["weight"] == (2 * c, c, k, k)
    batch, channels, height, width = frameworks.output_shape(call, bound)
    assert (batch, channels) == (S("N"), 2 * c)
    assert (height, width) == (S("H_out"), S("W_out"))


def test_letters_in_the_input() -> None:
    call = read("Conv2D", 8, 3, padding="same", batch_input_shape=[None, S("n"), S("n"), 3])
    assert frameworks.output_shape(call, bound_of(call)) == (S("N"), S("n"), S("n"), 8)
    assert value(bound_of(call).params) == 3 * 3 * 3 * 8 + 8


def test_an_open_bias() -> None:
    bound = bound_of(read("Linear", 4, 5, bias=S("b")))
    assert same(bound.params, 20 + 5 * S("b"))


def test_sizes_left_out_stay_letters() -> None:
    assert same(bound_of(read("Conv2d", in_channels=3)).params, S("C_out") * (3 * S("k") ** 2 + 1))


def test_symbols_beside_the_frameworks_arguments() -> None:
    assert value(bound_of(read("keras.layers.Dense", units=10, C_in=31)).params) == 320
    assert shape("torch.nn.MaxPool2d", 2, C=3, H=8, W=6) == (S("N"), 3, 4, 3)


# --- the input ------------------------------------------------------------------------------


def test_batch_or_no_batch() -> None:
    with_batch = read("Conv2D", 8, 3, batch_input_shape=[4, 32, 32, 3])
    without = read("Conv2D", 8, 3, input_shape=(32, 32, 3))
    assert with_batch.given == without.given
    assert (with_batch.batch, without.batch) == (Num(4), None)
    assert frameworks.output_shape(with_batch, bound_of(with_batch)) == (4, 30, 30, 8)
    assert frameworks.output_shape(without, bound_of(without)) == (S("N"), 30, 30, 8)


def test_an_unknown_batch() -> None:
    for unknown in (None, -1):
        assert read("ReLU", batch_input_shape=[unknown, 8, 4, 4]).batch is None
    assert shape("Linear", 4, 5, batch_input_shape=[S("B"), 4]) == (S("B"), 5)


def test_channel_order() -> None:
    assert shape("Conv2d", 3, 8, 3, batch_input_shape=[1, 3, 10, 9]) == (1, 8, 8, 7)
    first = {"data_format": "channels_first", "batch_input_shape": [1, 3, 10, 9]}
    assert shape("Conv2D", 8, 3, **first) == (1, 8, 8, 7)
    assert shape("Conv2D", 8, 3, batch_input_shape=[1, 10, 9, 3]) == (1, 8, 7, 8)
    assert shape("Conv", 8, (3, 3), padding="VALID", batch_input_shape=[1, 10, 9, 3]) == (
        1,
        8,
        7,
        8,
    )


def test_any_number_of_leading_axes() -> None:
    assert shape("Linear", 4, 5, batch_input_shape=[2, 3, 6, 7, 8, 4]) == (2, 3, 6, 7, 8, 5)
    assert shape("ReLU", batch_input_shape=[2, 3, 4, 5, 6, 7]) == (2, 3, 4, 5, 6, 7)
    assert shape("GLU", batch_input_shape=[2, 6, 4, 4]) == (2, 6, 4, 2)
    assert shape("GLU", 1, batch_input_shape=[2, 6, 4, 4]) == (2, 3, 4, 4)


def test_input_dim() -> None:
    assert value(bound_of(read("Dense", 10, input_dim=4)).params) == 50


# --- padding and the like --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kwargs", "given", "expected"),
    [
        ("ZeroPad2d", {"padding": [1, 2, 3, 4]}, [1, 5, 6, 7], (1, 5, 13, 10)),
        ("ConstantPad3d", {"padding": [1, 0, 2, 0, 3, 0]}, [1, 1, 4, 4, 4], (1, 1, 7, 6, 5)),
        ("ZeroPadding1D", {"padding": (2, 0)}, [1, 5, 3], (1, 7, 3)),
        ("ZeroPadding2D", {"padding": (1, 2)}, [1, 5, 5, 3], (1, 7, 9, 3)),
        ("ZeroPadding2D", {"padding": ((1, 0), (0, 2))}, [1, 5, 5, 3], (1, 6, 7, 3)),
        ("Cropping2D", {}, [1, 5, 5, 3], (1, 5, 5, 3)),
        ("Cropping3D", {}, [1, 5, 5, 5, 3], (1, 3, 3, 3, 3)),
        ("AdaptiveAvgPool2d", {"output_size": (None, 4)}, [1, 3, 9, 9], (1, 3, 9, 4)),
        ("LPPool2d", {"norm_type": 2, "kernel_size": 1, "stride": 3, "ceil_mode": True},
         [1, 1, 5, 5], (1, 1, 2, 2)),
        ("MaxPool1d", {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
         [1, 1, 5], (1, 1, 2)),
        ("Upsample", {"size": (7, 9)}, [1, 2, 3, 4], (1, 2, 7, 9)),
        ("Upsample", {"scale_factor": (2, 1.5)}, [1, 2, 3, 5], (1, 2, 6, 7)),
        ("UpsamplingNearest2d", {"size": 6}, [1, 2, 3, 5], (1, 2, 6, 6)),
        ("Conv1D", {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2},
         [1, 9, 4], (1, 9, 2)),
        ("Conv", {"features": 2, "kernel_size": 3, "padding": "CAUSAL"}, [1, 9, 4], (1, 9, 2)),
        ("Conv", {"features": 2, "kernel_size": (3, 3), "padding": (0, (1, 2))}, [1, 9, 9, 4],
         (1, 7, 10, 2)),
        ("Conv", {"features": 2, "kernel_size": (3, 3), "padding": "REFLECT"}, [1, 9, 9, 4],
         (1, 9, 9, 2)),
        # jax.lax.conv_transpose: s(n - 1) + 1 + low + high - k_eff + 1
        ("ConvTranspose", {"features": 2, "kernel_size": (3,), "strides": 2, "padding": [(2, 1)]},
         [1, 5, 4], (1, 10, 2)),
        ("ConvTranspose", {"features": 2, "kernel_size": (3,), "strides": 2, "padding": 2},
         [1, 5, 4], (1, 11, 2)),
        # Keras: with output_padding the size is PyTorch's
        ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same",
                             "output_padding": 1}, [1, 5, 5, 4], (1, 10, 10, 2)),
        ("Conv2DTranspose", {"filters": 2, "kernel_size": 1, "strides": 2}, [1, 5, 5, 4],
         (1, 10, 10, 2)),
        ("Flatten", {"start_dim": 0, "end_dim": 1}, [2, 3, 4], (6, 4)),
        ("Flatten", {"start_dim": 0, "end_dim": 0}, [2, 3, 4], (2, 3, 4)),
        ("Flatten", {"start_dim": -2}, [2, 3, 4, 5], (2, 3, 20)),
        ("GlobalAveragePooling2D", {"keepdims": True}, [2, 4, 4, 3], (2, 1, 1, 3)),
    ],
)  # fmt: skip
def test_sizes(
    name: str, kwargs: dict[str, Any], given: list[int], expected: tuple[int, ...]
) -> None:
    assert shape(name, **kwargs, batch_input_shape=given) == expected


def test_transposed_sizes_with_letters() -> None:
    *_, found, _ = shape("Conv1DTranspose", 2, S("k"), strides=S("s"), input_shape=(S("n"), 4))
    assert isinstance(found, Term)
    by_numbers = {"n": 5, "k": 2, "s": 3}
    assert value(found, by_numbers) == 3 * 4 + 3


# --- layouts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kwargs", "given", "expected"),
    [
        ("LocallyConnected1D", {"filters": 4, "kernel_size": 3}, [1, 8, 2],
         {"kernel": (6, 6, 4), "bias": (6, 4)}),
        ("LocallyConnected2D", {"filters": 4, "kernel_size": 3}, [1, 8, 7, 2],
         {"kernel": (30, 18, 4), "bias": (6, 5, 4)}),
        ("LazyConvTranspose2d", {"out_channels": 6, "kernel_size": (2, 3), "groups": 2},
         [1, 4, 5, 5], {"weight": (4, 3, 2, 3), "bias": (6,)}),
        ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "groups": 2,
                    "bias": False}, [1, 4, 5, 5], {"weight": (6, 2, 3, 3)}),
        ("Dropout", {"rate": 0.5}, [1, 4], {}),
    ],
)  # fmt: skip
def test_tensors(
    name: str, kwargs: dict[str, Any], given: list[int], expected: dict[str, tuple[int, ...]]
) -> None:
    call = read(name, **kwargs, batch_input_shape=given)
    bound = bound_of(call)
    assert frameworks.tensors(call, bound) == expected


def test_trainable_false_counts_apart() -> None:
    bound = bound_of(read("keras.layers.Dense", 3, input_dim=4, trainable=False))
    assert (value(bound.params), value(bound.count(trainable=False) and bound.put(
        bound.count(trainable=False)))) == (0, 15)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("Conv2d", {"padding_mode": "circular", "dtype": "float16", "device": "meta"}),
        ("Conv2D", {"activation": "relu", "kernel_initializer": "zeros", "name": "first"}),
        ("Dense", {"activation": S("relu"), "kernel_constraint": None}),
        ("flax.linen.Dense", {"param_dtype": "bfloat16", "kernel_init": "ones"}),
        ("Identity", {"whatever": 1}),
    ],
)
def test_without_effect(name: str, kwargs: dict[str, Any]) -> None:
    assert read(name, **kwargs).meaning == read(name).meaning


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "says"),
    [
        ("Conv2d", (), {"strde": 2}, "Conv2d has no argument strde; did you mean stride?"),
        ("Conv2D", (), {"zzz": 2}, "it takes filters, kernel_size, strides, padding"),
        ("Linear", (1, 2, True, None, None, 3), {}, "at most 5 arguments by place"),
        ("Conv2d", (3,), {"in_channels": 3}, "in_channels is given twice"),
        ("Conv2d", (3,), {"C_in": 3}, "in_channels is given twice"),
        ("Conv2d", (3, 4, 3), {"batch_input_shape": [1, 5, 9, 9]},
         "Conv2d has in_channels=3, but the input (5, 9, 9) has 5 there"),
        ("Conv2d", (3, 4, 3), {"batch_input_shape": [1, 3, 9]}, "has 2 axes, but Conv2d takes 3"),
        ("Dense", (4,), {"batch_input_shape": [1, 4], "input_shape": [4]}, "only one of them"),
        ("Dense", (4,), {"batch_input_shape": []}, "is not a shape"),
        ("Dense", (4,), {"batch_input_shape": 4}, "is not a shape"),
        ("Dense", (4,), {"batch_input_shape": [1, -4]}, "too small"),
        ("Dense", (64, 128), {}, "stands where Dense expects activation"),
        ("Linear", (4, 5, "yes"), {}, "expects bias"),
        ("ZeroPad2d", ([1, 2],), {}, "4 are expected: left, right, top, bottom"),
        ("Conv2D", (4, 3), {"data_format": "NHWC"}, "channels_first or channels_last"),
        ("Conv2D", (4, 3), {"padding": "causal"}, "same, valid"),
        ("ConvTranspose2d", (4, 4, 3), {"padding": "full"}, "same, valid"),
        ("Conv", (4, (3, 3)), {"input_dilation": 2}, "input_dilation=1"),
        ("Conv", (4, (3, 3, 3, 3)), {}, "at most 3 are"),
        ("GLU", (), {"batch_input_shape": [1, 2, 7]}, "not a whole number"),
        ("GLU", (0,), {"batch_input_shape": [2, 2, 8]}, "would split the batch"),
        ("GLU", (9,), {"batch_input_shape": [2, 2, 8]}, "no dimension"),
        ("Flatten", (2, 1), {"batch_input_shape": [2, 2, 8]}, "cannot go from"),
        ("Conv2d", (10**500,), {}, "larger than any layer"),
        ("Conv2d", (3, 4, [3, 3, 3]), {}, "3 values, but"),
        ("Upsample", (3, 2), {}, "takes size or scale_factor, not both"),
        ("Conv2DTranspose", (4, 3), {"padding": "foo", "output_padding": 1}, "same, valid"),
        ("ConvTranspose", (4, (3,)), {"padding": [(1, 2, 3)]}, "padding=(1, 2, 3) is not a size"),
        ("ReLU", (), {"batch_input_shape": [2] * 2000}, "at most 16 are"),
        ("ReLU", (), {"batch_input_shape": [2]}, "has 0 axes, but ReLU takes 1"),
        ("Upsample", (), {"scale_factor": float("inf")}, "is not a size"),
        ("x" * 5000, (), {}, "is called xxx"),
        ("Conv3f", (), {}, "did you mean Conv3"),
    ],
)  # fmt: skip
def test_refusals(name: str, args: tuple[object, ...], kwargs: dict[str, Any], says: str) -> None:
    sentence = refusal(name, *args, **kwargs)
    assert says in sentence
    assert "\n" not in sentence
    assert len(sentence) < 500


def test_unknown_arguments_have_their_own_error() -> None:
    with pytest.raises(UnknownName):
        read("torch.nn.Linear", units=4)
