"""What every sentence about a result needs: its words, its numbers with their decimals, and how a list ends."""

from agent.answer import Cell, Language
from agent.query.domains import bindings
from agent.query.execute import EvidenceRows, Outcome
from agent.query.numerals import decimals_of, fixed, number, recorded_decimals
from agent.query.phrases import phrase, subject
from agent.query.sentence import Operation, Sentence

SENTENCES_CAP = 15
UNSAID_DECIMALS = 4  # as many or more come from a computation, not from a measurement


class Speaker:
    """Says one outcome in one language."""

    def __init__(self, outcome: Outcome, language: Language) -> None:
        self.outcome = outcome
        self.language: Language = language
        self.of, self.evidence = outcome.query.of, outcome.evidence
        self._places = _decimals_by_name(self.evidence)

    def places(self, evidence: EvidenceRows | None) -> int | None:
        """The decimals that a number was written down with, else the most that its item's numbers have.

        ``None`` where they are more than anyone measures.
        """
        if evidence is None:
            return None
        values = evidence.values
        written = recorded_decimals(values.get("reported"), values.get("value"))
        if written is not None and written < UNSAID_DECIMALS:
            return written
        return self._places.get((values.get("name"), values.get("unit")))

    def say(self, key: str, /, **slots: object) -> str:
        """A sentence; its first word gets a capital unless it may be a code or an abbreviation."""
        text = phrase(self.language, key, **slots)
        word = text.split(" ", 1)[0].rstrip(":,.")
        return text[0].upper() + text[1:] if len(word) > 3 and word.isalpha() and word.islower() else text

    def pooled(self, evidence: EvidenceRows) -> str:
        """What a figure of many rows is about: the recorded name only where it can be no other."""
        one = sum(len(concept.values) for concept in self.of.concepts) == 1
        return self.subject(evidence if one or bindings()[self.of.domain].distinct_items else None)

    def subject(self, evidence: EvidenceRows | None = None) -> str:
        """What a sentence is about; with evidence, the name as its row has it."""
        return subject(self.of, self.language, evidence.values.get("name") if evidence else None)

    def role(self, role: str) -> list[int]:
        """The indices of the evidence that plays a part in a computation."""
        return [i for i, e in enumerate(self.evidence) if e.role == role]

    def listed(self, sentences: list[Sentence], rest: int) -> list[Sentence]:
        """At most ``SENTENCES_CAP`` of them, and how many more there are."""
        if rest > 0 and self.evidence:
            last = (min(SENTENCES_CAP, len(self.evidence) - 1),)
            key = "row.more_at_least" if self.outcome.truncated else "row.more"
            more = Operation("rest", last, rest)
            sentences.append(Sentence(phrase(self.language, key, n=rest), last, (more,)))
        return sentences

    def of_patient(self, text: str, evidence: EvidenceRows) -> str:
        """A subject with the patient whose it is."""
        return phrase(self.language, "of_patient", subject=text, patient=evidence.values.get("subject_id"))

    def amount(self, value: Cell, unit: Cell, decimals: int | None = None) -> str:
        """A number with its unit."""
        text = number(value, decimals)
        return f"{text} {unit}" if unit else text

    def figure(self, value: Cell, unit: Cell, places: int | None) -> str:
        """A number with the decimals of its item, and its unit."""
        text = fixed(value, places)
        return f"{text} {unit}" if unit else text


def _decimals_by_name(evidence: tuple[EvidenceRows, ...]) -> dict[tuple[Cell, Cell], int | None]:
    """For each item the most decimals that its numbers were written down with, if no more than four."""
    found: dict[tuple[Cell, Cell], int] = {}
    for piece in evidence:
        values = piece.values
        if values.get("unit_recorded", values.get("unit")) != values.get("unit"):
            continue  # a converted number has as many decimals as the conversion gave it
        written = recorded_decimals(values.get("reported"), values.get("value"))
        places = decimals_of(piece.numbers) if written is None or piece.count > 1 else written
        item = (values.get("name"), values.get("unit"))
        found[item] = max(found.get(item, 0), places, written or 0)
    return {item: places if places < UNSAID_DECIMALS else None for item, places in found.items()}
