"""The patient graph: what the record says of each patient, by concept, with time, assertion and evidence."""

from knowledge.patients.model import (
    DrugOrder,
    Measured,
    NoteRef,
    Problem,
    RowRef,
    Statement,
)
from knowledge.patients.patients import Member, PatientGraph
from knowledge.patients.write import Written, generations, update

__all__ = [
    "DrugOrder",
    "Measured",
    "Member",
    "NoteRef",
    "PatientGraph",
    "Problem",
    "RowRef",
    "Statement",
    "Written",
    "generations",
    "update",
]
