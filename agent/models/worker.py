"""One model, one thread, one bounded queue: the only way to a llama.cpp context.

A context must never be called from two threads, so callers hand in a ``Request`` and get a ``Job``: an
iterator over pieces of text that also knows its ``result``. A job is stopped between two tokens, or inside a
long prompt; one that still waits is taken out of the queue and never runs.

It leaves to others: what a prompt looks like (``agent.models.chat``), which file is used
(``agent.models.store``).
"""

import threading
import time
from collections import deque
from collections.abc import Callable

import psutil

from agent.models.engine import Engine, Interrupted
from agent.models.gguf import ModelFile, verify
from agent.models.job import Completion, FinishReason, Job, Request, TextBuilder, empty
from knowledge.errors import ModelBusy, ModelError

DEFAULT_CONTEXT = 8192
"""Tokens, where the file allows more: memory for context grows with it, and questions are short."""

_SMALL = 64 << 20  # bytes


class LlamaWorker:
    """The thread that owns a model. It is loaded when first used.

    Args:
        file: a model with its recorded SHA-256, which is checked again before llama.cpp sees the file.
        context: tokens for prompt and answer together; by default what the file states, at most 8192.
        waiting: how many jobs may wait behind the running one.
        threads: CPU threads; by default the number of physical cores, and one for a model so small that
            threads would wait for each other longer than they compute.
        gpu_layers: layers on a GPU where llama.cpp was built for one; -1 for all, 0 for none.
    """

    def __init__(
        self,
        file: ModelFile,
        *,
        context: int | None = None,
        waiting: int = 8,
        threads: int | None = None,
        gpu_layers: int = -1,
    ) -> None:
        if file.sha256 is None:
            raise ModelError(f"The model {file.name!r} has no recorded SHA-256. Run `chartroom models use`.")
        self.file = file
        self.context = min(context or DEFAULT_CONTEXT, file.context_length)
        self._sha256 = file.sha256
        cores = psutil.cpu_count(logical=False) or 1
        self.threads = threads or (1 if file.size < _SMALL else cores)
        self._gpu_layers = gpu_layers
        self._limit = waiting
        self._engine: Engine | None = None
        self._engine_lock = threading.RLock()  # loading, closing and tokenizing; not generating
        self._changed = threading.Condition()  # guards what follows
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def load(self, progress: Callable[[float], None] | None = None) -> Engine:
        """Load the model unless it is loaded.

        Args:
            progress: called with the share that is done, 0.0 to 1.0: half for the check, half for loading.

        Raises:
            ModelError: the file is damaged or altered, or cannot be loaded.
        """
        tell = progress or (lambda _share: None)
        with self._engine_lock:
            if self._closed:
                raise ModelError(f"The model {self.file.name!r} has been closed.")
            if self._engine is None:
                verify(self.file.path, self._sha256, lambda done, size: tell(done / size / 2))
                self._engine = Engine(
                    self.file.path,
                    context=self.context,
                    threads=self.threads,
                    gpu_layers=self._gpu_layers,
                    progress=lambda share: tell(0.5 + share / 2),
                )
            return self._engine

    def submit(self, request: Request) -> Job:
        """Queue a request.

        Raises:
            ModelBusy: as many jobs as allowed already wait.
            ModelError: the worker is closed.
        """
        job = Job(request, self._withdraw, self._interrupt)
        with self._changed:
            if self._closed:
                raise ModelError(f"The model {self.file.name!r} has been closed.")
            if len(self._waiting) >= self._limit:
                raise ModelBusy(f"{self._limit} questions already wait for the model. Ask again in a moment.")
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="llama", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return job

    def complete(self, request: Request) -> Completion:
        """Queue a request and wait for its completion.

        Raises:
            ModelBusy: as many jobs as allowed already wait.
            ModelError: the request cannot be fulfilled.
        """
        return self.submit(request).result()

    def tokenize(self, text: str, *, special: bool = True) -> list[int]:
        """The tokens of a text; ``special`` as in ``Engine.tokenize``."""
        with self._engine_lock:
            return self.load().tokenize(text, special=special)

    def count_tokens(self, text: str, *, special: bool = True) -> int:
        """How many tokens of context a text takes."""
        return len(self.tokenize(text, special=special))

    def special_texts(self) -> tuple[str, ...]:
        """Names of tokens that steer the model; no text from outside may contain them in a prompt."""
        with self._engine_lock:
            return self.load().special_texts()

    def begin_end(self) -> tuple[str, str]:
        """Names of the begin and end tokens, for chat templates."""
        with self._engine_lock:
            return self.load().begin_end()

    def close(self) -> None:
        """Cancel everything, wait for the thread and free the memory. May be called twice."""
        with self._changed:
            self._closed = True
            jobs = [*self._waiting, *([self._running] if self._running else [])]
        for job in jobs:
            job.cancel()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        with self._engine_lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def __enter__(self) -> "LlamaWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _withdraw(self, job: Job) -> bool:
        """Take a job out of the queue; false if it runs or has ended."""
        with self._changed:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            return True

    def _interrupt(self, job: Job) -> None:
        """Stop the computation, if it is this job's."""
        with self._changed:
            if job is self._running and self._engine is not None:
                self._engine.interrupt()

    def _serve(self) -> None:
        """The thread: one job after the other, in order of arrival."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                job = self._running = self._waiting.popleft()
                if self._engine is not None:
                    self._engine.resume()
            try:
                outcome = self._run(job)
            except ModelError as error:
                outcome = error
            except (
                Exception
            ) as error:  # the thread outlives a failed job; the text of the error may hold record text
                outcome = ModelError(f"The model failed on this request ({type(error).__name__}).")
            with self._changed:
                self._running = None
            job.end(outcome)

    def _run(self, job: Job) -> Completion:
        if (reason := job.why_stop()) is not None:
            return empty(reason)
        engine = self.load()
        request, started = job.request, time.monotonic()
        prompt = engine.tokenize(request.prompt, special=True)
        room = self.context - len(prompt)
        if not prompt:
            raise ModelError("The prompt is empty.")
        if room < 1:
            raise ModelError(
                f"The prompt has {len(prompt)} tokens; the model takes {self.context}. Ask about less, or "
                f"choose a larger context (this file allows {self.file.context_length})."
            )
        most = min(request.max_tokens, room)
        text = TextBuilder(request.stop)
        tokens: list[int] = []
        logprobs: list[float] = []
        finish: FinishReason = "length"
        draws = engine.generate(prompt, request.sampling, request.grammar, lambda: job.why_stop() is not None)
        try:
            for draw in draws:
                if engine.is_end(draw.token):
                    finish = "stop"
                    break
                tokens.append(draw.token)
                logprobs.append(draw.logprob)
                if piece := text.add(engine.piece(draw.token)):
                    job.put(piece)
                if text.stopped:
                    finish = "stop"
                    break
                if len(tokens) >= most:
                    break
        except Interrupted:
            finish = job.why_stop() or "cancelled"
        finally:
            draws.close()
        if rest := text.end():
            job.put(rest)
        return Completion(
            text=text.whole,
            tokens=tuple(tokens),
            logprobs=tuple(logprobs) if request.logprobs else None,
            finish_reason=finish,
            prompt_tokens=len(prompt),
            ms=round((time.monotonic() - started) * 1000),
        )
