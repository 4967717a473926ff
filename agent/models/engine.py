"""One llama.cpp model with one context: tokens in, the next token out.

It knows tokens, grammars and probabilities. It knows nothing of queues, threads, chat or files: the caller
has checked the file (``agent.models.gguf``) and calls from one thread at a time (``agent.models.worker``).

The C functions are called directly instead of through ``llama_cpp.Llama``, for reasons that matter here:
that class keeps a float table of batch x vocabulary (300 MB for a 150,000-token vocabulary), compiles the
file's chat template on load, puts the prompt into one of its error messages, points the whole process's
stderr at /dev/null while it loads, and cannot stop inside a prompt.
"""

import ctypes
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from agent.models.sampling import Chooser, Draw, Sampling
from knowledge.errors import ModelError

# The bindings' annotations name C types that ctypes itself neither takes nor gives.
_llama: Any = llama_cpp
# llama.cpp writes what it does to stderr, now and then with pieces of the prompt. None of it may reach a log.
_SILENT = _llama.llama_log_callback(lambda _level, _text, _data: None)
# llama.cpp asks "stop?" at every node of its graph, thousands of times a token. A Python function there waits
# for the interpreter's lock each time (measured on a model of 0.5 MB: half the speed with one thread, a
# twentieth with two). So C answers: strlen of a flag that is an empty string, or one character long.
_FLAG_IS_SET = ctypes.CDLL("msvcrt" if os.name == "nt" else None).strlen
_ALL_LAYERS = 0x7FFFFFFF
_ABORTED = 2  # llama_decode: the abort callback said so
_NO_SPACE = 1  # llama_decode: no room in the context


def silence() -> None:
    """Start llama.cpp with its own messages turned off."""
    _llama.llama_log_set(_SILENT, ctypes.c_void_p(0))
    _llama.llama_backend_init()


class Interrupted(Exception):
    """The computation was told to stop."""


