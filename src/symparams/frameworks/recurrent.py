"""Recurrent layers in the frameworks' words: PyTorch, Keras, Flax, one row a class.

Source: PyTorch 2.13, ``torch.nn``; Keras 3.15, ``keras.layers``; flax.linen 0.12.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from .flax import FLAX
from .keras import KERAS
from .spelling import Spelling, row
from .torch import TORCH

# --- PyTorch ------------------------------------------------------------------------------------

_torch = functools.partial(row, TORCH)
_END = " device dtype"
_SIZES = "input_size!:i hidden_size!:h "
_LAYERS = " batch_first@batch_first=0 dropout bidirectional:D"


def _unrolled(tensors: Mapping[str, str]) -> dict[str, str]:
    """One name for each layer and direction; a single layer has the name of the first."""
    found = {}
    for tensor, axes in tensors.items():
        found[tensor] = f"{tensor}_l0: {axes}"
        found[f"first.{tensor}"] = f"{tensor}_l0{{D:,_reverse}}: {axes}"
        found[f"others.{tensor}"] = f"{tensor}_l{{L:1}}{{D:,_reverse}}: {axes}"
    return found


_PLAIN = {"weight_ih": "h in", "weight_hh": "h in", "bias_ih": "h", "bias_hh": "h"}
_GATED = {"weight_ih": "(G h) in", "weight_hh": "(G h) in", "bias_ih": "(G h)",
          "bias_hh": "(g2 h)", "weight_hr": "p in"}  # fmt: skip
_PLAIN_CELL = {name: f"{name}: {axes}" for name, axes in _PLAIN.items()}
_GATED_CELL = {name: f"{name}: {axes}" for name, axes in _GATED.items()}

_TORCH: tuple[Spelling, ...] = (
    *_torch("RNN", "rnn",
            _SIZES + "num_layers:L nonlinearity bias:b=1" + _LAYERS + _END, _unrolled(_PLAIN),
            takes="own T i"),
    *_torch("LSTM", "lstm",
            _SIZES + "num_layers:L bias:b=1" + _LAYERS + " proj_size:p@projected" + _END,
            _unrolled(_GATED), takes="own T i"),
    *_torch("GRU", "gru",
            _SIZES + "num_layers:L bias:b=1" + _LAYERS + _END, _unrolled(_GATED),
            takes="own T i"),
    *_torch("RNNCell", "rnn_cell", _SIZES + "bias:b=1 nonlinearity" + _END, _PLAIN_CELL,
            takes="own i"),
    *_torch("LSTMCell", "lstm_cell", _SIZES + "bias:b=1" + _END, _GATED_CELL, takes="own i",
            out="[N h, N h]"),
    *_torch("GRUCell", "gru_cell", _SIZES + "bias:b=1" + _END, _GATED_CELL, takes="own i"),
)  # fmt: skip

# --- Keras --------------------------------------------------------------------------------------

_keras = functools.partial(row, KERAS)
_NAMED = " * name dtype trainable@frozen autocast batch_size"
_WEIGHTS = " use_bias:b=1 kernel_initializer recurrent_initializer bias_initializer"
_RULES = (
    " kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer"
    " kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed"
)
_STEPS = (
    " return_sequences@sequences=0 return_state@states go_backwards stateful unroll"
    " zero_output_for_mask"
)
_IMPLEMENTED = " use_cudnn implementation"


def _stored(front: str = "", first: str = "(G h)") -> dict[str, str]:
    """Keras' kernels; two bias vectors are one tensor of two rows."""
    return {
        "weight_ih": f"{front}kernel: in {first}",
        "weight_hh": f"{front}recurrent_kernel: in {first}",
        "bias_ih": f"{front}bias: {first}",
        "bias_ih bias_hh": f"{front}bias: + {first}",
    }


_CONVOLVED = {
    "weight_ih": "conv_lstm_cell/kernel: k in (G C_out)",
    "weight_hh": "conv_lstm_cell/recurrent_kernel: k in (G C_out)",
    "bias_ih": "conv_lstm_cell/bias: (G C_out)",
}
_CONV_ARGS = (
    "filters:C_out kernel_size:k strides:s padding:P=valid data_format@data_format"
    " dilation_rate:d activation recurrent_activation" + _WEIGHTS + " unit_forget_bias"
    + _RULES + _STEPS + _NAMED
)  # fmt: skip

