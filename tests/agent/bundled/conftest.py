"""A small hospital with a linker, what a rich question names, and a planner network with random weights."""

import random
from itertools import islice
from pathlib import Path

import pytest
import torch

from agent.bundled.pointers import Pointers
from agent.bundled.training.corpus import Sample, Tags, sample_of
from agent.bundled.training.export import write_gguf
from agent.bundled.training.network import Decoder, Shape
from agent.bundled.training.templates import generate
from agent.bundled.training.vocabulary import train_tokenizer
from agent.planning.link import Candidate, Link, Linked, TimeLink
from agent.planning.linker import Linker
from agent.query.model import Encounter, Window
from indexes.values import ValueIndex
from knowledge.terminology.terminology import Terminology
from tests.hospital import small_hospital


@pytest.fixture(scope="session")
def linker(tmp_path_factory: pytest.TempPathFactory) -> Linker:
    folder: Path = tmp_path_factory.mktemp("bundled-hospital")
    store = small_hospital(folder / "hospital.sqlite")
    terminology = Terminology.load()
    values = ValueIndex.build(store, folder / "index", terminology.surface_forms())
    return Linker(store, values, terminology)


@pytest.fixture(scope="session")
def rich() -> Pointers:
    """Pointers of a question that names values of several fields, two periods, two encounters and two numbers.

    The numbers and what is made of them are no literals of the script language, so that each has one writing.
    """
    values = (
        _link(_candidate("lab", "name", "Creatinine")),
        _link(_candidate("drug", "name", "Metformin"), _candidate("input", "name", "Metformin")),
        _link(_candidate("diagnosis", "name", "Heart failure")),
        _link(_candidate("microbiology", "organism", "ESCHERICHIA COLI")),
        _link(_candidate("vital", "name", "Heart Rate"), _candidate("observation", "name", "Heart Rate")),
    )
    times = (
        TimeLink(0, 0, "", window=Window(start="2024-01-01 00:00:00")),
        TimeLink(0, 0, "", window=Window(start="2025-01-01 00:00:00", end="2025-02-01 00:00:00")),
        TimeLink(0, 0, "", encounter=Encounter(which="nth", n=2)),
        TimeLink(0, 0, "", encounter=Encounter(kind="icu_stay", which="nth", n=2)),
    )
    numbers = ((0, 0, 17.0, None), (0, 0, 33.0, "mg/dL"))
    return Pointers(Linked(values, times, (), numbers), "en", 1)


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """Some questions of the templates, in both languages."""
    pairs = list(generate(1, {"en": 1, "zh": 1}))
    chance = random.Random(1)
    return [sample_of(pair, "templates", Tags(()), chance) for pair in islice(pairs, 0, None, 20)]


@pytest.fixture(scope="session")
def random_gguf(tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]) -> Path:
    """A planner that was not trained."""
    tokenizer = train_tokenizer((sample.text for sample in samples), 1200)
    torch.manual_seed(3)
    shape = Shape(tokenizer.get_vocab_size(), width=32, layers=1, heads=2, inner=64)
    path = tmp_path_factory.mktemp("random-planner") / "planner.gguf"
    write_gguf(Decoder(shape), tokenizer, path, {})
    return path


def _candidate(domain: str, field: str, value: str) -> Candidate:
    return Candidate(domain, field, value, 1.0, "exact", 1)  # type: ignore[arg-type]


def _link(*candidates: Candidate) -> Link:
    return Link(0, 0, candidates[0].value, candidates)
