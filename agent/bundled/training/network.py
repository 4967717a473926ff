"""The planner's network in PyTorch: a small decoder with the layout of Qwen2, which llama.cpp runs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network.

    Attributes:
        vocabulary: tokens.
        width: of a token's state; ``heads`` times an even number.
        inner: width inside the feed-forward part.
        context: tokens of question and script together.
    """

    vocabulary: int
    width: int = 256
    layers: int = 6
    heads: int = 4
    inner: int = 704
    context: int = 192
    rope_base: float = 10000.0
    epsilon: float = 1e-6


class Decoder(nn.Module):
    """Next-token logits of shape (batch, length, vocabulary) for tokens of shape (batch, length)."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.dropout = nn.Dropout(dropout)
        rotation = _rotation(shape)
        self.register_buffer("cosine", rotation.cos(), persistent=False)
        self.register_buffer("sine", rotation.sin(), persistent=False)
        self.apply(self._initialise)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits; the embedding is the output matrix, too."""
        return functional.linear(self.states(tokens), self.embedding.weight)

    def states(self, tokens: Tensor) -> Tensor:
        """The last layer's states, of shape (batch, length, width)."""
        length = tokens.shape[1]
        cosine, sine = self.cosine[:length], self.sine[:length]  # pyright: ignore[reportIndexIssue]
        state = self.dropout(self.embedding(tokens))
        for layer in self.layers:
            state = layer(state, cosine, sine)
        return self.norm(state)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.05)


class Layer(nn.Module):
    """Attention and feed-forward, each after a norm and added to what came in."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.attention_norm = nn.RMSNorm(width, eps=shape.epsilon)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width, bias=False)
        self.inner_norm = nn.RMSNorm(width, eps=shape.epsilon)
        self.gate = nn.Linear(width, shape.inner, bias=False)
        self.up = nn.Linear(width, shape.inner, bias=False)
        self.down = nn.Linear(shape.inner, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, state: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """The next state, of the same shape."""
        batch, length, width = state.shape
        normed = self.attention_norm(state)
        query, key, value = (
            part(normed).view(batch, length, self.heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        query, key = _rotated(query, cosine, sine), _rotated(key, cosine, sine)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        state = state + self.dropout(self.output(mixed.transpose(1, 2).reshape(batch, length, width)))
        normed = self.inner_norm(state)
        inner = functional.silu(self.gate(normed)) * self.up(normed)
        return state + self.dropout(self.down(inner))


def _rotation(shape: Shape) -> Tensor:
    """Angles of shape (context, head width): position times frequency, both halves alike (RoPE, Su et al. 2021)."""
    half = shape.width // shape.heads // 2
    frequency = shape.rope_base ** (-torch.arange(half) / half)
    angles = torch.arange(shape.context)[:, None] * frequency[None]
    return torch.cat((angles, angles), dim=1)


def _rotated(part: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = part.chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return part * cosine.to(part.dtype) + turned * sine.to(part.dtype)
