"""References between resources, and what a resource needs to know of the others of its source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir.resources.R4B.binary import Binary
from fhir.resources.R4B.claim import Claim
from fhir.resources.R4B.fhirresourcemodel import FHIRResourceModel
from fhir.resources.R4B.humanname import HumanName
from fhir.resources.R4B.medication import Medication
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.practitioner import Practitioner
from fhir.resources.R4B.reference import Reference

from knowledge.importers.columns import RuleBroken
from knowledge.importers.fhir.concepts import label, spelled
from knowledge.importers.fhir.outcome import NotStored
from knowledge.importers.fhir.times import birth_date
from knowledge.importers.records import Ref

NO_PATIENTS = ("Group", "Device", "Location")


@dataclass(frozen=True, slots=True)
class Located:
    """A valid resource, where it stood and what it is called.

    Attributes:
        line: line or entry of the file, from 1.
        key: its id, or the UUID of its ``fullUrl`` where the server was still to give it one.
        url: its ``fullUrl``.
        resource: the model.
        body: the resource as it came.
    """

    line: int
    key: str
    url: str | None
    resource: FHIRResourceModel
    body: Mapping[str, object]

    @property
    def kind(self) -> str:
        """The resource type."""
        return self.resource.get_resource_type()


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What encounters repeat of their patient."""

    dob: str | None
    dob_precision: str | None
    marital_status: str | None
    language: str | None


class Context:
    """The other resources of a source, for looking up what one refers to.

    Args:
        resources: all of a Bundle; of an NDJSON export only the kinds that others look into.
    """

    def __init__(self, resources: Iterable[Located] = ()) -> None:
        self._located: dict[str, Located] = {}
        self._identifiers: dict[tuple[str | None, str | None], str] = {}
        self._patients: dict[str, PatientFacts] = {}
        self._medications: dict[str, Medication] = {}
        self._binaries: dict[str, Binary] = {}
        self._authors: dict[str, str] = {}
        self._insurance: dict[str, str] = {}
        claims: list[Claim] = []
        for item in resources:
            if item.url:
                self._located[item.url] = item
            match item.resource:
                case Patient() as patient:
                    self._patients[item.key] = patient_facts(patient)
                    for number in patient.identifier or ():
                        self._identifiers[number.system, number.value] = item.key
                case Medication() as medication:
                    self._medications[item.key] = medication
                case Binary() as binary:
                    self._binaries[item.key] = binary
                case Practitioner() as practitioner:
                    if name := person_name(practitioner.name):
                        self._authors[item.key] = name
                case Claim() as claim:
                    claims.append(claim)
                case _:
                    pass
        for claim in claims:
            self._insure(claim)

    def _insure(self, claim: Claim) -> None:
        payer = next((i.coverage.display for i in claim.insurance if i.focal and i.coverage.display), None)
        for item in claim.item or ():
            for encounter in item.encounter or ():
                if payer and (key := self.key(encounter, "Encounter")):
                    self._insurance.setdefault(key, payer)

    def key(self, reference: Reference | None, kind: str) -> str | None:
        """The id that a reference points to: ``urn:uuid:…``, ``Type/id`` or an absolute address.

        ``None`` for no reference, for one to another kind of resource (an id is unique only within its kind),
        for a contained resource and for a search (``Type?identifier=…``).
        """
        text = reference.reference if reference else None
        if not text or text.startswith("#") or "?" in text:
            return None
        if text in self._located:
            found = self._located[text]
            return found.key if found.kind == kind else None
        if text.startswith(("urn:uuid:", "urn:oid:")):
            return text.rsplit(":", 1)[1]
        parts = text.split("/_history/")[0].split("/")
        return parts[-1] if parts[-2:-1] == [kind] else None

    def patient(self, reference: Reference | None, path: str) -> Ref:
        """The patient of a resource.

        Raises:
            RuleBroken: there is no patient, or only an identifier that this file does not explain.
            NotStored: the subject is a group, a device or a place.
        """
        if reference is None:
            raise RuleBroken(f"{path}: is missing, so that no patient is named")
        if found := self.key(reference, "Patient"):
            return Ref("patients", found)
        text = reference.reference or ""
        kind = next((kind for kind in NO_PATIENTS if kind == reference.type or f"{kind}/" in text), None)
        if kind:
            raise NotStored(f"{path} is a {kind}, not a patient")
        number = reference.identifier
        pairs = [(number.system, number.value)] if number else []
        if "?identifier=" in text:
            system, _, value = text.partition("?identifier=")[2].partition("|")
            pairs.append((system, value))
        if found := next((self._identifiers[pair] for pair in pairs if pair in self._identifiers), None):
            return Ref("patients", found)
        raise RuleBroken(f"{path}: does not lead to a patient")

    def encounter(self, reference: Reference | None) -> Ref | None:
        """The encounter of a resource, left empty where it names one that never comes."""
        found = self.key(reference, "Encounter")
        return Ref("admissions", found, optional=True) if found else None

    def facts(self, patient: Ref) -> PatientFacts | None:
        """What is known of a patient in this source."""
        return self._patients.get(patient.key)

    def insurance(self, encounter_key: str) -> str | None:
        """The payer that a claim of this source names for an encounter."""
        return self._insurance.get(encounter_key)

    def medication(
        self, reference: Reference | None, contained: Iterable[object] | None
    ) -> Medication | None:
        """The Medication that an order refers to, contained in it or in the same source."""
        text = reference.reference if reference else None
        if text and text.startswith("#"):
            inside = (item for item in contained or () if isinstance(item, Medication))
            return next((item for item in inside if item.id == text[1:]), None)
        found = self.key(reference, "Medication")
        return self._medications.get(found) if found else None

    def binary(self, url: str | None) -> Binary | None:
        """The Binary of this source that an attachment links to."""
        found = self.key(Reference(reference=url), "Binary") if url else None
        return self._binaries.get(found) if found else None

    def author(self, references: Iterable[Reference] | None) -> str | None:
        """The name of the first author."""
        for reference in references or ():
            found = self.key(reference, "Practitioner")
            if name := reference.display or (self._authors.get(found) if found else None):
                return name
        return None


def person_name(names: Iterable[HumanName] | None) -> str | None:
    """A person's name as one writes it: the official one, family first without a space in Chinese."""
    order = {"official": 0, "usual": 1}
    best = min(names or (), key=lambda name: order.get(name.use or "", 2), default=None)
    if best is None:
        return None
    if best.text:
        return best.text.strip() or None
    given = [part for part in best.given or () if part]
    if best.family and "\u4e00" <= best.family[0] <= "\u9fff":
        return best.family + "".join(given)
    return " ".join(filter(None, [*given, best.family])) or None


def patient_facts(patient: Patient) -> PatientFacts:
    """What encounters repeat of their patient."""
    languages = sorted(patient.communication or (), key=lambda item: not item.preferred)
    dob, precision = birth_date(patient.birthDate)
    return PatientFacts(
        dob=dob,
        dob_precision=precision,
        marital_status=spelled("marital-status", patient.maritalStatus),
        language=label(languages[0].language) if languages else None,
    )
