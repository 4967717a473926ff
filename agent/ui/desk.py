"""What the page does when something is clicked: answers, shows evidence, stops, starts over, changes its language.

It knows the agent and what the browser sends; the layout is in ``agent.ui.page``. What comes from the browser
(patient, turn and evidence numbers) is a wish, never a permission: the agent's scope decides.
"""

import logging
import secrets
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from agent.agent import ClinicalAgent
from agent.answer import Language
from agent.language import language_of
from agent.ui.cards import card
from agent.ui.patients import ALL
from agent.ui.render import TurnView, hint
from agent.ui.strings import strings
from knowledge.errors import ChartroomError, Stopped

_log = logging.getLogger(__name__)

Shown = tuple[int, int] | None
"""The turn and the number of the evidence that is open beside the conversation."""


class Desk:
    """Everything that one page can be asked to do; sessions differ only in what they pass in."""

    def __init__(self, agent: ClinicalAgent) -> None:
        self.agent = agent
        store, permitted = agent.rooms.store, agent.permitted
        self.patients = {
            patient.subject_id: patient
            for patient in store.patients()
            if permitted is None or patient.subject_id in permitted
        }

    def ask(
        self, text: str, subject_id: int, turns: Sequence[TurnView], conversation: str, language: Language
    ) -> Iterator[list[TurnView]]:
        """The turns after each event of the new question; whatever goes wrong becomes a turn, too."""
        turn = TurnView(text, language_of(text))
        yield [*turns, turn]
        words = strings(language)
        try:
            patient = None if subject_id == ALL else subject_id
            for event in self.agent.stream(text, patient=patient, conversation=conversation):
                turn = turn.after(event)
                yield [*turns, turn]
            return
        except Stopped:
            error = words["stopped"]
        except ChartroomError as fault:
            error = str(fault)
        except (
            Exception
        ) as fault:  # the last border: the reader gets a card, the log a place without record text
            where = traceback.extract_tb(fault.__traceback__)[-1]
            _log.error("%s at %s:%s", type(fault).__name__, where.filename, where.lineno)
            error = words["failed"].format(kind=type(fault).__name__)
        yield [*turns, replace(turn, error=error, running="")]

    def picked(self, turns: Sequence[TurnView], data: Any) -> Shown:
        """Which evidence a click means, or ``None`` if there is no such evidence."""
        given = data if isinstance(data, dict) else {}
        number, wanted = given.get("turn"), given.get("evidence")
        if not isinstance(number, int) or not isinstance(wanted, int) or not 0 <= number < len(turns):
            return None
        answer = turns[number].answer
        known = answer is not None and any(piece.id == wanted for piece in answer.evidence)
        return (number, wanted) if known else None

    def panel(self, turns: Sequence[TurnView], shown: Shown, language: Language) -> str:
        """The evidence panel as HTML."""
        answer = turns[shown[0]].answer if shown is not None and shown[0] < len(turns) else None
        if answer is None or shown is None:
            return hint(language)
        piece = next(piece for piece in answer.evidence if piece.id == shown[1])
        rooms = self.agent.rooms
        library, key = rooms.explorer.library, f"{shown[0]}-{shown[1]}"
        return card(piece, rooms.store, self.patients, language, library=library, key=key)

    def stop(self, conversation: str) -> None:
        """Stop the question that is being answered."""
        self.agent.stop(conversation)

    def forget(self, conversation: str) -> None:
        """Delete what is kept of a conversation; a session that asked nothing has none."""
        if conversation:
            self.agent.forget(conversation)


def new_conversation() -> str:
    """A name that no other session can guess."""
    return secrets.token_hex(16)