_KERAS: tuple[Spelling, ...] = (
    *_keras("SimpleRNN", "rnn",
            "units:h activation" + _WEIGHTS + _RULES + _STEPS + _NAMED + " input_dim:i",
            _stored("simple_rnn_cell/", "h"), takes="own T i"),
    *_keras("LSTM", "lstm",
            "units:h activation recurrent_activation" + _WEIGHTS + " unit_forget_bias" + _RULES
            + _STEPS + _IMPLEMENTED + _NAMED + " input_dim:i", _stored("lstm_cell/"),
            takes="own T i"),
    *_keras("GRU", "gru",
            "units:h activation recurrent_activation" + _WEIGHTS + _RULES + _STEPS
            + " reset_after:g2@second" + _IMPLEMENTED + _NAMED + " input_dim:i",
            _stored("gru_cell/"), takes="own T i"),
    *_keras("SimpleRNNCell", "rnn_cell", "units:h activation" + _WEIGHTS + _RULES + _NAMED,
            _stored("", "h"), takes="own i", out="[N h, [N h]]"),
    *_keras("LSTMCell", "lstm_cell",
            "units:h activation recurrent_activation" + _WEIGHTS + " unit_forget_bias" + _RULES
            + _NAMED, _stored(), takes="own i", out="[N h, [N h, N h]]"),
    *_keras("GRUCell", "gru_cell",
            "units:h activation recurrent_activation" + _WEIGHTS + _RULES
            + " reset_after:g2@second" + _NAMED, _stored(), takes="own i", out="[N h, [N h]]"),
    *_keras("ConvLSTM{n}D", "conv_lstm{n}d", _CONV_ARGS, _CONVOLVED, takes="steps",
            ranks=(1, 2, 3)),
    *_keras("RNN", "stacked_cells", "cell@cells" + _STEPS + _NAMED, takes="own T i"),
    *_keras("Bidirectional", "bidirectional",
            "layer@both_ways merge_mode=concat weights backward_layer~" + _NAMED, takes="own"),
    *_keras("TimeDistributed", "time_distributed", "layer@every_step" + _NAMED, takes="own"),
)  # fmt: skip

# --- Flax ---------------------------------------------------------------------------------------

_flax = functools.partial(row, FLAX)
_INIT = " kernel_init recurrent_kernel_init bias_init"
_TYPES = " dtype param_dtype carry_init"
_LAST = " * name parent"
_GATED_ARGS = "features:h gate_fn@biased=1 activation_fn"


def _by_gate(words: str, biased: str, again: str = "") -> dict[str, str]:
    """One tensor for each gate; ``biased`` says on which side the first bias stands, ``again``
    which gates have a second one."""
    field = f"{{G:{words}}}"
    found = {
        "weight_ih": f"params/i{field}/kernel: in h",
        "weight_hh": f"params/h{field}/kernel: in h",
        "bias_ih": f"params/{biased}{field}/bias: h",
    }
    if again:
        found["bias_hh"] = f"params/h{{g2:{again}}}/bias: h"
    return found


_FLAX: tuple[Spelling, ...] = (
    *_flax("SimpleCell", "rnn_cell",
           "features:h activation_fn@biased=1" + _INIT + _TYPES + " residual" + _LAST,
           {"weight_ih": "params/i/kernel: in h", "weight_hh": "params/h/kernel: in h",
            "bias_ih": "params/i/bias: h"}, takes="own i", out="[N h, N h]"),
    *(spelling for name in ("LSTMCell", "OptimizedLSTMCell") for spelling in
      _flax(name, "lstm_cell", _GATED_ARGS + _INIT + _TYPES + _LAST,
            _by_gate("i,f,g,o", "h"), takes="own i", out="[[N h, N h], N h]")),
    *_flax("GRUCell", "gru_cell", _GATED_ARGS + _INIT + _TYPES + _LAST,
           _by_gate("r,z,n", "i", "n"), takes="own i", out="[N h, N h]"),
    *_flax("MGUCell", "mgu_cell",
           _GATED_ARGS + " kernel_init recurrent_kernel_init forget_bias_init activation_bias_init"
           + _TYPES + " reset_gate:g2@second" + _LAST,
           _by_gate("f,n", "i", "n"), takes="own i", out="[N h, N h]"),
    *_flax("ConvLSTMCell", "conv_lstm_cell{n}d",
           "features:C_out kernel_size:k strides:s padding:P@lax_pads=SAME use_bias:b=1 dtype"
           " param_dtype carry_init" + _LAST,
           {"weight_ih": "params/ih/kernel: k in (G C_out)",
            "weight_hh": "params/hh/kernel: k in (G C_out)",
            "bias_ih": "params/ih/bias: (G C_out)", "bias_hh": "params/hh/bias: (g2 C_out)"},
           out="[[N x C_out, N x C_out], N x C_out]"),
)  # fmt: skip

SPELLINGS: tuple[Spelling, ...] = (*_TORCH, *_KERAS, *_FLAX)
