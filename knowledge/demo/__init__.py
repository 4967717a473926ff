"""The demo hospital: about 150 synthetic patients with coherent courses, notes and planted contradictions.

Made by a deterministic generator from reviewed data files; nobody in it exists. See docs/demo.md.
"""

from knowledge.demo.build import build, contradictions
from knowledge.demo.contradictions import Contradiction

__all__ = ["Contradiction", "build", "contradictions"]
