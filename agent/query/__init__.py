"""The typed clinical query and its compilers."""

from agent.query.model import ClinicalQuery

__all__ = ["ClinicalQuery"]
