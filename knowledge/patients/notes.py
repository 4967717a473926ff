"""From a note to statements: what it mentions, each with its assertion, its time and its span."""

from collections.abc import Callable, Iterator, Sequence

from knowledge.mentions import Mention, MentionFinder
from knowledge.patients.model import KIND_OF_TYPE, OWN, NoteRef, Relation, Statement
from knowledge.store.store import Note

_RELATIONS: dict[str, Relation] = {"problem": "has_problem", "finding": "has_finding"}


def note_statements(
    note: Note, finder: MentionFinder, name_of: Callable[[str], str | None]
) -> Iterator[Statement]:
    """What a note says of its patient.

    Only a present or historical mention of the patient's own makes a problem or finding; any other, and every drug
    or procedure (a note may speak of one that is never ordered), is kept as noted. Analytes are left out: a
    mention of creatinine says nothing. So is what may mean several things, and a name within a longer name
    (the measles in 荨麻疹, urticaria, are none).

    Args:
        note: as the store has it.
        finder: finds the mentions.
        name_of: the English name of a concept; None for one that is not in the graph.
    """
    language = "zh" if note.language == "zh" else "en" if note.language == "en" else None
    for mention in _whole(finder.find(note.text, language)):
        kind = KIND_OF_TYPE.get(mention.type or "")
        name = name_of(mention.concept) if mention.concept is not None else None
        if kind is None or kind == "result" or name is None:
            continue
        yield Statement(
            subject_id=note.subject_id,
            hadm_id=note.hadm_id,
            relation=_RELATIONS.get(kind, "noted") if _is_own(mention) else "noted",
            kind=kind,
            concept=mention.concept,
            name=name,
            start=note.charttime,
            end=None,
            closed=False,
            assertion=mention.assertion,
            experiencer=mention.experiencer,
            code=None,
            said_time=mention.time,
            evidence=NoteRef(note.note_id, mention.start, mention.end),
        )


def _whole(mentions: Sequence[Mention]) -> Iterator[Mention]:
    """The mentions that lie in no longer one."""
    reached, longest = -1, -1
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if mention.end > reached or (mention.start, mention.end) == (longest, reached):
            reached, longest = mention.end, mention.start
            yield mention


def _is_own(mention: Mention) -> bool:
    return mention.assertion in OWN and mention.experiencer == "patient"
