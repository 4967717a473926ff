"""The trained network as a GGUF file that llama.cpp runs: written in full precision, then quantized to Q8_0."""

import ctypes
import json
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
from tokenizers import Tokenizer

from agent.bundled import script
from agent.bundled.tokens import written
from agent.bundled.training.network import Decoder
from agent.bundled.training.vocabulary import PADDING, id_of, specials
from knowledge.errors import ModelError

NAME = "chartroom-planner"
_PARTS = {
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "output": "attn_output",
    "inner_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def write_gguf(network: Decoder, tokenizer: Tokenizer, path: Path, facts: dict[str, str]) -> None:
    """Write the network and its vocabulary in full precision.

    Args:
        network: trained.
        tokenizer: whose tokens it reads.
        path: of the new file.
        facts: further metadata of the file, such as its licence and the data it was trained on.
    """
    shape = network.shape
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name(NAME)
    for key, value in facts.items():
        writer.add_string(key, value)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    _write_vocabulary(writer, tokenizer)
    for name, weight in network.state_dict().items():
        writer.add_tensor(_name(name), weight.detach().to("cpu").float().numpy().astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantize(source: Path, target: Path) -> None:
    """Write ``source`` with eight bits a weight.

    Raises:
        ModelError: llama.cpp cannot.
    """
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    settings.nthread = 0
    # The bindings' annotation names a pointer type that ctypes itself does not give.
    quantized: Any = llama_cpp.llama_model_quantize
    code = quantized(str(source).encode(), str(target).encode(), ctypes.byref(settings))
    if code != 0:
        raise ModelError(f"llama.cpp cannot quantize {source.name!r} (code {code}).")


def _write_vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    whole = set(specials())
    vocabulary = sorted(tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([token for token, _ in vocabulary])
    kinds = (gguf.TokenType.CONTROL if token in whole else gguf.TokenType.NORMAL for token, _ in vocabulary)
    writer.add_token_types(list(kinds))
    writer.add_token_merges(
        [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    )
    writer.add_eos_token_id(id_of(tokenizer, written(script.END)))
    writer.add_pad_token_id(id_of(tokenizer, PADDING))
    writer.add_add_bos_token(False)


def _name(name: str) -> str:
    """The name that llama.cpp gives a weight."""
    if name == "embedding.weight":
        return "token_embd.weight"
    if name == "norm.weight":
        return "output_norm.weight"
    _, layer, part, kind = name.split(".")
    return f"blk.{layer}.{_PARTS[part]}.{kind}"
