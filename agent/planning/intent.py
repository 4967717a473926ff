"""The catalogue's intents: reviewed, parametrised queries with example questions, from ``intents/``.

A template is a :class:`~agent.query.model.ClinicalQuery` in YAML in which ``$slot`` stands for what a
question fills in: in ``domain`` the linked value's domain, in ``concepts`` the linked values, elsewhere a
number or unit.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from agent.answer import Language
from agent.planning.link import Candidate
from agent.query.model import ClinicalQuery, Concept, Domain, Encounter
from knowledge.errors import ConfigError

Kind = Literal[
    "measure", "drug", "diagnosis", "procedure", "organism", "specimen", "test", "antibiotic", "allergen",
    "vaccine", "observation", "input", "output", "note_type",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
AsideKind = Literal["note", "action", "absent", "outside", "judgement"]
SLOT_FIELDS: Mapping[tuple[str, str], Kind] = {
    ("lab", "name"): "measure",
    ("vital", "name"): "measure",
    ("drug", "name"): "drug",
    ("diagnosis", "name"): "diagnosis",
    ("diagnosis", "code"): "diagnosis",
    ("procedure", "name"): "procedure",
    ("procedure", "code"): "procedure",
    ("microbiology", "organism"): "organism",
    ("microbiology", "specimen"): "specimen",
    ("microbiology", "test"): "test",
    ("microbiology", "antibiotic"): "antibiotic",
    ("allergy", "substance"): "allergen",
    ("immunization", "vaccine"): "vaccine",
    ("observation", "name"): "observation",
    ("input", "name"): "input",
    ("output", "name"): "output",
    ("note", "type"): "note_type",
}
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is several times as fast, where built in
_FILES: Mapping[Language, str] = {"en": "wordings.en.yaml", "zh": "wordings.zh.yaml"}
_TOP_N = 5
_READMISSION_DAYS = 30


def kind_of(candidate: Candidate) -> Kind | None:
    """The slot that a linked value can fill, or ``None`` where no intent asks for such a value."""
    return SLOT_FIELDS.get((candidate.domain, candidate.field))


class Slot(BaseModel):
    """One hole of a template; ``diagnosis2`` is a second value of kind ``diagnosis``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    required: bool

    @property
    def kind(self) -> str:
        """A :data:`Kind`, ``number`` (with its unit) or ``n`` (a count)."""
        return self.name.rstrip("2")


class Intent(BaseModel):
    """One ready-made clinical query.

    Attributes:
        intent: its name.
        about: what it answers, for people.
        patient: of the one open or named patient, or of all permitted ones.
        slots: what the question has to (or, with a question mark in the file, may) name.
        times: whether a window or encounter of the question narrows the events.
        needs_time: only a question that names a time is this intent.
        encounter: the encounter that is taken where the question names no time.
        window_on: what has to lie in a window: an event's start, its end, or any part of it.
        query: the template.
        en, zh: questions that ask it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    intent: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    about: str
    patient: Literal["one", "many"]
    slots: tuple[Slot, ...] = ()
    times: Literal["optional", "ignored"] = "optional"
    needs_time: bool = False
    encounter: Literal["this"] | None = None
    window_on: Literal["time", "end", "overlap"] = "time"
    query: dict[str, Any]
    en: tuple[str, ...] = Field(min_length=6)
    zh: tuple[str, ...] = Field(min_length=6)

    @model_validator(mode="before")
    @classmethod
    def _read_slots(cls, data: dict[str, Any]) -> dict[str, Any]:
        slots = [
            slot if isinstance(slot, dict) else {"name": slot.rstrip("?"), "required": not slot.endswith("?")}
            for slot in data.get("slots", ())
        ]
        return {**data, "slots": slots}

    @model_validator(mode="after")
    def _compiles(self) -> "Intent":
        for slot in self.slots:
            if slot.kind not in {*KINDS, "number", "n"}:
                raise ValueError(f"{self.intent}: no such slot {slot.name!r}")
        for with_optional in (True, False):
            names = [slot.name for slot in self.slots if slot.required or with_optional]
            self.fill(
                {name: _SAMPLE for name in names if name not in {"n", "number"}},
                number=(1.0, "mg/dL") if "number" in names else None,
                n=3 if "n" in names else None,
            )
        return self

    def examples(self, language: Language) -> tuple[str, ...]:
        """Its example questions in one language."""
        return self.en if language == "en" else self.zh

    def check(self, texts: Iterable[str]) -> None:
        """Check that further examples name only what the intent has slots for.

        Raises:
            ConfigError: one does not.
        """
        kinds = {*(slot.kind for slot in self.slots), "n", "number"}
        for text in texts:
            for name in re.findall(r"\{(\w+)\}", text):
                if name.rstrip("2") not in kinds:
                    raise ConfigError(
                        f"A wording of {self.intent} names {{{name}}}, which it has no slot for."
                    )

    def fill(
        self,
        values: Mapping[str, tuple[Domain, Concept]],
        *,
        number: tuple[float, str | None] | None = None,
        n: int | None = None,
        patient: int | None = None,
    ) -> ClinicalQuery:
        """The query with its slots filled; optional slots that are not filled vanish.

        Args:
            values: slot name to the domain and the concept that fills it.
            number: the number and its unit.
            n: a count (top ``n``, days).
            patient: ``subject_id``.
        """
        filled = _fill(self.query, values, number, n)
        return ClinicalQuery.model_validate({**filled, "patient": patient})

    def default_encounter(self) -> Encounter | None:
        """The encounter for a question that names no time."""
        return Encounter(which=self.encounter) if self.encounter else None


_SAMPLE: tuple[Domain, Concept] = ("lab", Concept(values=("x",)))
_GONE = object()


def _fill(
    node: Any,
    values: Mapping[str, tuple[Domain, Concept]],
    number: tuple[float, str | None] | None,
    n: int | None,
    key: str = "",
) -> Any:
    if isinstance(node, dict):
        filled = {name: _fill(part, values, number, n, name) for name, part in node.items()}
        return {name: part for name, part in filled.items() if part is not _GONE}
    if isinstance(node, list):
        return [part for child in node if (part := _fill(child, values, number, n, key)) is not _GONE]
    if not isinstance(node, str) or not node.startswith("$"):
        return node
    slot = node[1:]
    if slot == "number":
        return _GONE if number is None else number[1] if key == "unit" else number[0]
    if slot == "n":
        return n if n is not None else _READMISSION_DAYS if key == "days" else _TOP_N
    if slot not in values:
        return _GONE
    domain, concept = values[slot]
    return domain if key == "domain" else concept


class Aside(BaseModel):
    """A question that the tables do not answer, and what it is instead."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: AsideKind
    language: Language
    text: str


