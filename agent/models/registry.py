"""The recommended models: what the file ``registry.yaml`` says, typed and checked."""

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from knowledge.errors import ModelError

Machine = Literal["laptop", "workstation", "gpu"]


class Recommended(BaseModel):
    """One model that is known to fit one size of machine.

    Attributes:
        name: what ``chartroom models pull`` takes.
        title: for people.
        machine: the size of machine it is meant for.
        repository: owner and name on the hub.
        file: the file in that repository.
        bytes: size of the file.
        memory_gb: memory (of the GPU, for ``gpu``) with a context of 8192 tokens.
        licence: SPDX identifier.
        languages: languages that it answers in, of those Chartroom speaks.
        source: where these facts are stated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    machine: Machine
    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    file: str = Field(pattern=r"^[\w.-]+\.gguf$")
    bytes: int = Field(gt=0)
    memory_gb: float = Field(gt=0)
    licence: str
    languages: tuple[Literal["en", "zh"], ...]
    source: tuple[str, ...] = Field(min_length=1)


@lru_cache(maxsize=1)
def registry() -> tuple[Recommended, ...]:
    """All recommended models, smallest machine first."""
    text = files("agent.models").joinpath("registry.yaml").read_text(encoding="utf-8")
    return tuple(Recommended.model_validate(entry) for entry in yaml.safe_load(text)["models"])


def recommended(name: str) -> Recommended:
    """The recommended model of that name.

    Raises:
        ModelError: there is none.
    """
    for entry in registry():
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in registry())
    raise ModelError(
        f"No recommended model is called {name!r}. There are {names}. "
        "For another one, fetch its GGUF file and run `chartroom models use FILE`."
    )
