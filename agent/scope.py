"""Who asks, whom they may see, which patient is open, what "now" is. Never read from model output."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The frame of one question; it comes from the session.

    Attributes:
        user: who asks, for the audit.
        patient: ``subject_id`` of the patient that is open, or ``None`` for cohort questions.
        permitted: the ``subject_id``s that the user may see; ``None`` for all.
        now: ``YYYY-MM-DD HH:MM:SS``; every relative time counts from it.
    """

    now: str
    user: str = "local"
    patient: int | None = None
    permitted: frozenset[int] | None = None

    def may_see(self, subject_id: int) -> bool:
        """Whether the user may see this patient's records."""
        return self.permitted is None or subject_id in self.permitted