@cache
def load_intents() -> tuple[Intent, ...]:
    """All intents, by file and order, with the further wordings among their examples.

    Raises:
        ConfigError: a file is not valid, or two intents have one name.
    """
    intents: dict[str, Intent] = {}
    for entry in _files(wordings=False):
        try:
            for item in _read(entry):
                intent = Intent.model_validate(item)
                if intent.intent in intents:
                    raise ConfigError(f"{entry.name} defines the intent {intent.intent!r} a second time.")
                intents[intent.intent] = intent
        except ValidationError as error:
            raise ConfigError(f"The catalogue file {entry.name} is not valid: {error}") from error
    for language, wordings in load_wordings().items():
        for name, texts in wordings.items():
            if name not in intents:
                raise ConfigError(f"The wordings name an intent that the catalogue does not have: {name!r}.")
            intent = intents[name]
            intent.check(texts)
            merged = tuple(dict.fromkeys((*intent.examples(language), *texts)))
            intents[name] = intent.model_copy(update={language: merged})
    return tuple(intents.values())


@cache
def load_wordings() -> Mapping[Language, Mapping[str, tuple[str, ...]]]:
    """Further example questions from ``intents/wordings.<language>.yaml``: language, intent, questions.

    Raises:
        ConfigError: a file is not valid.
    """
    found: dict[Language, dict[str, tuple[str, ...]]] = {"en": {}, "zh": {}}
    for entry in _files(wordings=True):
        try:
            read = _WORDINGS_FILE.validate_python(_read(entry))
        except ValidationError as error:
            raise ConfigError(f"The wordings file {entry.name} is not valid: {error}") from error
        found["en" if entry.name == _FILES["en"] else "zh"] = read
    return found


_WORDINGS_FILE = TypeAdapter(dict[str, tuple[str, ...]])


def _files(*, wordings: bool) -> list[Traversable]:
    entries = sorted(files("agent.planning").joinpath("intents").iterdir(), key=lambda file: file.name)
    if wordings:
        return [entry for entry in entries if entry.name in _FILES.values()]
    return [entry for entry in entries if re.fullmatch(r"[a-z_]+\.yaml", entry.name)]


def _read(entry: Traversable) -> Any:
    try:
        return yaml.load(entry.read_text(encoding="utf-8"), _YAML)
    except yaml.YAMLError as error:
        raise ConfigError(f"The catalogue file {entry.name} is not valid: {error}") from error


@cache
def load_asides() -> tuple[Aside, ...]:
    """All questions that compete with the intents, by kind and language."""
    content = _read(files("agent.planning").joinpath("asides.yaml"))
    return tuple(
        Aside(kind=kind, language=language, text=text)
        for kind, languages in content.items()
        for language, texts in languages.items()
        for text in texts
    )
