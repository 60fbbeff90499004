"""PyTorch's spellings, one row a class.  Source: PyTorch 2.13, ``torch.nn``."""

from __future__ import annotations

import functools

from .spelling import Framework, Spelling, row

TORCH = Framework("pytorch", "PyTorch", ("torch.nn", "nn"), "first")

_row = functools.partial(row, TORCH)
_ALL = (1, 2, 3)
_END = " device dtype"

_DENSE = {"weight": "weight: C_out C_in", "bias": "bias: C_out"}
_CONV = {"weight": "weight: C_out C_in k", "bias": "bias: C_out"}
_TRANSPOSED = {"weight": "weight: C_in C_out k", "bias": "bias: C_out"}

_CONV_ARGS = (
    "out_channels:C_out kernel_size:k stride:s padding:P dilation:d groups:g bias:b=1 padding_mode"
    + _END
)
_TRANSPOSED_ARGS = (
    "out_channels:C_out kernel_size:k stride:s padding:P output_padding:op groups:g bias:b=1"
    " dilation:d padding_mode" + _END
)
_POOL = "kernel_size:k stride:s padding:P "

# Functions of single values: what they are called, and the arguments that change no size.
_ACTIVATIONS = {
    "ReLU": "inplace", "ReLU6": "inplace", "SELU": "inplace", "SiLU": "inplace", "Mish": "inplace",
    "Hardswish": "inplace", "Hardsigmoid": "inplace", "Sigmoid": "", "Tanh": "", "Tanhshrink": "",
    "LogSigmoid": "", "Softsign": "", "ELU": "alpha inplace", "CELU": "alpha inplace",
    "LeakyReLU": "negative_slope inplace", "RReLU": "lower upper inplace", "GELU": "approximate",
    "GLU": "dim@halve=-1", "Hardshrink": "lambd", "Softshrink": "lambd",
    "Hardtanh": "min_val max_val inplace min_value max_value", "Softplus": "beta threshold",
    "Threshold": "threshold value inplace", "Softmax": "dim", "LogSoftmax": "dim",
    "Softmin": "dim", "Softmax2d": "",
}  # fmt: skip
_DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout",
             "FeatureAlphaDropout")  # fmt: skip

SPELLINGS: tuple[Spelling, ...] = (
    *_row("Linear", "linear", "in_features:C_in out_features:C_out bias:b=1" + _END, _DENSE,
          takes="lead"),
    *_row("LazyLinear", "linear", "out_features:C_out bias:b=1" + _END, _DENSE, takes="lead"),
    *_row("Conv{n}d", "conv{n}d", "in_channels:C_in " + _CONV_ARGS, _CONV, ranks=_ALL),
    *_row("LazyConv{n}d", "conv{n}d", _CONV_ARGS, _CONV, ranks=_ALL),
    *_row("ConvTranspose{n}d", "conv_transpose{n}d", "in_channels:C_in " + _TRANSPOSED_ARGS,
          _TRANSPOSED, ranks=_ALL),
    *_row("LazyConvTranspose{n}d", "conv_transpose{n}d", _TRANSPOSED_ARGS, _TRANSPOSED,
          ranks=_ALL),
    *_row("MaxPool{n}d", "max_pool{n}d", _POOL
          + "dilation:d return_indices@indices ceil_mode@ceil_mode", ranks=_ALL),
    *_row("AvgPool{n}d", "avg_pool{n}d",
          _POOL + "ceil_mode@ceil_mode count_include_pad divisor_override", ranks=_ALL),
    *_row("LPPool{n}d", "avg_pool{n}d", "norm_type kernel_size:k stride:s ceil_mode@ceil_mode",
          ranks=_ALL),
    *_row("AdaptiveMaxPool{n}d", "adaptive_max_pool{n}d",
          "output_size:out@output_size return_indices@indices", ranks=_ALL),
    *_row("AdaptiveAvgPool{n}d", "adaptive_avg_pool{n}d", "output_size:out@output_size",
          ranks=_ALL),
    *_row("FractionalMaxPool{n}d", "adaptive_max_pool{n}d",
          "kernel_size output_size:out output_ratio:f@ratio return_indices@indices", ranks=(2, 3)),
    *_row("Flatten", "flatten", "start_dim@merge=1 end_dim=-1", takes="flat"),
    *_row("Identity", "identity", takes="any", loose=True),
    *(spelling for name, args in _ACTIVATIONS.items()
      for spelling in _row(name, "activation", args, takes="any")),
    *(spelling for name in _DROPOUTS
      for spelling in _row(name, "dropout", "p inplace", takes="any")),
    *(spelling for kind in ("Zero", "Reflection", "Replication", "Circular")
      for spelling in _row(kind + "Pad{n}d", "pad{n}d", "padding:P@flat_pads", ranks=_ALL)),
    *_row("ConstantPad{n}d", "pad{n}d", "padding:P@flat_pads value", ranks=_ALL),
    *_row("Upsample", "upsample{n}d",
          "size:out@to_size scale_factor:f mode align_corners recompute_scale_factor"),
    *_row("UpsamplingNearest2d", "upsample{n}d", "size:out@to_size scale_factor:f", ranks=(2,)),
    *_row("UpsamplingBilinear2d", "upsample{n}d", "size:out@to_size scale_factor:f", ranks=(2,)),
)  # fmt: skip
