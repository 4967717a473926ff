"""A real GGUF model of a few hundred kB with random, seeded weights: nonsense text, true mechanics.

Two layers, 64 dimensions, a vocabulary of all 256 bytes plus some words and control tokens; so any text,
Chinese too, can go in and any JSON can come out under a grammar.
"""

from pathlib import Path

import gguf
import numpy as np

CHAT_TEMPLATE = (
    "{% if tools %}{{ '<|im_start|>system\\n' }}"
    "{% for tool in tools %}{{ (tool | tojson) + '\\n' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endif %}"
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
WORDS = ("patient", "creatinine", "mg/dL", "the", "is", "肌酐", "患者", '{"', '":', "true", "false")
CONTROL = ("<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>")


def build_tiny_gguf(
    path: Path, *, context: int = 1024, seed: int = 7, chat_template: str | None = CHAT_TEMPLATE
) -> Path:
    """Write the model to ``path`` and return it. The same arguments give the same bytes."""
    rng = np.random.default_rng(seed)
    width, hidden, heads, layers = 64, 128, 4, 2
    tokens, scores, types = _vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_rope_dimension_count(width // heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(CONTROL.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    if chat_template is not None:
        writer.add_chat_template(chat_template)

    def weights(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32) / np.float32(np.sqrt(shape[-1]))

    writer.add_tensor("token_embd.weight", weights(len(tokens), width))
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    writer.add_tensor("output.weight", weights(len(tokens), width) * np.float32(3))
    for layer in range(layers):
        for name, shape in {
            "attn_q": (width, width),
            "attn_k": (width, width),
            "attn_v": (width, width),
            "attn_output": (width, width),
            "ffn_gate": (hidden, width),
            "ffn_up": (hidden, width),
            "ffn_down": (width, hidden),
        }.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", weights(*shape))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary() -> tuple[list[bytes], list[float], list[int]]:
    kinds = gguf.TokenType
    control = [(name.encode(), 0.0, kinds.CONTROL) for name in CONTROL]
    control[0] = (control[0][0], 0.0, kinds.UNKNOWN)
    characters = [(bytes([code]), -100.0, kinds.NORMAL) for code in range(33, 127)]
    characters.append(("▁".encode(), -100.0, kinds.NORMAL))
    in_bytes = [(f"<0x{code:02X}>".encode(), 0.0, kinds.BYTE) for code in range(256)]
    words = [(word.encode(), -1.0 - rank, kinds.NORMAL) for rank, word in enumerate(WORDS)]
    entries = control + in_bytes + characters + words
    return [e[0] for e in entries], [e[1] for e in entries], [int(e[2]) for e in entries]
