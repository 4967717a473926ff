"""The search of the notes that answers a question: whose notes, of which types and time."""

from agent.answer import Language
from agent.planning.cues import asks_many_notes
from agent.planning.link import Linked
from agent.planning.phrases import phrase
from agent.planning.plan import Clarify, SearchNotes
from agent.planning.times import half_width


def note_search(
    question: str, language: Language, linked: Linked, subject_id: int | None
) -> SearchNotes | Clarify:
    """Search the patient's notes, or those of all where the question asks which patients' notes.

    Args:
        question: as cleaned; it is what is searched for.
        language: of the question back.
        linked: gives the note types and the window.
        subject_id: the patient that is named or open.

    Returns:
        A question back where no patient is known and the question is not about many.
    """
    many = asks_many_notes(half_width(question))
    if subject_id is None and not many:
        return Clarify(phrase(language, "note_patient"))
    types = tuple(
        dict.fromkeys(c.value for link in linked.values for c in link.candidates if c.domain == "note")
    )
    window = next((time.window for time in linked.times if time.window), None)
    return SearchNotes(question, None if many else subject_id, note_types=types, window=window)
