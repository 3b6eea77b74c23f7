"""Write a BERT encoder as an ONNX graph with numpy and onnx alone: int8 arithmetic, 4-bit embedding table.

`encoder_graph` is shared by the embedding model and the reading model. Needed only to build a model, never to
run one. The quantisation, chosen once for both models:

* Linear layers multiply u8 activations by s8 weights (`MatMulInteger`). One weight scale per output channel; one
  activation scale per *token*, so that the vector of a text cannot depend on its batch neighbours.
* A few channels of a LayerNorm's output are ten times larger than the rest and would take all the levels. The
  square root of each channel's peak moves from the activation to the weights (SmoothQuant, Xiao et al. 2022).
* x86 processors without VNNI multiply u8 by s8 with `vpmaddubsw`, which adds neighbouring products in 16 bits
  and saturates. `quantize_weight` keeps every such sum within range, so that all processors compute the same.
* Embedding table: 16 levels fitted to the table, one scale per block of 32. Only rows in use are decoded.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from index.models.reference import EPSILON, HEADS, Weights, channel_scales, layers

OPSET = 20  # the first with Gelu
MASKED = -1e4  # added to the scores of padding: exp() of it is 0
BLOCK = 32  # values that share one scale in the embedding table
GELU_SHIFT = 0.17  # min GELU(x) = -0.16997: what must be added to make its output unsigned


class Graph:
    """A growing list of nodes and constants; values are referred to by name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, *inputs: str | np.ndarray, **attributes: object) -> str:
        """Append a node with one output and return the output's name. Arrays become constants."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def model(self, name: str, inputs: Mapping[str, list], outputs: Mapping[str, tuple[str, list]]) -> bytes:
        """The serialised model. `inputs`: name -> shape (int64); `outputs`: name -> (value, shape) (float32)."""
        results = [helper.make_node("Identity", [value], [output]) for output, (value, _) in outputs.items()]
        graph = helper.make_graph(
            self.nodes + results,
            name,
            [helper.make_tensor_value_info(key, TensorProto.INT64, shape) for key, shape in inputs.items()],
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, (_, shape) in outputs.items()],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)


def f32(values: object) -> np.ndarray:
    return np.asarray(values, np.float32)


def i64(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def encoder_graph(
    g: Graph, weights: Weights, ids: str, mask: str, types: str | None = None, positions: int = 256
) -> str:
    """Add the encoder; returns the name of the last hidden state, float32 (batch, length, width).

    `ids`, `mask` (1 for a token, 0 for padding) and, for pairs of texts, `types` (0 or 1): names of int64
    (batch, length) inputs. `positions`: the longest input.
    """
    width = weights["embeddings.word_embeddings.weight"].shape[1]
    smooth = channel_scales(weights)
    batch = g.add("Shape", ids)
    split = g.add("Concat", batch, i64(HEADS, width // HEADS), axis=0)
    padding = g.add("Sub", f32(1), g.add("Cast", mask, to=TensorProto.FLOAT))
    mask = g.add("Mul", g.add("Unsqueeze", padding, i64(1, 2)), f32(MASKED))
    x = embeddings(g, weights, ids, types, positions)
    source = "embeddings"  # the LayerNorm whose output x is
    for layer in layers(weights):
        name = f"{layer}.attention.output"
        x = normalize(g, g.add("Add", x, attention(g, weights, layer, x, smooth[source], split, mask)), weights, name)
        x = normalize(g, g.add("Add", x, feed_forward(g, weights, layer, x, smooth[name])), weights, f"{layer}.output")
        source = f"{layer}.output"
    return g.add("Reshape", x, g.add("Concat", batch, i64(width), axis=0))


def embeddings(g: Graph, weights: Weights, ids: str, types: str | None, positions: int) -> str:
    """Word + position + token type, normalised: (batch * length, width)."""
    table = weights["embeddings.word_embeddings.weight"]
    first, second = weights["embeddings.token_type_embeddings.weight"]
    place = f32(weights["embeddings.position_embeddings.weight"][:positions] + first)
    width = table.shape[1]
    words = g.add("Reshape", word_rows(g, table, ids), g.add("Concat", g.add("Shape", ids), i64(width), axis=0))
    total = g.add("Add", words, g.add("Slice", place, i64(0), g.add("Shape", ids, start=1, end=2), i64(0)))
    if types is not None:
        in_second = g.add("Unsqueeze", g.add("Cast", types, to=TensorProto.FLOAT), i64(2))
        total = g.add("Add", total, g.add("Mul", in_second, f32(second - first)))
    return normalize(g, g.add("Reshape", total, i64(-1, width)), weights, "embeddings")


def attention(g: Graph, weights: Weights, layer: str, x: str, smooth: np.ndarray, split: str, mask: str) -> str:
    """Self-attention of all heads on (batch * length, width). Q, K and V share one quantised input."""
    name, width = f"{layer}.attention.self", len(smooth)
    quantized = quantize_rows(g, g.add("Mul", x, f32(1 / smooth)))

    def heads(part: str, order: list[int], factor: float = 1.0) -> str:
        weight, bias = weights[f"{name}.{part}.weight"] * factor, weights[f"{name}.{part}.bias"] * factor
        return g.add("Transpose", g.add("Reshape", linear(g, quantized, weight * smooth, bias), split), perm=order)

    query = heads("query", [0, 2, 1, 3], (width // HEADS) ** -0.5)
    scores = g.add("Add", g.add("MatMul", query, heads("key", [0, 2, 3, 1])), mask)
    context = g.add("MatMul", g.add("Softmax", scores, axis=-1), heads("value", [0, 2, 1, 3]))
    context = g.add("Reshape", g.add("Transpose", context, perm=[0, 2, 1, 3]), i64(-1, width))
    name = f"{layer}.attention.output.dense"
    return linear(g, quantize_rows(g, context), weights[f"{name}.weight"], weights[f"{name}.bias"])


def feed_forward(g: Graph, weights: Weights, layer: str, x: str, smooth: np.ndarray) -> str:
    """GELU's output lies in [-0.17, max]: shifted by 0.17 it uses all 256 levels. The shift adds a constant to
    the product, 0.17 times the column sums, which the bias takes back."""
    quantized = quantize_rows(g, g.add("Mul", x, f32(1 / smooth)))
    name = f"{layer}.intermediate.dense"
    wide = g.add("Gelu", linear(g, quantized, weights[f"{name}.weight"] * smooth, weights[f"{name}.bias"]))
    shifted = g.add("Add", wide, f32(GELU_SHIFT))
    scale = g.add("Mul", g.add("ReduceMax", shifted, i64(-1), keepdims=0), f32(1 / 255))
    rows = g.add("QuantizeLinear", shifted, scale, zero_points(g, scale, 0), axis=0)
    name = f"{layer}.output.dense"
    matrix, column_scale = quantize_weight(weights[f"{name}.weight"].T)
    bias = weights[f"{name}.bias"] - GELU_SHIFT * column_scale * matrix.sum(0, dtype=np.int64)
    return linear(g, (rows, scale, np.uint8(0)), weights[f"{name}.weight"], bias)


def normalize(g: Graph, x: str, weights: Weights, name: str) -> str:
    gamma, beta = weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"]
    return g.add("LayerNormalization", x, f32(gamma), f32(beta), axis=-1, epsilon=EPSILON)


def quantize_rows(g: Graph, x: str) -> tuple[str, str, np.uint8]:
    """u8 rows, their scales and the zero point: the largest magnitude of a row becomes 127, zero becomes 128."""
    peak = g.add("ReduceMax", g.add("Abs", x), i64(-1), keepdims=0)
    scale = g.add("Mul", g.add("Max", peak, f32(1e-6)), f32(1 / 127))
    return g.add("QuantizeLinear", x, scale, zero_points(g, scale, 128), axis=0), scale, np.uint8(128)


def zero_points(g: Graph, scale: str, value: int) -> str:
    constant = helper.make_tensor("zero", TensorProto.UINT8, [1], [value])
    return g.add("ConstantOfShape", g.add("Shape", scale), value=constant)


def linear(g: Graph, quantized: tuple[str, str, np.uint8], weight: np.ndarray, bias: np.ndarray) -> str:
    """x W^T + b for the `quantized` rows of x and torch's (outputs, inputs) weight."""
    rows, scale, zero = quantized
    matrix, column_scale = quantize_weight(weight.T)
    product = g.add("MatMulInteger", rows, matrix, np.asarray(zero))
    product = g.add("Mul", g.add("DequantizeLinear", product, scale, axis=0), column_scale)
    return g.add("Add", product, f32(bias))


