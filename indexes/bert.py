"""The forward pass of BERT for one short text at a time: what a question waits for.

For a handful of tokens most of the time of the general model goes into its layers of modules, and into reading
weights in single precision. The same arithmetic written out, with query, key and value in one product and, where
the processor computes it, weights in bfloat16, takes less than half the time (docs/indexes.md). The function is
that of Devlin et al. 2019 (BERT: Pre-training of Deep Bidirectional Transformers) with mean pooling as in Reimers
and Gurevych 2019 (Sentence-BERT). Models of another kind are left to sentence-transformers.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from numpy import float32
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_PROBE = "Which of her drugs raise potassium, and since when?"
_SAME = 0.999
"""Cosine to the general model from which the two count as one; bfloat16 comes to over 0.9999."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """Weights of one layer: (weight, bias) of each product and each normalisation."""

    attention: tuple[Tensor, Tensor]
    output: tuple[Tensor, Tensor]
    output_norm: tuple[Tensor, Tensor]
    up: tuple[Tensor, Tensor]
    down: tuple[Tensor, Tensor]
    down_norm: tuple[Tensor, Tensor]


class BertEncoder:
    """A sentence model, for single texts. Made by ``of``."""

    def __init__(self, model: "SentenceTransformer", dtype: torch.dtype) -> None:
        bert: Any = model[0].auto_model  # its submodules are typed as tensors or modules
        config = bert.config
        self._tokenizer, self._longest = model.tokenizer, model.max_seq_length or 512
        self._heads, self._epsilon = config.num_attention_heads, config.layer_norm_eps
        first = bert.embeddings
        places = first.position_embeddings.weight + first.token_type_embeddings.weight[0]
        self._words = first.word_embeddings.weight.detach()
        self._places = places.detach()
        self._first_norm = _pair(first.LayerNorm, self._words.dtype)
        self._layers = tuple(_layer(layer, dtype) for layer in bert.encoder.layer)
        self._dtype = dtype

    @classmethod
    def of(cls, model: "SentenceTransformer", dtype: torch.dtype) -> "BertEncoder | None":
        """The encoder of a model, or ``None`` where the model is not a BERT with mean pooling on the CPU.

        Args:
            model: loaded.
            dtype: of the products: float32, or bfloat16 where the processor has it.
        """
        kinds = [type(module).__name__ for module in model]
        config = getattr(getattr(model[0], "auto_model", None), "config", None)
        fits = (
            model.device.type == "cpu"
            and kinds[:2] == ["Transformer", "Pooling"]
            and set(kinds[2:]) <= {"Normalize"}
            and getattr(model[1], "pooling_mode", None) == "mean"
            and getattr(config, "model_type", None) == "bert"
            and getattr(config, "hidden_act", None) == "gelu"
        )
        if not fits:
            return None
        made = cls(model, dtype)
        wanted = model.encode([_PROBE], normalize_embeddings=True, show_progress_bar=False)[0]
        return made if float(made.encode(_PROBE) @ wanted) >= _SAME else None

    def encode(self, text: str) -> NDArray[float32]:
        """The unit vector of a text, of shape ``(dimension,)``; what exceeds the model's window is cut off."""
        ids = self._tokenizer(text, truncation=True, max_length=self._longest)["input_ids"]
        with torch.inference_mode():
            hidden = self._words[torch.tensor(ids)] + self._places[: len(ids)]
            hidden = self._normed(hidden, self._first_norm).to(self._dtype)
            for layer in self._layers:
                hidden = self._layer(hidden, layer)
            pooled = functional.normalize(hidden.float().mean(dim=0), dim=0)
        return pooled.numpy()

    def _layer(self, hidden: Tensor, layer: _Layer) -> Tensor:
        """One layer; ``hidden`` is of shape (tokens, width)."""
        tokens, width = hidden.shape
        parts = (
            functional.linear(hidden, *layer.attention).view(tokens, 3, self._heads, -1).permute(1, 2, 0, 3)
        )
        seen = functional.scaled_dot_product_attention(parts[0][None], parts[1][None], parts[2][None])
        seen = functional.linear(seen[0].transpose(0, 1).reshape(tokens, width), *layer.output)
        hidden = self._normed(seen + hidden, layer.output_norm)
        inner = functional.gelu(functional.linear(hidden, *layer.up))
        return self._normed(functional.linear(inner, *layer.down) + hidden, layer.down_norm)

    def _normed(self, hidden: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return functional.layer_norm(hidden, hidden.shape[-1:], *norm, eps=self._epsilon)


def _layer(layer: Any, dtype: torch.dtype) -> _Layer:  # noqa: ANN401  # a module of transformers
    attention = layer.attention.self
    three = (attention.query, attention.key, attention.value)
    return _Layer(
        attention=(
            torch.cat([one.weight.detach() for one in three]).to(dtype),
            torch.cat([one.bias.detach() for one in three]).to(dtype),
        ),
        output=_pair(layer.attention.output.dense, dtype),
        output_norm=_pair(layer.attention.output.LayerNorm, dtype),
        up=_pair(layer.intermediate.dense, dtype),
        down=_pair(layer.output.dense, dtype),
        down_norm=_pair(layer.output.LayerNorm, dtype),
    )


def _pair(module: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor]:  # noqa: ANN401  # linear or normalisation
    return module.weight.detach().to(dtype), module.bias.detach().to(dtype)
