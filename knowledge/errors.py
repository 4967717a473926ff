"""Every error that Chartroom raises on purpose.

::

    ChartroomError
    ├── StoreError            a record store that is missing, locked, foreign or too old
    ├── ImportFailure         a source that cannot be loaded at all (single bad rows go to quarantine instead)
    ├── IndexFault            an index that is missing, stale, truncated or altered
    │   └── IndexOutdated     an index that another version of Chartroom wrote
    ├── ModelError            a model file or model server that cannot be used
    │   └── ModelBusy         the queue before the model is full
    ├── QueryRejected         a query that the guard does not let through
    │   └── NotInSchema       a query for what this store has no table or column for
    ├── QuestionError         a question that cannot be taken (empty, too long, control characters)
    ├── UnitError             a unit that is not known, or two between which a value does not convert
    ├── Stopped               the user stopped the work before it was done
    └── ConfigError           a setting, flag or file of settings that makes no sense

A message says what happened, to what, and what to do. It is meant for the user and never contains
text of a record.
"""


class ChartroomError(Exception):
    """Base of all errors that are meant for the user."""


class StoreError(ChartroomError):
    """The record store is missing, locked, not a database, or of another schema version."""


class ImportFailure(ChartroomError):
    """A source cannot be loaded at all."""


class IndexFault(ChartroomError):
    """An index is missing, stale, truncated or altered; the message names the command that repairs it."""


class IndexOutdated(IndexFault):
    """An index was written by another version of Chartroom; nothing is wrong with it but that."""


class ModelError(ChartroomError):
    """A model cannot be loaded, reached or run."""


class ModelBusy(ModelError):
    """The bounded queue before the model is full; asking again later is the remedy."""


class QueryRejected(ChartroomError):
    """The guard did not let a query through, or stopped it at a limit."""


class NotInSchema(QueryRejected):
    """The store has no table or column for what is asked: it cannot hold it."""


class QuestionError(ChartroomError):
    """A question cannot be taken as it is."""


class UnitError(ChartroomError):
    """A unit is not known, or a concept's values do not convert between two units."""


class Stopped(ChartroomError):
    """The user stopped the work before it was done."""


class ConfigError(ChartroomError):
    """A setting makes no sense."""
