"""Whether a resource is FHIR R4, by the models of ``fhir.resources``.

Their release R4B leaves R4's clinical types as they are.

Validating costs 0.2 to 1.4 ms a resource, less than reading its JSON from a slow disk, so that every resource
of a mapped type is validated.
"""

import re
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fhir.resources.R4B.fhirresourcemodel import FHIRResourceModel
from pydantic import ValidationError

from knowledge.importers.columns import RuleBroken

# The library's names of rules in words; its own messages may quote what they met.
RULES = {
    "missing": "is missing",
    "model_field_validation.missing": "is missing",
    "extra_forbidden": "is no element of this type",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "json_invalid": "must be an object",
    "model_type": "must be an object",
    "base64_decode": "is not base64",
    "value_error": "breaks a rule of its type (form, or one choice of several)",
}
OTHER_RELEASES = {"STU3": "fhir.resources.STU3", "R5": "fhir.resources"}
# Elements of mapped types that hold dates: the models would take a number there for seconds since 1970.
_TEMPORAL = re.compile("[a-z]+(Date|DateTime|Instant)|date|start|end|issued|created|authoredOn")


def known_type(kind: str) -> bool:
    """Whether this is a resource type of FHIR R4 at all."""
    return bool(re.fullmatch(r"[A-Z][A-Za-z]+", kind)) and _model("fhir.resources.R4B", kind) is not None


def validated(kind: str, body: dict[str, Any]) -> FHIRResourceModel:
    """The resource as a model.

    Raises:
        RuleBroken: it is not valid; the message has up to three paths and rules, and says so where it is
            valid in another release of FHIR.
    """
    model = _model("fhir.resources.R4B", kind)
    if model is None:
        raise RuleBroken("resourceType: is no type of FHIR R4")
    try:
        if path := _numeric_time(body):
            raise RuleBroken(f"{path}: must be a text")
        resource = model.model_validate(body)
    except ValidationError as error:
        raise RuleBroken(_reason(error) + _other_release(kind, body)) from None
    except RecursionError:
        raise RuleBroken("is nested too deeply") from None
    if getattr(resource, "modifierExtension", None):
        raise RuleBroken("modifierExtension: changes the meaning in a way that is not known here")
    return resource


def _numeric_time(body: object) -> str | None:
    """The path of the first date that is a number."""
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, value in parts:
        if isinstance(value, (int, Decimal)):
            if isinstance(name, str) and _TEMPORAL.fullmatch(name):
                return name
        elif isinstance(value, (dict, list)) and (inner := _numeric_time(value)):
            return f"{name}.{inner}"
    return None


@cache
def _model(package: str, kind: str) -> type[FHIRResourceModel] | None:
    module = f"{package}.{kind.lower()}"
    found = getattr(import_module(module), kind, None) if find_spec(module) else None
    return found if isinstance(found, type) and hasattr(found, "get_resource_type") else None


def _reason(error: ValidationError) -> str:
    parts = []
    for each in error.errors(include_input=False, include_context=False, include_url=False)[:3]:
        # An unknown element's name comes from the file: it is repeated only if it looks like a name.
        names = [str(part) if re.fullmatch(r"_?\w{1,40}", str(part)) else "?" for part in each["loc"]]
        path = ".".join(names) or "resource"
        parts.append(f"{path}: {RULES.get(each['type'], each['type'])}")
    more = error.error_count() - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")


def _other_release(kind: str, body: dict[str, Any]) -> str:
    for release, package in OTHER_RELEASES.items():
        model = _model(package, kind)
        try:
            if model is not None:
                model.model_validate(body)
                return f". It is valid FHIR {release}: export it as R4"
        except (ValidationError, RecursionError):
            continue
    return ""
