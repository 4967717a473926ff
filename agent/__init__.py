"""How a question becomes a verified answer.

This room does not know the file formats of sources.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.agent import ClinicalAgent
    from agent.answer import Answer

__all__ = ["Answer", "ClinicalAgent"]


def __getattr__(name: str) -> Any:
    # On first use only: the switches of agent.privacy must be set before the libraries behind these are
    # imported, and the doctor must run where one of those is broken.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agent.privacy import go_offline

    go_offline()
    from agent.agent import ClinicalAgent
    from agent.answer import Answer

    return {"Answer": Answer, "ClinicalAgent": ClinicalAgent}[name]
