"""One real llama.cpp model behind the worker: constrained, streamed, cancelled, shared, deterministic."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agent.models.engine import Interrupted
from agent.models.gguf import ModelFile, read, sha256_of
from agent.models.job import FinishReason, Request
from agent.models.sampling import Sampling
from agent.models.worker import LlamaWorker
from knowledge.errors import ModelBusy, ModelError

PROMPT = "<|im_start|>user\n患者 creatinine?<|im_end|>\n<|im_start|>assistant\n"
# The tiny model has learnt nothing: this makes it write on and on, for as long as a test needs.
ENDLESS = 'root ::= [a-z ]{0,1000} "."'


@pytest.fixture(scope="module")
def model(tiny_gguf: Path) -> ModelFile:
    return replace(read(tiny_gguf), sha256=sha256_of(tiny_gguf))


@pytest.fixture
def worker(model: ModelFile) -> Iterator[LlamaWorker]:
    with LlamaWorker(model, threads=1) as worker:
        yield worker


def test_streamed_pieces_are_the_whole_text(worker: LlamaWorker) -> None:
    job = worker.submit(Request(PROMPT, max_tokens=60))
    pieces = list(job)
    completion = job.result()
    assert "".join(pieces) == completion.text
    assert len(pieces) > 10
    assert completion.finish_reason == "length"
    assert len(completion.tokens) == 60


def test_the_same_seed_gives_the_same_text_and_another_seed_another(worker: LlamaWorker) -> None:
    def text(seed: int) -> str:
        return worker.complete(Request(PROMPT, 40, Sampling(temperature=1.0, seed=seed))).text

    first = text(1)
    assert text(2) != first
    assert text(1) == first


def test_an_answer_does_not_depend_on_what_was_asked_before(model: ModelFile) -> None:
    long = Request("creatinine " * 30 + "?", max_tokens=30, logprobs=True)
    with LlamaWorker(model, threads=1) as fresh:
        alone = fresh.complete(long)
    with LlamaWorker(model, threads=1) as used:
        used.complete(Request("creatinine " * 30 + "is the", max_tokens=30))
        after = used.complete(long)
    assert (after.tokens, after.logprobs) == (alone.tokens, alone.logprobs)


def test_log_probabilities_come_one_a_token_and_only_when_asked_for(worker: LlamaWorker) -> None:
    with_them = worker.complete(Request(PROMPT, 20, logprobs=True))
    assert with_them.logprobs is not None
    assert len(with_them.logprobs) == len(with_them.tokens)
    assert all(value <= 0 for value in with_them.logprobs)
    assert with_them.mean_logprob == pytest.approx(sum(with_them.logprobs) / 20)
    without = worker.complete(Request(PROMPT, 20))
    assert without.logprobs is None
    assert without.mean_logprob is None


def test_a_stop_string_ends_the_text_and_is_not_part_of_it(worker: LlamaWorker) -> None:
    whole = worker.complete(Request(PROMPT, 40, grammar=ENDLESS)).text
    stop = whole[10:13]
    job = worker.submit(Request(PROMPT, 40, grammar=ENDLESS, stop=(stop,)))
    assert "".join(job) == whole[: whole.index(stop)]
    assert job.result().finish_reason == "stop"


def test_a_text_that_its_grammar_completes_ends_by_itself(worker: LlamaWorker) -> None:
    completion = worker.complete(Request(PROMPT, grammar='root ::= "肌酐" | "creatinine"'))
    assert completion.text in ("肌酐", "creatinine")
    assert completion.finish_reason == "stop"


def test_a_wrong_grammar_is_a_clear_error_and_the_worker_goes_on(worker: LlamaWorker) -> None:
    with pytest.raises(ModelError, match="grammar"):
        worker.complete(Request(PROMPT, grammar="no rules here"))
    assert worker.complete(Request(PROMPT, 3)).tokens


def test_cancellation_stops_within_two_tokens(worker: LlamaWorker) -> None:
    engine = worker.load()
    piece, drawn, submitted = engine.piece, 0, threading.Event()

    def counting(token: int) -> bytes:  # runs in the worker's thread, once a token
        nonlocal drawn
        assert submitted.wait(timeout=10)
        drawn += 1
        if drawn == 20:
            job.cancel()
        return piece(token)

    engine.piece = counting  # type: ignore[method-assign]
    job = worker.submit(Request(PROMPT, max_tokens=400, grammar=ENDLESS))
    submitted.set()
    completion = job.result()
    assert completion.finish_reason == "cancelled"
    assert 20 <= drawn <= 22
    assert len(completion.tokens) == drawn


def test_cancellation_stops_between_two_batches_of_a_prompt(worker: LlamaWorker) -> None:
    looks = 0

    def cancelled_at_third_look() -> FinishReason | None:  # at the start, before the first batch, the second
        nonlocal looks
        looks += 1
        return "cancelled" if looks >= 3 else None

    with _held(worker):
        job = worker.submit(Request("a" * 900, max_tokens=5))
        job.why_stop = cancelled_at_third_look  # type: ignore[method-assign]
    completion = job.result()
    assert completion.finish_reason == "cancelled"
    assert completion.tokens == ()


def test_an_interrupted_computation_stops_inside_a_batch(worker: LlamaWorker) -> None:
    engine = worker.load()
    prompt = engine.tokenize("a" * 100, special=False)
    engine.interrupt()
    with pytest.raises(Interrupted):
        next(engine.generate(prompt, Sampling(), None, should_stop=lambda: False))
    engine.resume()
    assert next(engine.generate(prompt, Sampling(), None, should_stop=lambda: False))


def test_a_job_after_a_cancelled_one_is_not_touched(worker: LlamaWorker) -> None:
    alone = worker.complete(Request(PROMPT, max_tokens=20)).text
    first = worker.submit(Request(PROMPT, max_tokens=400, grammar=ENDLESS))
    second = worker.submit(Request(PROMPT, max_tokens=20))
    next(iter(first))
    first.cancel()
    assert second.result().text == alone
    first.cancel()
    assert second.result().finish_reason == "length"


def test_a_small_model_is_computed_by_one_thread(model: ModelFile) -> None:
    cores = psutil.cpu_count(logical=False)
    assert LlamaWorker(model).threads == 1
    assert LlamaWorker(replace(model, size=5_000_000_000)).threads == cores


def test_a_cancelled_waiting_job_never_runs_and_frees_its_place(model: ModelFile) -> None:
    with LlamaWorker(model, threads=1, waiting=1) as worker, _held(worker):
        waiting = worker.submit(Request(PROMPT, max_tokens=5))
        waiting.cancel()
        completion = waiting.result()
        assert completion.finish_reason == "cancelled"
        assert completion.prompt_tokens == 0
        worker.submit(Request(PROMPT, max_tokens=5)).cancel()


def test_a_full_queue_says_that_the_model_is_busy(model: ModelFile) -> None:
    with LlamaWorker(model, threads=1, waiting=2) as worker, _held(worker):
        jobs = [worker.submit(Request(PROMPT, max_tokens=5)) for _ in range(2)]
        with pytest.raises(ModelBusy, match="2 questions already wait"):
            worker.submit(Request(PROMPT))
        for job in jobs:
            job.cancel()


def test_a_job_that_still_waits_at_its_deadline_gives_up(model: ModelFile) -> None:
    with LlamaWorker(model, threads=1) as worker, _held(worker):
        completion = worker.submit(Request(PROMPT, deadline_s=0.01)).result()
    assert completion.finish_reason == "deadline"
    assert completion.prompt_tokens == 0


def test_a_running_job_is_cut_at_its_deadline(worker: LlamaWorker) -> None:
    worker.load()
    completion = worker.complete(Request(PROMPT, max_tokens=400, grammar=ENDLESS, deadline_s=0.005))
    assert completion.finish_reason == "deadline"
    assert len(completion.tokens) < 400


def test_two_callers_at_once_are_both_served_and_not_mixed(worker: LlamaWorker) -> None:
    requests = {
        name: Request(PROMPT + name, max_tokens=50, sampling=Sampling(1.0, seed=len(name)))
        for name in ("a", "患者")
    }
    alone = {name: worker.complete(request).text for name, request in requests.items()}
    together: dict[str, str] = {}
    start = threading.Barrier(2)

    def ask(name: str) -> None:
        start.wait()
        together[name] = "".join(worker.submit(requests[name]))

    threads = [threading.Thread(target=ask, args=(name,)) for name in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_a_prompt_over_the_context_is_refused_not_cut(worker: LlamaWorker) -> None:
    with pytest.raises(ModelError, match=r"prompt has \d+ tokens; the model takes 1024"):
        worker.complete(Request("creatinine " * 400))


def test_an_answer_that_meets_the_end_of_the_context_says_so(worker: LlamaWorker) -> None:
    completion = worker.complete(Request("a" * 1000, max_tokens=100, grammar=ENDLESS))
    assert completion.finish_reason == "length"
    assert completion.prompt_tokens + len(completion.tokens) == 1024


def test_a_chosen_context_never_exceeds_that_of_the_file(model: ModelFile) -> None:
    assert LlamaWorker(model, context=100).context == 100
    assert LlamaWorker(model, context=100_000).context == model.context_length == 1024


def test_tokens_are_counted_by_the_models_own_vocabulary(worker: LlamaWorker) -> None:
    assert worker.count_tokens("<|im_end|>") == 1
    assert worker.count_tokens("<|im_end|>", special=False) > 1
    assert worker.count_tokens("肌酐") == 1


def test_loading_tells_how_far_it_is(model: ModelFile) -> None:
    shares: list[float] = []
    with LlamaWorker(model) as worker:
        worker.load(shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_an_altered_file_is_refused_before_llama_cpp_sees_it(model: ModelFile, tmp_path: Path) -> None:
    data = bytearray(model.path.read_bytes())
    data[-1000] ^= 1  # one bit of one weight: llama.cpp would load it
    altered = tmp_path / "altered.gguf"
    altered.write_bytes(data)
    with LlamaWorker(replace(model, path=altered)) as worker, pytest.raises(ModelError, match="SHA-256"):
        worker.complete(Request(PROMPT))


def test_a_closed_worker_ends_its_jobs_and_takes_no_more(model: ModelFile) -> None:
    worker = LlamaWorker(model, threads=1)
    jobs = [worker.submit(Request(PROMPT, max_tokens=400, grammar=ENDLESS)) for _ in range(3)]
    worker.close()
    assert {job.result().finish_reason for job in jobs} <= {"cancelled", "length"}
    with pytest.raises(ModelError, match="closed"):
        worker.submit(Request(PROMPT))


def test_nothing_of_a_prompt_is_printed(model: ModelFile, capfd: pytest.CaptureFixture[str]) -> None:
    with LlamaWorker(model) as worker:
        worker.complete(Request(PROMPT, max_tokens=5))
        with pytest.raises(ModelError) as failure:
            worker.complete(Request("SECRET " * 400))
    assert capfd.readouterr() == ("", "")
    assert "SECRET" not in str(failure.value)


class _held:
    """While entered, the worker is busy with a job that waits inside a token."""

    def __init__(self, worker: LlamaWorker) -> None:
        self._worker = worker
        self._inside, self._go_on = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        engine = self._worker.load()
        piece = engine.piece

        def waiting(token: int) -> bytes:
            self._inside.set()
            self._go_on.wait(timeout=10)
            return piece(token)

        engine.piece = waiting  # type: ignore[method-assign]
        self._job = self._worker.submit(Request(PROMPT, max_tokens=3))
        assert self._inside.wait(timeout=10)

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._job.result()
