"""Keras' spellings, one row a class.  Source: Keras 3.15, ``keras.layers``; the locally
connected layers are Keras 2's."""

from __future__ import annotations

import functools

from .spelling import Framework, Spelling, row

KERAS = Framework(
    "keras", "Keras", ("keras.layers", "tf.keras.layers", "tensorflow.keras.layers", "layers"),
    "last",
)  # fmt: skip

_row = functools.partial(row, KERAS)
_ALL = (1, 2, 3)
_FORMAT = " data_format@data_format"
_END = " * name dtype trainable@frozen autocast batch_size"
_NOISE = " seed" + _END
_WEIGHTS = (
    " activation use_bias:b=1 kernel_initializer bias_initializer kernel_regularizer"
    " bias_regularizer activity_regularizer kernel_constraint bias_constraint"
)
_DEPTHWISE_WEIGHTS = _WEIGHTS.replace(" kernel_", " depthwise_")

_DENSE = {
    "weight": "kernel: C_in C_out",
    "bias": "bias: C_out",
    "lora_a": "lora_kernel_a: C_in r",
    "lora_b": "lora_kernel_b: r C_out",
}
_CONV = {"weight": "kernel: k C_in C_out", "bias": "bias: C_out"}
_TRANSPOSED = {"weight": "kernel: k C_out C_in", "bias": "bias: C_out"}
_DEPTHWISE = {"weight": "kernel: k C_in m", "bias": "bias: (C_in m)"}
_LOCAL_1D = {"weight": "kernel: x (k C_in) C_out", "bias": "bias: x C_out"}
_LOCAL_2D = {"weight": "kernel: (x) (k C_in) C_out", "bias": "bias: x C_out"}

_LOCAL_ARGS = (
    "filters:C_out kernel_size:k strides:s padding:P=valid" + _FORMAT + _WEIGHTS
    + " implementation@only_one" + _END
)  # fmt: skip
_POOL_ARGS = ":k{usual} strides:s padding:P=valid" + _FORMAT + _END

SPELLINGS: tuple[Spelling, ...] = (
    *_row("Dense", "linear",
          "units:C_out" + _WEIGHTS + " lora_rank:r@lora lora_alpha quantization_config" + _END
          + " input_dim:C_in", _DENSE, takes="lead"),
    *_row("Conv{n}D", "conv{n}d",
          "filters:C_out kernel_size:k strides:s padding:P=valid" + _FORMAT
          + " dilation_rate:d groups:g" + _WEIGHTS + _END, _CONV,
          ranks=_ALL, also=("Convolution{n}D",)),
    *_row("Conv{n}DTranspose", "conv_transpose{n}d",
          "filters:C_out kernel_size:k strides:s padding:P@spread=valid output_padding" + _FORMAT
          + " dilation_rate:d" + _WEIGHTS + _END, _TRANSPOSED,
          ranks=_ALL, also=("Convolution{n}DTranspose",)),
    *_row("DepthwiseConv{n}D", "depthwise_conv{n}d",
          "kernel_size:k strides:s padding:P=valid depth_multiplier:m" + _FORMAT
          + " dilation_rate:d" + _DEPTHWISE_WEIGHTS + _END, _DEPTHWISE, ranks=(1, 2)),
    *_row("LocallyConnected1D", "locally_connected{n}d", _LOCAL_ARGS, _LOCAL_1D, ranks=(1,)),
    *_row("LocallyConnected2D", "locally_connected{n}d", _LOCAL_ARGS, _LOCAL_2D, ranks=(2,)),
    *_row("MaxPooling{n}D", "max_pool{n}d", "pool_size" + _POOL_ARGS.format(usual="=2"),
          ranks=_ALL, also=("MaxPool{n}D",)),
    *_row("AveragePooling{n}D", "avg_pool{n}d", "pool_size" + _POOL_ARGS.format(usual=""),
          ranks=_ALL, also=("AvgPool{n}D",)),
    *(spelling for kind, layer, short in (("Max", "max", "Max"), ("Average", "avg", "Avg"))
      for spelling in (
          *_row(f"Global{kind}Pooling{{n}}D", f"global_{layer}_pool{{n}}d",
                _FORMAT + " keepdims@keepdims" + _END, ranks=_ALL,
                also=(f"Global{short}Pool{{n}}D",)),
          *_row(f"Adaptive{kind}Pooling{{n}}D", f"adaptive_{layer}_pool{{n}}d",
                "output_size:out@output_size" + _FORMAT + _END, ranks=_ALL))),
    *_row("UpSampling1D", "upsample{n}d", "size:f=2" + _END, ranks=(1,)),
    *_row("UpSampling2D", "upsample{n}d", "size:f=2" + _FORMAT + " interpolation" + _END,
          ranks=(2,)),
    *_row("UpSampling3D", "upsample{n}d", "size:f=2" + _FORMAT + _END, ranks=(3,)),
    *_row("ZeroPadding1D", "pad{n}d", "padding:P@pair=1" + _FORMAT + _END, ranks=(1,)),
    *_row("ZeroPadding{n}D", "pad{n}d", "padding:P=1" + _FORMAT + _END, ranks=(2, 3)),
    *_row("Cropping1D", "crop{n}d", "cropping:P@pair=1" + _END, ranks=(1,)),
    *_row("Cropping2D", "crop{n}d", "cropping:P=0" + _FORMAT + _END, ranks=(2,)),
    *_row("Cropping3D", "crop{n}d", "cropping:P=1" + _FORMAT + _END, ranks=(3,)),
    *_row("Flatten", "flatten", _FORMAT + _END, takes="flat"),
    *_row("Identity", "identity", _END, takes="any"),
    *_row("Activation", "activation", "activation" + _END, takes="any"),
    *_row("ReLU", "activation", "max_value negative_slope threshold" + _END, takes="any"),
    *_row("LeakyReLU", "activation", "negative_slope" + _END + " alpha", takes="any"),
    *_row("ELU", "activation", "alpha" + _END, takes="any"),
    *_row("Softmax", "activation", "axis" + _END, takes="any"),
    *_row("Dropout", "dropout", "rate noise_shape" + _NOISE, takes="any"),
    *_row("AlphaDropout", "dropout", "rate noise_shape" + _NOISE, takes="any"),
    *_row("GaussianDropout", "dropout", "rate" + _NOISE, takes="any"),
    *_row("GaussianNoise", "dropout", "stddev" + _NOISE, takes="any"),
    *_row("SpatialDropout1D", "dropout", "rate" + _NOISE, takes="any"),
    *_row("SpatialDropout{n}D", "dropout", "rate" + _FORMAT + _NOISE, takes="any", ranks=(2, 3)),
)  # fmt: skip
