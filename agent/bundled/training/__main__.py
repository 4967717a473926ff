"""Trains, quantizes and checks the bundled planner.

::

    python -m agent.bundled.training --questions train.jsonl --store mimic_iv.sqlite --out ../planner-training

``--questions`` may be given several times; ``--questions own.jsonl=hospital.sqlite`` are about a store of their
own. An interrupted run goes on where it stopped when it is started again. See docs/planner.md.
"""

import argparse
import hashlib
import random
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from agent.answer import Language
from agent.bundled import script
from agent.bundled.calls import Calls
from agent.bundled.decoder import ScriptDecoder
from agent.bundled.lexicon import Lexicon
from agent.bundled.training.batches import Encoder
from agent.bundled.training.catalogue_pairs import catalogue_pairs
from agent.bundled.training.corpus import Sample, Tags, linked_samples, sample_of
from agent.bundled.training.export import quantize, write_gguf
from agent.bundled.training.fit import CHECKPOINT, Corpus, Recipe, fit, greedy
from agent.bundled.training.network import Decoder, Shape
from agent.bundled.training.templates import generate
from agent.bundled.training.vocabulary import train_tokenizer
from agent.models.gguf import sha256_of
from agent.paths import index_folder
from agent.planning.linker import Linker
from agent.prepare import prepare_indexes
from indexes.values import ValueIndex
from knowledge.errors import ChartroomError, ConfigError, ModelError
from knowledge.store import RecordStore
from knowledge.terminology import Terminology