class Engine:
    """A loaded model. Not safe for use from two threads at once.

    Args:
        path: a checked GGUF file.
        context: tokens that prompt and answer may have together.
        threads: how many CPU threads compute.
        gpu_layers: layers held by a GPU, where llama.cpp was built for one; -1 for all.
        batch: tokens of a prompt that are read in one go.
        progress: called with the loaded share, 0.0 to 1.0.

    Raises:
        ModelError: llama.cpp cannot load the file, or memory does not suffice.
    """

    def __init__(
        self,
        path: Path,
        *,
        context: int,
        threads: int,
        gpu_layers: int = -1,
        batch: int = 256,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self._model = self._context = None
        self._flag = ctypes.create_string_buffer(2)
        self._special: tuple[str, ...] | None = None
        silence()
        settings = _llama.llama_model_default_params()
        settings.n_gpu_layers = gpu_layers if gpu_layers >= 0 else _ALL_LAYERS
        if progress is not None:

            def loaded(share: float, _data: object) -> bool:
                progress(share)
                return True

            settings.progress_callback = _llama.llama_progress_callback(loaded)
        self._model = _llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self._model:
            raise ModelError(
                f"llama.cpp cannot load {path.name!r}: its architecture is not built in, or memory does not "
                "suffice. Try a smaller model, or a newer llama-cpp-python."
            )
        self._vocab = _llama.llama_model_get_vocab(self._model)
        self._vocab_size = _llama.llama_vocab_n_tokens(self._vocab)
        self._open_context(path, context, threads, min(batch, context))
        self._positions: list[int] = []  # the tokens whose state the context holds
        self._reusable = 0  # how many of them were read in whole batches of a prompt

    def _open_context(self, path: Path, context: int, threads: int, batch: int) -> None:
        settings = _llama.llama_context_default_params()
        settings.n_ctx = context
        settings.n_batch = settings.n_ubatch = batch
        settings.n_threads = settings.n_threads_batch = threads
        settings.no_perf = True
        settings.abort_callback = ctypes.cast(_FLAG_IS_SET, _llama.ggml_abort_callback)
        settings.abort_callback_data = ctypes.addressof(self._flag)
        self._context = _llama.llama_init_from_model(self._model, settings)
        if not self._context:
            self.close()
            raise ModelError(
                f"Memory does not suffice for {path.name!r} with a context of {context} tokens. "
                "Choose a smaller context or a smaller model."
            )
        self._batch = batch
        self._memory = _llama.llama_get_memory(self._context)

    @property
    def vocab_size(self) -> int:
        """Number of tokens that the model knows."""
        return self._vocab_size

    def close(self) -> None:
        """Free the memory. Nothing else may be called afterwards."""
        if self._context:
            _llama.llama_free(self._context)
        if self._model:
            _llama.llama_model_free(self._model)
        self._context = self._model = None

    # Tokens

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """The tokens of ``text``.

        Args:
            text: what to cut.
            special: whether the names of control tokens stand for these tokens, and the token that begins a
                text is put first where the model wants it. True for a rendered prompt and nothing else.
        """
        data = text.encode("utf-8", errors="replace")
        room = len(data) + 1  # no token is shorter than a byte; some vocabularies put a space first
        tokens = (_llama.llama_token * room)()
        count = _llama.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
        if count < 0:
            raise ModelError(f"The model's vocabulary cannot express this text of {len(text)} characters.")
        begin = _llama.llama_vocab_bos(self._vocab)
        if special and _llama.llama_vocab_get_add_bos(self._vocab) and (count == 0 or tokens[0] != begin):
            return [begin, *tokens[:count]]
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; not always whole characters."""
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            size = _llama.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
            if size >= 0:
                return buffer.raw[:size]
            room = -size

    def is_end(self, token: int) -> bool:
        """Whether the model ends its turn with this token."""
        return _llama.llama_vocab_is_eog(self._vocab, token)

    def special_texts(self) -> tuple[str, ...]:
        """The names of all tokens that steer the model when they stand in a rendered prompt."""
        if self._special is None:
            self._special = tuple(self._steering())
        return self._special

    def _steering(self) -> Iterator[str]:
        steering = _llama.LLAMA_TOKEN_ATTR_CONTROL | _llama.LLAMA_TOKEN_ATTR_USER_DEFINED
        for token in range(self._vocab_size):
            if _llama.llama_vocab_get_attr(self._vocab, token) & steering:
                yield _llama.llama_vocab_get_text(self._vocab, token).decode("utf-8", errors="replace")

    def begin_end(self) -> tuple[str, str]:
        """The names of the begin and end tokens, for chat templates; empty where there is none."""
        pair = (_llama.llama_vocab_bos(self._vocab), _llama.llama_vocab_eos(self._vocab))
        begin, end = (
            (_llama.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", errors="replace")
            if token >= 0
            else ""
            for token in pair
        )
        return begin, end

    # Generation

    def interrupt(self) -> None:
        """Make computations raise ``Interrupted`` until ``resume``; may be called from any thread."""
        self._flag.raw = b"\1\0"

    def resume(self) -> None:
        """Allow computations again."""
        self._flag.raw = b"\0\0"

    def generate(
        self,
        prompt: list[int],
        sampling: Sampling,
        grammar: str | None,
        should_stop: Callable[[], bool],
    ) -> Generator[Draw, None, None]:
        """Choose tokens until the caller stops asking; end tokens are yielded too.

        The caller sees to it that prompt and answer fit the context. Where a grammar is complete, only an
        end token can follow.

        Raises:
            Interrupted: ``should_stop`` was true before a computation, or ``interrupt`` was called.
            ModelError: the grammar is wrong or leads nowhere, or llama.cpp fails.
        """
        chooser = Chooser(self._vocab, self._vocab_size, sampling, grammar)
        try:
            self._read(prompt, should_stop)
            while True:
                draw = chooser.choose(self._logits())
                yield draw
                chooser.accept(draw.token)
                self._decode([draw.token], should_stop)
        finally:
            chooser.close()

    def _read(self, prompt: list[int], should_stop: Callable[[], bool]) -> None:
        """Bring the context to the end of ``prompt``, keeping what an earlier prompt shares with it.

        Only whole batches are kept: so the same batches are computed as without reuse, and the answer does
        not depend, by a rounding difference, on what was asked before.
        """
        limit = min(self._reusable, len(prompt) - 1)
        shared = next((i for i in range(limit) if self._positions[i] != prompt[i]), limit)
        shared -= shared % self._batch
        if not _llama.llama_memory_seq_rm(self._memory, 0, shared, -1):  # recurrent models keep no past
            self._forget()
            shared = 0
        self._positions = prompt[:shared]
        self._reusable = shared
        for start in range(shared, len(prompt), self._batch):
            chunk = prompt[start : start + self._batch]
            self._decode(chunk, should_stop)
            self._reusable += len(chunk) if len(chunk) == self._batch else 0

    def _decode(self, tokens: list[int], should_stop: Callable[[], bool]) -> None:
        if should_stop():
            raise Interrupted
        array = (_llama.llama_token * len(tokens))(*tokens)
        code = _llama.llama_decode(self._context, _llama.llama_batch_get_one(array, len(tokens)))
        if code == 0:
            self._positions.extend(tokens)
            return
        self._forget()
        if code == _ABORTED:
            raise Interrupted
        if code == _NO_SPACE:
            raise ModelError("The model's context is full. Ask something shorter.")
        raise ModelError(f"llama.cpp failed to compute (code {code}). Restart, or choose another model.")

    def _forget(self) -> None:
        _llama.llama_memory_clear(self._memory, True)
        self._positions, self._reusable = [], 0

    def _logits(self) -> np.ndarray:
        pointer = _llama.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._vocab_size,))