def quantize_weight(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K, N) float -> (K, N) int8 and (N,) scales, with |q[2k] + q[2k+1]| <= 128 for every pair of rows.

    255 * 128 = 32,640 fits a signed 16-bit sum; a pair of opposite signs cannot exceed 255 * 127. Rounding can
    add 1 to a pair, hence 127 for the pairs too.
    """
    peak = np.maximum(np.abs(weight).max(0), np.abs(weight[0::2] + weight[1::2]).max(0))
    scale = f32(peak / 127)
    return np.rint(weight / scale).astype(np.int8), scale


def word_rows(g: Graph, table: np.ndarray, ids: str) -> str:
    """The rows of the 4-bit table for `ids`, (batch * length * width / 32, 32). Decoding after the look-up:
    a whole decoded table would cost 43 MB, and constant folding of one cost 340 MB."""
    blocks = table.reshape(-1, BLOCK)
    levels, codes, scale = fit_levels(blocks)
    codes = codes.reshape(table.shape)
    packed = codes[:, 0::2] | codes[:, 1::2] << 4
    pairs = f32([[levels[byte % 16], levels[byte // 16]] for byte in range(256)])
    bytes_ = g.add("Cast", g.add("Gather", packed, ids), to=TensorProto.INT32)
    values = g.add("Reshape", g.add("Gather", pairs, bytes_), i64(-1, BLOCK))
    scales = g.add("Gather", scale.reshape(len(table), -1), ids)
    return g.add("Mul", values, g.add("Reshape", g.add("Cast", scales, to=TensorProto.FLOAT), i64(-1, 1)))


def fit_levels(blocks: np.ndarray, rounds: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """16 levels, the u8 level of each value and a float16 scale per row of `blocks`.

    The scale is the value of largest magnitude, with its sign, so that the outlier that matters most is exact;
    the other levels are fitted to the values (Lloyd 1982).
    """
    scale = np.take_along_axis(blocks, np.abs(blocks).argmax(1)[:, None], 1)
    scale = np.where(scale == 0, 1, scale).astype(np.float16)
    unit = blocks / scale
    sample = unit.ravel()[::7]
    levels = np.quantile(sample, (np.arange(16) + 0.5) / 16)
    for _ in range(rounds):
        nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2, sample)
        levels = np.bincount(nearest, sample, 16) / np.maximum(np.bincount(nearest, minlength=16), 1)
    levels[-1] = 1
    return levels, np.searchsorted((levels[1:] + levels[:-1]) / 2, unit).astype(np.uint8), scale
