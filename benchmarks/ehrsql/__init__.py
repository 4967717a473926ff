"""Reads the published SQL of EHRSQL-2024 by its structure and says the same as typed clinical queries."""
