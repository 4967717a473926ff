"""How the next token is chosen from what the model computed: settings, a grammar, llama.cpp's samplers."""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import llama_cpp
import numpy as np

from knowledge.errors import ModelError

# The bindings' annotations name C types that ctypes itself neither takes nor gives.
_llama: Any = llama_cpp
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen.

    Attributes:
        temperature: 0 takes the likeliest token; above 0 draws, with ``seed``.
        top_k: draw among this many likeliest tokens only; 0 for all.
        top_p: draw among the likeliest tokens that together hold this much probability.
        seed: the same seed, prompt, model and machine give the same text.
    """

    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Draw:
    """A chosen token and its natural-log probability under the model alone (no temperature, no grammar)."""

    token: int
    logprob: float


class Chooser:
    """Chooses tokens from logits under sampling settings and a grammar, by llama.cpp's own samplers."""

    def __init__(self, vocab: Any, size: int, sampling: Sampling, grammar: str | None) -> None:
        self._candidates = np.zeros(size, _CANDIDATE)
        self._ids = np.arange(size, dtype=np.int32)
        self._grammar = self._chain = None
        if grammar is not None:
            self._grammar = _llama.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
            if not self._grammar:
                raise ModelError(
                    "llama.cpp does not accept this grammar. Check it as GBNF with a rule `root`."
                )
        self._chain = _llama.llama_sampler_chain_init(_llama.llama_sampler_chain_default_params())
        for sampler in self._samplers(sampling):
            _llama.llama_sampler_chain_add(self._chain, sampler)

    @staticmethod
    def _samplers(sampling: Sampling) -> Iterator[Any]:
        if sampling.temperature <= 0:
            yield _llama.llama_sampler_init_greedy()
            return
        if sampling.top_k > 0:
            yield _llama.llama_sampler_init_top_k(sampling.top_k)
        yield _llama.llama_sampler_init_top_p(sampling.top_p, 1)
        yield _llama.llama_sampler_init_temp(sampling.temperature)
        yield _llama.llama_sampler_init_dist(sampling.seed)

    def close(self) -> None:
        """Free the samplers."""
        if self._chain:
            _llama.llama_sampler_free(self._chain)
        if self._grammar:
            _llama.llama_sampler_free(self._grammar)
        self._chain = self._grammar = None

    def choose(self, logits: np.ndarray) -> Draw:
        """The next token. The grammar is asked of all candidates only where the free choice breaks it."""
        token = self._pick(logits, constrained=False)
        if self._grammar and not self._allowed(token):
            token = self._pick(logits, constrained=True)
            if not self._allowed(token):
                raise ModelError("The grammar allows no further token of this model. Simplify the grammar.")
        top = float(logits.max())
        return Draw(token, float(logits[token]) - top - math.log(float(np.exp(logits - top).sum())))

    def accept(self, token: int) -> None:
        """Move the grammar past a chosen token."""
        if self._grammar:
            _llama.llama_sampler_accept(self._grammar, token)

    def _pick(self, logits: np.ndarray, *, constrained: bool) -> int:
        self._candidates["id"] = self._ids
        self._candidates["logit"] = logits
        array = self._array(self._candidates)
        if constrained:
            _llama.llama_sampler_apply(self._grammar, ctypes.byref(array))
        _llama.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def _allowed(self, token: int) -> bool:
        one = np.array([(token, 0.0, 0.0)], _CANDIDATE)
        _llama.llama_sampler_apply(self._grammar, ctypes.byref(self._array(one)))
        return bool(np.isfinite(one["logit"][0]))

    @staticmethod
    def _array(candidates: np.ndarray) -> Any:
        data = candidates.ctypes.data_as(_llama.llama_token_data_p)
        return _llama.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)
