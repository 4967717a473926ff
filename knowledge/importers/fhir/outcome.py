"""How a mapper says that a sound resource does not become rows."""


class NotStored(Exception):
    """The resource deliberately has no place in the store; it is counted as skipped."""
