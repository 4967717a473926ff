"""The training corpus: linked benchmark or hospital questions, question templates, the catalogue's examples.

A :class:`Sample` is what the network learns from: a prompt's words and a script. Where a value's fields are not
given by real links, they are drawn from those that real links of the same field have.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.answer import Language
from agent.bundled import script
from agent.bundled.delexical import delexicalise
from agent.bundled.pointers import Pointers, disjoint
from agent.bundled.training.templates import Pair
from agent.planning.linker import Linker
from agent.query.model import ClinicalQuery
from agent.scope import Scope
from knowledge.errors import ConfigError

Source = Literal["questions", "templates", "catalogue"]
_OPEN = 0.2  # share of questions about many that are asked while a patient is open
_OF_PATIENTS = re.compile(r"patient|people|person|\bpts?\b|病人|患者|人")
_COUNTED = re.compile(r"\bcounts?\b|number|how many|how often|frequenc|次数|多少|几次|例数|数量|人数")
_VALUE = re.compile(r"<v\d>(?:<([a-z_.]+)>)+")
_TAGS = re.compile(r"<(v\d)>")


@dataclass(frozen=True, slots=True)
class Sample:
    """A delexicalised question and its script.

    Attributes:
        id: of a question in its file; empty for generated ones.
        text: with its first word, ``<one>`` or ``<many>``.
    """

    text: str
    plan: str
    language: Language
    source: Source
    id: str = ""


def linked_samples(
    path: Path, linker: Linker, now: str, skipped: list[str] | None = None
) -> Iterator[Sample]:
    """Samples of a file of questions with their queries, one JSON object a line.

    Args:
        path: lines ``{"id"?, "question", "language"?, "now"?, "query"}``; ``query`` is a clinical query, or the word
            of an aside (``not_in_schema``, ``notes`` …) for a question that is none.
        linker: of the store that the questions are about.
        now: that times count from where a line says no other.
        skipped: is given the ids of questions whose query holds what linking did not find.

    Raises:
        ConfigError: a line is no such object.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                question, asked, name = row["question"], row["query"], str(row.get("id", number))
                language: Language = row.get("language", "en")
                scope = Scope(now=str(row.get("now", now)))
                query = asked if isinstance(asked, str) else ClinicalQuery.model_validate(asked)
            except (ValueError, KeyError, TypeError):
                raise ConfigError(
                    f"Line {number} of {path.name} is no question with its query. Expected is a JSON object "
                    'with "question" and "query" (see docs/planner.md).'
                ) from None
            linked = disjoint(linker.link(question, language, scope))
            text = delexicalise(question, linked, has_patient=bool(linked.patients))
            subject = next((p.subject_id for p in linked.patients if p.subject_id is not None), None)
            if isinstance(query, str):
                plan = (query,) if query in script.ASIDES else None
            else:
                plan = script.write(query, Pointers(linked, language, subject))
            if plan is None:
                if skipped is not None:
                    skipped.append(name)
                continue
            yield Sample(text, " ".join(plan), language, "questions", name)


class Tags:
    """Which fields real links name behind a value, by one of them."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._seen: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for sample in samples:
            for match in _VALUE.finditer(sample.text):
                tags = tuple(re.findall(r"<([a-z_.]+)>", match[0]))
                for tag in tags:
                    self._seen[tag].append(tags)

    def drawn(self, tag: str, chance: random.Random) -> tuple[str, ...]:
        """The fields of some real value that may be of this one."""
        seen = self._seen.get(tag)
        return chance.choice(seen) if seen and chance.random() < 0.7 else (tag,)


def sample_of(pair: Pair, source: Source, tags: Tags, chance: random.Random) -> Sample:
    """A generated pair as a sample: fields behind each value, and whether a patient is open."""

    def tagged(match: re.Match[str]) -> str:
        tag = pair.tags.get(match[1])
        return match[0] + "".join(f"<{name}>" for name in (tags.drawn(tag, chance) if tag else ("absent",)))

    plan = settled(pair.plan, pair.text)
    has_patient = plan.startswith("one") or "<p>" in pair.text or chance.random() < _OPEN
    text = f"{'<one>' if has_patient else '<many>'} {_TAGS.sub(tagged, pair.text)}"
    return Sample(text, plan, pair.language, source)


def settled(plan: str, text: str) -> str:
    """A ranking as it is always meant: names alone, by events, unless counts or patients are asked for."""
    tokens = plan.split()
    if tokens[:2] != ["all", "top"] or "<chart>" in text:
        return plan
    if "by=patients" in tokens and not _OF_PATIENTS.search(text):
        tokens.remove("by=patients")
    if "show_count=false" not in tokens and not _COUNTED.search(text):
        opening = next(place for place, token in enumerate(tokens) if token.endswith("("))
        tokens.insert(opening, "show_count=false")
    return " ".join(tokens)


def mixed(groups: Sequence[tuple[Sequence[Sample], float]], chance: random.Random) -> list[Sample]:
    """One epoch: of each group its share (2.0: each sample twice), shuffled."""
    found: list[Sample] = []
    for samples, share in groups:
        whole, rest = divmod(share, 1.0)
        found += list(samples) * int(whole)
        found += chance.sample(list(samples), round(rest * len(samples)))
    chance.shuffle(found)
    return found


def by_plan(samples: Iterable[Sample]) -> Mapping[str, list[Sample]]:
    """Samples by their script."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.plan].append(sample)
    return found
