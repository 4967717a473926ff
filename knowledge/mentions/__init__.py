"""Mentions of concepts in text, in both languages, with assertion, experiencer and time."""

from knowledge.mentions.finder import MentionFinder
from knowledge.mentions.mention import Assertion, Experiencer, Mention
from knowledge.mentions.names import Name, NameTable

__all__ = ["Assertion", "Experiencer", "Mention", "MentionFinder", "Name", "NameTable"]
