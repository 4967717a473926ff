"""From a hospital's files to a record store: ``load`` detects the format and reports on every row."""

from knowledge.importers.loader import load
from knowledge.importers.registry import READERS, detect
from knowledge.importers.report import Counts, FileReport, FileState, LoadReport, Progress

__all__ = ["READERS", "Counts", "FileReport", "FileState", "LoadReport", "Progress", "detect", "load"]
