"""Runs the bundled planner's network in llama.cpp: a question's words in, its likeliest scripts out.

A beam search over the tokens that the script grammar allows. It knows nothing of stores, patients or files'
checks; one thread at a time (the planner holds a lock).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from agent.bundled import script
from agent.bundled.tokens import prompt_of, written
from agent.models.engine import silence
from knowledge.errors import ModelError

# The bindings' annotations name C types that ctypes itself neither takes nor gives.
_llama: Any = llama_cpp
_LONGEST = 64  # tokens of a script
_KNOWN = 0.9
"""A file that knows a smaller share of the words of scripts is no planner, or far too old."""


@dataclass(frozen=True, slots=True)
class Written:
    """A script that the network may have meant.

    Attributes:
        tokens: without the end.
        logprob: natural log of its probability under the network, over all tokens.
        least: natural log of the probability of its least sure token.
    """

    tokens: tuple[str, ...]
    logprob: float
    least: float


@dataclass(frozen=True, slots=True)
class _Beam:
    tokens: tuple[str, ...]
    logprob: float
    least: float
    sequence: int
    output: int  # row of the last computation's logits


class ScriptDecoder:
    """A loaded planner network.

    Args:
        path: its GGUF file, checked.
        beams: scripts that are followed at a time.
        threads: CPU threads that compute.

    Raises:
        ModelError: llama.cpp cannot load the file, or it is no planner.
    """

    def __init__(self, path: Path, *, beams: int = 4, threads: int = 1, context: int = 192) -> None:
        silence()
        self._model = self._context = None
        settings = _llama.llama_model_default_params()
        settings.n_gpu_layers = 0
        self._model = _llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self._model:
            raise ModelError(f"llama.cpp cannot load the planner {path.name!r}. Install Chartroom again.")
        self._vocab = _llama.llama_model_get_vocab(self._model)
        self._size = _llama.llama_vocab_n_tokens(self._vocab)
        self._beams, self._length = beams, context
        options = _llama.llama_context_default_params()
        options.n_ctx = context * 2 * beams
        options.n_batch = options.n_ubatch = context
        options.n_seq_max = 2 * beams
        options.kv_unified = True
        options.n_threads = options.n_threads_batch = threads
        options.no_perf = True
        self._context = _llama.llama_init_from_model(self._model, options)
        if not self._context:
            self.close()
            raise ModelError("Memory does not suffice for the planner.")
        self._memory = _llama.llama_get_memory(self._context)
        self._batch = _llama.llama_batch_init(context, 0, 1)
        known = {token: self.tokenize(written(token)) for token in script.vocabulary()}
        # Words that scripts have gained since the file was trained are not in it, and it never writes them.
        self._ids = {token: ids[0] for token, ids in known.items() if len(ids) == 1}
        if script.END not in self._ids or len(self._ids) < _KNOWN * len(known):
            raise ModelError("The planner's file does not fit this version of Chartroom. Install it again.")

    def close(self) -> None:
        """Free the memory. Nothing else may be called afterwards."""
        if self._context:
            _llama.llama_batch_free(self._batch)
            _llama.llama_free(self._context)
        if self._model:
            _llama.llama_model_free(self._model)
        self._context = self._model = None

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a prompt, whose placeholders are whole."""
        data = text.encode("utf-8", errors="replace")
        tokens = (_llama.llama_token * (len(data) + 1))()
        count = _llama.llama_tokenize(self._vocab, data, len(data), tokens, len(data) + 1, False, True)
        return list(tokens[: max(0, count)])

    def prompt(self, text: str) -> list[int]:
        """The tokens of a delexicalised question, the beginning cut off where it does not fit."""
        return self.tokenize(prompt_of(text))[-(self._length - _LONGEST) :]

    def decode(
        self, text: str, allowed_next: Callable[[Sequence[str]], Sequence[str]]
    ) -> tuple[Written, ...]:
        """The likeliest scripts for a question, the likeliest first.

        Args:
            text: the question, delexicalised; its beginning is cut off if it does not fit.
            allowed_next: the tokens that may follow those of a script.
        """
        prompt = self.prompt(text)
        _llama.llama_memory_clear(self._memory, True)
        self._compute([(token, place, 0, place == len(prompt) - 1) for place, token in enumerate(prompt)])
        live = [_Beam((), 0.0, 0.0, 0, len(prompt) - 1)]
        done: list[Written] = []
        for step in range(_LONGEST):
            grown = sorted(
                (next_ for beam in live for next_ in self._grown(beam, allowed_next(beam.tokens))),
                key=lambda one: -one[0],
            )[: self._beams]
            kept: list[tuple[_Beam, str]] = []
            for logprob, least, beam, token in grown:
                if token == script.END:
                    done.append(Written(beam.tokens, logprob, least))
                else:
                    kept.append((_Beam((*beam.tokens, token), logprob, least, beam.sequence, 0), token))
            best = max((one.logprob for one in done), default=-math.inf)
            enough = best if len(done) >= self._beams else best + math.log(1e-4)
            kept = [(beam, token) for beam, token in kept if beam.logprob > enough]
            if not kept:
                break
            live = self._advance(kept, len(prompt) + step)
        return tuple(sorted(done, key=lambda one: -one.logprob)[: self._beams])

    def greedy(self, text: str, end: str = script.END) -> tuple[int, ...]:
        """The likeliest token at each step, without grammar, with the end: for comparing with the training."""
        prompt = self.prompt(text)
        _llama.llama_memory_clear(self._memory, True)
        self._compute([(token, place, 0, place == len(prompt) - 1) for place, token in enumerate(prompt)])
        row, found = len(prompt) - 1, []
        for step in range(_LONGEST):
            token = int(self._logits(row).argmax())
            found.append(token)
            if token == self._ids[end]:
                break
            self._compute([(token, len(prompt) + step, 0, True)])
            row = 0
        return tuple(found)

    def _logits(self, row: int) -> np.ndarray:
        pointer = _llama.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, shape=(self._size,))

    def _grown(self, beam: _Beam, allowed: Sequence[str]) -> list[tuple[float, float, _Beam, str]]:
        """A beam with each allowed token: (log-probability, least sure token, beam, token)."""
        allowed = [token for token in allowed if token in self._ids]
        logits = self._logits(beam.output).astype(np.float64)
        top = logits.max()
        total = top + math.log(np.exp(logits - top).sum())
        return [
            (beam.logprob + own, min(beam.least, own), beam, token)
            for token in allowed
            if (own := float(logits[self._ids[token]] - total)) > -12.0 or len(allowed) == 1
        ]

    def _advance(self, kept: Sequence[tuple[_Beam, str]], position: int) -> list[_Beam]:
        """Compute the next step of each beam; beams that share a past get copies of it."""
        free = [
            number for number in range(2 * self._beams) if number not in {beam.sequence for beam, _ in kept}
        ]
        taken: set[int] = set()
        entries, live = [], []
        for row, (beam, token) in enumerate(kept):
            sequence = beam.sequence
            if sequence in taken:
                sequence = free.pop()
                _llama.llama_memory_seq_rm(self._memory, sequence, -1, -1)
                # The copy is of the past without this step: other beams' steps are computed only below.
                _llama.llama_memory_seq_cp(self._memory, beam.sequence, sequence, -1, -1)
            taken.add(sequence)
            entries.append((self._ids[token], position, sequence, True))
            live.append(_Beam(beam.tokens, beam.logprob, beam.least, sequence, row))
        self._compute(entries)
        return live

    def _compute(self, entries: Sequence[tuple[int, int, int, bool]]) -> None:
        """Run the network over (token, position, sequence, whether its logits are wanted)."""
        batch = self._batch
        batch.n_tokens = len(entries)
        for row, (token, position, sequence, wanted) in enumerate(entries):
            batch.token[row] = token
            batch.pos[row] = position
            batch.n_seq_id[row] = 1
            batch.seq_id[row][0] = sequence
            batch.logits[row] = wanted
        code = _llama.llama_decode(self._context, batch)
        if code != 0:
            raise ModelError(f"llama.cpp failed to compute a plan (code {code}).")
