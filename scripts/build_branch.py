"""Builds a shipped branch of e5-small, its fine-tuned upper layers with their head, as one int8 ONNX file.

    python scripts/build_branch.py verifier --source FILE.bin --state STATE.pt
    python scripts/build_branch.py reader --source FILE.bin --state STATE.pt

Needs torch to read the state that scripts/train_entailment.py or scripts/train_deid_reader.py left. The lower layers
and the words are the embedder's own: the manifest names the value of the embedder's graph that the branch begins at.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from build_embedder import IR_VERSION, MICROSOFT, OPSET, OUT, SOURCE_SHA256, Checkpoint, Graph, add_layer
from onnx import TensorProto, helper
from train_deid import KINDS
from train_entailment import NAMES, VERDICTS

# What a branch gives: its names, and whether of every word piece or of the whole.
GIVES = {"verifier": (VERDICTS, False), "reader": (KINDS, True)}
LICENCES = {
    "verifier": "MIT (multilingual-e5-small), trained on pairs of this project (CC0)",
    "reader": "MIT (multilingual-e5-small), trained on the notes and public sets that its README names",
}


class Tuned:
    """The fine-tuned tensors under the names of the source."""

    def __init__(self, source: Checkpoint, state: dict[str, torch.Tensor]) -> None:
        self.shape, self.epsilon = source.shape, source.epsilon
        self._state = state

    def _tensor(self, name: str) -> Any:
        layer, part, kind = name.split(".")
        to = f"bert.encoder.layer.{layer[1:]}.{NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"
        return self._state[to].float().numpy()

    def vector(self, name: str) -> Any:
        return self._tensor(name)

    def matrix(self, name: str, columns: int) -> Any:
        return self._tensor(name)


def build(source: Checkpoint, state: dict[str, torch.Tensor], first: int, name: str) -> onnx.ModelProto:
    """hidden float32 (1, tokens, hidden) after `first` layers -> chances float32 (1, names) or (1, tokens, names)."""
    names, each = GIVES[name]
    graph, tuned, x = Graph(), Tuned(source, state), "hidden"
    for layer in range(first, source.shape.layers):
        x = add_layer(graph, tuned, f"l{layer}", x)  # type: ignore[arg-type]
    if not each:
        (x,) = graph.add("ReduceMean", x, graph.constant(np.array([1])), keepdims=0)
    weight, bias = (state[f"head.1.{part}"].float().numpy() for part in ("weight", "bias"))
    (x,) = graph.add("MatMul", x, graph.constant(np.ascontiguousarray(weight.T)))
    (x,) = graph.add("Add", x, graph.constant(bias))
    (x,) = graph.add("Softmax", x, axis=-1)
    graph.nodes.append(helper.make_node("Identity", [x], ["chances"]))
    described = helper.make_graph(
        graph.nodes,
        f"osler-{name}",
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [1, "tokens", source.shape.hidden])],
        [
            helper.make_tensor_value_info(
                "chances", TensorProto.FLOAT, [1, "tokens", len(names)] if each else [1, len(names)]
            )
        ],
        graph.constants,
    )
    sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(described, opset_imports=sets, ir_version=IR_VERSION, producer_name="osler")


def begins(first: int) -> str:
    """The name, in the embedder's graph, of what its first layers give."""
    model = onnx.load(str(OUT / "model.onnx"), load_external_data=False)
    norms = [node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization"]
    return str(norms[2 * first])  # one over the words, two a layer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name", choices=GIVES)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--frozen", type=int, default=6, help="layers that were not trained")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    given.out = given.out or OUT.parent / given.name
    saved = torch.load(given.state, weights_only=False)
    content = build(Checkpoint(given.source.read_bytes()), saved["model"], given.frozen, given.name)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "upper.onnx").write_bytes(content.SerializeToString(deterministic=True))
    manifest = {
        "name": f"osler-{given.name}",
        "licence": LICENCES[given.name],
        "kinds" if GIVES[given.name][1] else "verdicts": GIVES[given.name][0],
        "begins": begins(given.frozen),
        "steps": saved["step"],
        "source": {"sha256": SOURCE_SHA256},
        "embedder": hashlib.sha256((OUT / "model.onnx").read_bytes()).hexdigest(),
        "files": {"upper.onnx": hashlib.sha256((given.out / "upper.onnx").read_bytes()).hexdigest()},
    }
    (given.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    print(f"{(given.out / 'upper.onnx').stat().st_size:,} bytes after {saved['step']} steps")


if __name__ == "__main__":
    main()
