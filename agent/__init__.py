"""How a question becomes a verified answer.

This room does not know the file formats of sources.
"""

from agent.agent import ClinicalAgent
from agent.answer import Answer

__all__ = ["Answer", "ClinicalAgent"]
