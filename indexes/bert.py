"""The forward pass of BERT for one short text at a time: what a question waits for.

For a handful of tokens most of the time of the general model goes into its layers of modules, and into bringing
weights into the order in which they are multiplied. The same arithmetic written out, with query, key and value in
one product, weights that lie in that order and, where the processor computes it, in bfloat16, takes about a third
of the time (docs/indexes.md). The function is that of Devlin et al. 2019 (BERT: Pre-training of Deep Bidirectional
Transformers) with mean pooling as in Reimers and Gurevych 2019 (Sentence-BERT). Models of another kind are left to
sentence-transformers.
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
_TOKENS = 16
"""The order of the weights is chosen for about so many."""
_SAME = 0.999
"""Cosine to the general model from which the two count as one; bfloat16 comes to over 0.9999."""


class _Product:
    """``hidden @ weight.T + bias``, through GELU where ``gelu``; the weight in oneDNN's order where that is there."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype, *, gelu: bool = False) -> None:
        self._weight, self._bias, self._gelu = weight.detach().to(dtype), bias.detach().to(dtype), gelu
        self._ordered = torch.backends.mkldnn.is_available()
        if self._ordered:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight.contiguous(), _TOKENS)

    def __call__(self, hidden: Tensor) -> Tensor:
        if self._ordered:
            then = "gelu" if self._gelu else "none"
            linear = torch.ops.mkldnn._linear_pointwise
            return linear(hidden.contiguous(), self._weight, self._bias, then, [], "none")
        product = functional.linear(hidden, self._weight, self._bias)
        return functional.gelu(product) if self._gelu else product


@dataclass(frozen=True, slots=True)
class _Layer:
    """Products and the (weight, bias) of the normalisations of one layer."""

    attention: _Product
    output: _Product
    output_norm: tuple[Tensor, Tensor]
    up: _Product
    down: _Product
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
        with torch.inference_mode():
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
        parts = layer.attention(hidden).view(tokens, 3, self._heads, -1).permute(1, 2, 0, 3)
        seen = functional.scaled_dot_product_attention(parts[0][None], parts[1][None], parts[2][None])
        seen = layer.output(seen[0].transpose(0, 1).reshape(tokens, width))
        hidden = self._normed(seen + hidden, layer.output_norm)
        return self._normed(layer.down(layer.up(hidden)) + hidden, layer.down_norm)

    def _normed(self, hidden: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return functional.layer_norm(hidden, hidden.shape[-1:], *norm, eps=self._epsilon)


def _layer(layer: Any, dtype: torch.dtype) -> _Layer:  # a module of transformers
    attention, output, up, down = (
        layer.attention.self,
        layer.attention.output,
        layer.intermediate,
        layer.output,
    )
    three = (attention.query, attention.key, attention.value)
    return _Layer(
        attention=_Product(
            torch.cat([one.weight for one in three]), torch.cat([one.bias for one in three]), dtype
        ),
        output=_Product(output.dense.weight, output.dense.bias, dtype),
        output_norm=_pair(output.LayerNorm, dtype),
        up=_Product(up.dense.weight, up.dense.bias, dtype, gelu=True),
        down=_Product(down.dense.weight, down.dense.bias, dtype),
        down_norm=_pair(down.LayerNorm, dtype),
    )


def _pair(norm: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor]:  # a module of transformers
    return norm.weight.detach().to(dtype), norm.bias.detach().to(dtype)
