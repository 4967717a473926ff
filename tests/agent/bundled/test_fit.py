"""Training that is killed and started again ends as if nothing had happened; the export says the same."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from agent.bundled.training import fit as fitting
from agent.bundled.training.__main__ import main, same_tokens
from agent.bundled.training.batches import Encoder
from agent.bundled.training.corpus import Sample
from agent.bundled.training.export import write_gguf
from agent.bundled.training.fit import Corpus, Recipe, fit
from agent.bundled.training.network import Decoder, Shape
from agent.bundled.training.vocabulary import train_tokenizer
from knowledge.errors import ConfigError

RECIPE = Recipe(epochs=2, samples=32, warm_up=4, noise=0.5, shares=(1.0, 0.0, 0.0), compiled=False)


class Killed(BaseException):
    """What stands for the signal."""


@pytest.fixture(scope="module")
def corpus(samples: Sequence[Sample]) -> Corpus:
    return Corpus(samples[:96], (), (), samples[96:104])


@pytest.fixture(scope="module")
def tokenizer(samples: Sequence[Sample]) -> Tokenizer:
    return train_tokenizer((sample.text for sample in samples), 1200)


@pytest.fixture(scope="module")
def shape(tokenizer: Tokenizer) -> Shape:
    return Shape(tokenizer.get_vocab_size(), width=32, layers=1, heads=2, inner=64)


@pytest.fixture(scope="module")
def whole(
    corpus: Corpus, tokenizer: Tokenizer, shape: Shape, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Decoder, Path]:
    """An uninterrupted training, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return fit(corpus, tokenizer, shape, RECIPE, folder), folder


@pytest.mark.parametrize("steps", [3, 4, 5], ids=["after an epoch", "within the second", "near its end"])
def test_a_killed_training_goes_on_to_the_same_weights(
    steps: int,
    whole: tuple[Decoder, Path],
    corpus: Corpus,
    tokenizer: Tokenizer,
    shape: Shape,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step, done = fitting._step, []

    def until_killed(*arguments: object) -> float:
        if len(done) == steps:
            raise Killed
        done.append(1)
        return step(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fitting, "_step", until_killed)
    with pytest.raises(Killed):
        fit(corpus, tokenizer, shape, RECIPE, tmp_path)
    monkeypatch.setattr(fitting, "_step", step)
    network = fit(corpus, tokenizer, shape, RECIPE, tmp_path)
    wanted, folder = whole
    for name, weight in wanted.state_dict().items():
        assert torch.equal(network.state_dict()[name], weight), name
    assert (tmp_path / "curve.jsonl").read_text() == (folder / "curve.jsonl").read_text()


def test_the_curve_has_a_line_for_each_epoch(whole: tuple[Decoder, Path]) -> None:
    lines = [json.loads(line) for line in (whole[1] / "curve.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[1]["loss"] < lines[0]["loss"]


def test_a_line_whose_checkpoint_was_lost_is_written_once(
    whole: tuple[Decoder, Path], corpus: Corpus, tokenizer: Tokenizer, shape: Shape, tmp_path: Path
) -> None:
    (tmp_path / "curve.jsonl").write_text('{"epoch": 1, "loss": 9.9, "right": 0.0}\n', encoding="utf-8")
    fit(corpus, tokenizer, shape, RECIPE, tmp_path)
    assert (tmp_path / "curve.jsonl").read_text() == (whole[1] / "curve.jsonl").read_text()


def test_a_training_of_other_questions_or_settings_is_not_gone_on_with(
    whole: tuple[Decoder, Path], corpus: Corpus, tokenizer: Tokenizer, shape: Shape
) -> None:
    folder = whole[1]
    with pytest.raises(ConfigError, match="another folder"):
        fit(replace(corpus, questions=corpus.questions[1:]), tokenizer, shape, RECIPE, folder)
    with pytest.raises(ConfigError, match="another folder"):
        fit(corpus, tokenizer, shape, replace(RECIPE, rate=2e-3), folder)


def test_the_export_writes_the_same_tokens(
    whole: tuple[Decoder, Path], corpus: Corpus, tokenizer: Tokenizer, shape: Shape, tmp_path: Path
) -> None:
    path, network = tmp_path / "planner.gguf", whole[0].eval()
    write_gguf(network, tokenizer, path, {})
    assert same_tokens(network, Encoder(tokenizer, shape.context), path, corpus.apart[:3]) == 3


def test_questions_need_a_store(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--questions", "own.jsonl", "--out", str(tmp_path)])
    assert "--store" in capsys.readouterr().err
