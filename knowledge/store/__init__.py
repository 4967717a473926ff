"""The record store."""

from knowledge.store.store import EHRSQL_TABLES, SCHEMA_VERSION, TIME_FORMAT, Note, Patient, RecordStore

__all__ = ["EHRSQL_TABLES", "SCHEMA_VERSION", "TIME_FORMAT", "Note", "Patient", "RecordStore"]
