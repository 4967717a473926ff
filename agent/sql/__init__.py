"""The guard that every query to the records goes through."""

from agent.sql.guard import Table, run_guarded

__all__ = ["Table", "run_guarded"]
