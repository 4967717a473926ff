"""How a question becomes a plan: linking, times, catalogue."""
