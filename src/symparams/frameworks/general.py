"""Bilinear, einsum, separable and weightless layers in the frameworks' words, one row a class.

Sources: PyTorch 2.13 ``torch.nn``; Keras 3.15 ``keras.layers``; flax.linen 0.12.
"""

from __future__ import annotations

import functools

from .flax import FLAX
from .keras import KERAS
from .spelling import Spelling, row
from .torch import TORCH

_torch = functools.partial(row, TORCH)
_keras = functools.partial(row, KERAS)
_flax = functools.partial(row, FLAX)

_TORCH_END = " device dtype"
_KERAS_END = " * name dtype trainable@frozen autocast batch_size"
_FORMAT = " data_format@data_format"
_SEPARABLE_WEIGHTS = (
    " activation use_bias:b=1 depthwise_initializer pointwise_initializer bias_initializer"
    " depthwise_regularizer pointwise_regularizer bias_regularizer activity_regularizer"
    " depthwise_constraint pointwise_constraint bias_constraint"
)
_EINSUM_ARGS = (
    "equation@equation output_shape activation bias_axes kernel_initializer bias_initializer"
    " kernel_regularizer bias_regularizer kernel_constraint bias_constraint lora_rank@refused"
    " lora_alpha gptq_unpacked_column_size quantization_config"
)
_GENERAL_ARGS = (
    "features@dense_general axis=-1 batch_dims use_bias=1 dtype param_dtype kernel_init bias_init"
    " precision promote_dtype dot_general dot_general_cls * name parent"
)
_SEPARABLE = {
    "depthwise.weight": "depthwise_kernel: k C_in m",
    "depthwise.bias": "depthwise_bias: (C_in m)",
    "pointwise.weight": "pointwise_kernel: {ones} C_in C_out",
    "pointwise.bias": "bias: C_out",
}
_MOST_TAILS = 64
_ADAPTIVE = {
    "head.weight": "head.weight: C_out C_in",
    "head.bias": "head.bias: C_out",
    **{f"tail_{i + 1}_in.weight": f"tail.{i}.0.weight: C_out C_in" for i in range(_MOST_TAILS)},
    **{f"tail_{i + 1}_out.weight": f"tail.{i}.1.weight: C_out C_in" for i in range(_MOST_TAILS)},
}
_MERGES = {"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Average": "average",
           "Maximum": "maximum", "Minimum": "minimum"}  # fmt: skip


def _separable(n: int) -> dict[str, str]:
    ones = " ".join(["1"] * n)
    return {tensor: line.replace("{ones}", ones) for tensor, line in _SEPARABLE.items()}


SPELLINGS: tuple[Spelling, ...] = (
    *_torch("Bilinear", "bilinear",
            "in1_features:C_1 in2_features:C_2@second_input out_features:C_out bias:b=1"
            + _TORCH_END,
            {"weight": "weight: C_out C_1 C_2", "bias": "bias: C_out"}, takes="lead"),
    *_torch("AdaptiveLogSoftmaxWithLoss", "adaptive_log_softmax",
            "in_features:C_in n_classes:V cutoffs:c@cutoffs div_value:v=4 head_bias:b=0"
            + _TORCH_END, _ADAPTIVE, takes="own"),
    *_torch("MaxUnpool{n}d", "max_unpool{n}d", "kernel_size:k stride:s padding:P",
            ranks=(1, 2, 3)),
    *_torch("Unflatten", "reshape", "dim unflattened_size@unflatten", takes="own"),
    *_torch("PixelShuffle", "pixel_shuffle", "upscale_factor:f", ranks=(2,)),
    *_torch("PixelUnshuffle", "pixel_unshuffle", "downscale_factor:f", ranks=(2,)),
    *_torch("ChannelShuffle", "channel_shuffle", "groups:g", takes="flat"),
    *_torch("Unfold", "unfold2d", "kernel_size:k dilation:d padding:P stride:s", ranks=(2,)),
    *_torch("Fold", "fold2d",
            "output_size:out@folded kernel_size:k dilation:d padding:P stride:s", takes="own"),
    *(spelling for n in (1, 2)
      for spelling in _keras("SeparableConv{n}D", "separable_conv{n}d",
                             "filters:C_out kernel_size:k strides:s padding:P=valid" + _FORMAT
                             + " dilation_rate:d depth_multiplier:m" + _SEPARABLE_WEIGHTS
                             + _KERAS_END, _separable(n), ranks=(n,),
                             also=("SeparableConvolution{n}D",))),
    *_keras("EinsumDense", "einsum_dense", _EINSUM_ARGS + _KERAS_END,
            {"weight": "kernel: ", "bias": "bias: "}, takes="own"),
    *_keras("Reshape", "reshape", "target_shape@reshape" + _KERAS_END, takes="own"),
    *_keras("Permute", "permute", "dims@permute" + _KERAS_END, takes="own"),
    *_keras("RepeatVector", "repeat_vector", "n:T" + _KERAS_END, takes="own"),
    *_keras("Masking", "identity", "mask_value" + _KERAS_END, takes="any"),
    *(spelling for name, layer in _MERGES.items()
      for spelling in _keras(name, layer, _KERAS_END.replace("name", "name@same_inputs=_"),
                             takes="any")),
    *_keras("Concatenate", "concatenate", "axis@joined=-1" + _KERAS_END, takes="any"),
    *_flax("DenseGeneral", "einsum_dense", _GENERAL_ARGS,
           {"weight": "params/kernel: ", "bias": "params/bias: "}, takes="own"),
)  # fmt: skip
