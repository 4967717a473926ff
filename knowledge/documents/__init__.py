"""Documents that a hospital brings: guidelines, leaflets, literature. Reading their files, keeping their editions."""

from knowledge.documents.library import Document, Library

__all__ = ["Document", "Library"]