_CHECKED = 200
_LONGEST_SCRIPT = 64
_APART = 12  # every so many questions, and every twice so many plans, are kept apart for calibration
_EACH: Mapping[Language, int] = {"en": 8, "zh": 13}  # of each wording; gives as many of either language
_TINY = Recipe(
    epochs=2, samples=32, rate=3e-3, warm_up=20, dropout=0.0, shares=(1.0, 0.0, 0.0), compiled=False
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the training."""
    parser = argparse.ArgumentParser(prog="python -m agent.bundled.training", description=__doc__)
    parser.add_argument(
        "--questions",
        required=True,
        action="append",
        metavar="FILE[=STORE]",
        help="questions with their queries, JSON lines, and the store that they are about; repeatable",
    )
    parser.add_argument("--store", type=Path, help="the record store of files that name none")
    parser.add_argument(
        "--now", default="2100-12-31 23:59:00", help="that their times count from, unless a line has its own"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and planner.gguf")
    parser.add_argument("--epochs", type=int, help="times that it sees the questions")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument(
        "--start", type=Path, help="folder of a training whose weights and words to start from"
    )
    parser.add_argument("--tiny", action="store_true", help="a few minutes, to see that everything works")
    arguments = parser.parse_args(argv)
    named = [text.partition("=") for text in arguments.questions]
    if arguments.store is None and not all(store for _, _, store in named):
        parser.error("give --store, or each --questions as FILE=STORE")
    files = [(Path(file), Path(store or str(arguments.store))) for file, _, store in named]
    try:
        corpus = read_corpus(files, arguments.now, tiny=arguments.tiny)
        recipe = _TINY if arguments.tiny else Recipe()
        recipe = replace(recipe, epochs=arguments.epochs or recipe.epochs, rate=arguments.rate or recipe.rate)
        train(corpus, arguments.out, recipe, tiny=arguments.tiny, start=arguments.start)
    except ChartroomError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def read_corpus(files: Sequence[tuple[Path, Path]], now: str, *, tiny: bool = False) -> Corpus:
    """Link the questions, draw the templates, and keep some questions apart.

    Args:
        files: files as :func:`~agent.bundled.training.corpus.linked_samples` describes them, each with its store.
        now: that times count from.
        tiny: without templates.
    """
    skipped: list[str] = []
    found = [sample for file, store in files for sample in _linked(file, store, now, skipped)]
    _say(f"{len(found)} questions; {len(skipped)} skipped, whose query holds what they do not name")
    if not found:
        raise ConfigError(
            "There is no question to learn from. Check that the questions are about this store."
        )
    kept = [sample for sample in found if not is_apart(sample)]
    apart = [sample for sample in found if is_apart(sample)]
    tags, chance = Tags(kept), random.Random(1)
    templates = [] if tiny else [sample_of(p, "templates", tags, chance) for p in generate(1, _EACH)]
    catalogue = [] if tiny else [sample_of(p, "catalogue", tags, chance) for p in catalogue_pairs(1)]
    _say(f"{len(templates)} from templates, {len(catalogue)} from the catalogue, {len(apart)} kept apart")
    return Corpus(kept, templates, catalogue, apart)


def _linked(file: Path, store_path: Path, now: str, skipped: list[str]) -> Iterator[Sample]:
    store = RecordStore.open(store_path)
    prepare_indexes(store, lambda stage, done, total: None)
    with closing(ValueIndex.open(store, index_folder(store.path))) as values:
        linker = Linker(store, values, Terminology.load())
        yield from linked_samples(file, linker, now, skipped)


def is_apart(sample: Sample) -> bool:
    """Whether a question is kept from training, for calibration: some questions, and all of some plans."""
    return _draw(sample.id) % _APART == 0 or _draw(sample.plan) % (2 * _APART) == 0


def train(
    corpus: Corpus, out: Path, recipe: Recipe, *, tiny: bool = False, start: Path | None = None
) -> Path:
    """Train, export, quantize and check; gives the GGUF file.

    Args:
        corpus: what to learn from.
        out: folder of the results.
        recipe: how long and how fast.
        tiny: a network of a tenth of the size.
        start: folder of an earlier training that this one goes on from, with other samples or another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    learnt = [*corpus.questions, *corpus.templates, *corpus.catalogue]
    path = out / "tokenizer.json"
    resumed = (out / CHECKPOINT).exists()  # else a tokenizer that lies there may be of other questions
    if start is not None and not resumed:
        shutil.copy(start / "tokenizer.json", path)
    if start is not None or resumed:
        tokenizer = Tokenizer.from_file(str(path))
    else:
        tokenizer = train_tokenizer((sample.text for sample in learnt), 1200 if tiny else 3000)
        tokenizer.save(str(path))
    size = tokenizer.get_vocab_size()
    shape = Shape(size, width=128, layers=2, heads=2, inner=256) if tiny else Shape(size, layers=4)
    began = time.monotonic()
    network = fit(corpus, tokenizer, shape, recipe, out, start).eval()
    _say(f"trained in {(time.monotonic() - began) / 60:.1f} minutes")
    facts = {
        "general.license": "cc-by-4.0",
        "general.description": "Chartroom's bundled planner: linked clinical questions to plan scripts.",
        "chartroom.trained_on": "EHRSQL-2024 train (CC BY 4.0; MIMIC-IV demo, ODbL), Chartroom's templates",
    }
    write_gguf(network, tokenizer, out / "planner-f32.gguf", facts)
    quantize(out / "planner-f32.gguf", out / "planner.gguf")
    questions = (corpus.apart or corpus.questions)[:_CHECKED]
    for name in ("planner-f32.gguf", "planner.gguf"):
        same = same_tokens(network, Encoder(tokenizer, shape.context), out / name, questions)
        _say(f"{name}: same tokens as the trained network on {same} of {len(questions)} questions")
        if name == "planner-f32.gguf" and same < 0.99 * len(questions):
            raise ModelError("The exported planner does not write what the trained network writes.")
    known = Lexicon.learnt((sample.text, sample.plan not in script.ASIDES) for sample in learnt)
    known.save(out / "planner.words.tsv")
    asked = [(sample.text, sample.plan) for sample in learnt if sample.plan not in script.ASIDES]
    real = [(sample.text, sample.plan) for sample in corpus.questions if sample.plan not in script.ASIDES]
    called = Calls.learnt([*asked, *real])  # what was really asked counts twice
    called.save(out / "planner.calls.tsv")
    (out / "planner.sha256").write_text(
        f"{sha256_of(out / 'planner.gguf')}  planner.gguf\n", encoding="ascii"
    )
    (out / "apart.txt").write_text("".join(f"{s.id}\n" for s in corpus.apart), encoding="ascii")
    _say(f"planner.gguf, planner.sha256 and the two planner.*.tsv in {out} belong into agent/bundled")
    return out / "planner.gguf"


def same_tokens(network: Decoder, encoder: Encoder, path: Path, samples: Sequence[Sample]) -> int:
    """On how many questions llama.cpp gives the very tokens that PyTorch gives, prompt and script."""
    decoder = ScriptDecoder(path)
    same = 0
    try:
        for sample in samples:
            prompt = encoder.prompt(sample.text)
            with torch.no_grad():
                wanted = greedy(network, encoder, [prompt], _LONGEST_SCRIPT)[0]
            same += decoder.prompt(sample.text) == prompt and list(decoder.greedy(sample.text)) == wanted
    finally:
        decoder.close()
    return same


def _draw(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
