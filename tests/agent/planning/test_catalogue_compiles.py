"""Every intent of the catalogue compiles against the store and runs."""

from contextlib import closing
from pathlib import Path

import pytest

from agent.planning.intent import Intent, load_intents
from agent.query.compile import compile
from agent.query.model import Concept, Domain
from knowledge.store.store import RecordStore
from tests.hospital import NOW, small_hospital

SAMPLES: dict[str, tuple[Domain, Concept]] = {
    "measure": ("lab", Concept(values=("Creatinine",))),
    "drug": ("drug", Concept(values=("Furosemide",))),
    "diagnosis": ("diagnosis", Concept(values=("Heart failure, unspecified",))),
    "procedure": ("procedure", Concept(values=("Intermittent hemodialysis",))),
    "organism": ("microbiology", Concept(field="organism", values=("ESCHERICHIA COLI",))),
    "specimen": ("microbiology", Concept(field="specimen", values=("URINE",))),
    "test": ("microbiology", Concept(field="test", values=("Urine culture",))),
    "antibiotic": ("microbiology", Concept(field="antibiotic", values=("CEFTRIAXONE",))),
    "allergen": ("allergy", Concept(field="substance", values=("Penicillin",))),
    "vaccine": ("immunization", Concept(values=("Influenza, seasonal",))),
    "observation": ("observation", Concept(values=("Tobacco smoking status",))),
    "input": ("input", Concept(values=("NaCl 0.9%",))),
    "output": ("output", Concept(values=("Foley",))),
    "note_type": ("note", Concept(field="type", values=("progress",))),
}


@pytest.mark.parametrize("intent", load_intents(), ids=lambda intent: intent.intent)
def test_an_intent_compiles_and_runs_with_and_without_its_options(
    intent: Intent, hospital_store: RecordStore
) -> None:
    store = hospital_store
    for optional in (True, False):
        slots = [slot for slot in intent.slots if slot.required or optional]
        query = intent.fill(
            {slot.name: SAMPLES[slot.kind] for slot in slots if slot.kind in SAMPLES},
            number=(1.0, None),
            n=3,
            patient=1 if intent.patient == "one" else None,
        )
        with closing(store.connect()) as connection:
            connection.execute(compile(query, store.tables, NOW).sql).fetchall()


@pytest.fixture(scope="session")
def hospital_store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    folder: Path = tmp_path_factory.mktemp("compiled")
    return small_hospital(folder / "hospital.sqlite")
