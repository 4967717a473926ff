"""YAML of a source, without aliases: a few hundred bytes of nested aliases unfold to gigabytes."""

from typing import Any

import yaml
from yaml.composer import ComposerError


class _NoAliases:
    """Refuses the alias sign where a loader would copy what it stands for."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):  # type: ignore[attr-defined]
            event = self.get_event()  # type: ignore[attr-defined]
            raise ComposerError(None, None, "aliases (*) are not read here", event.start_mark)
        return super().compose_node(parent, index)  # type: ignore[misc]


class TextLoader(_NoAliases, yaml.BaseLoader):
    """Knows only texts, lists and mappings: times and numbers stay as written."""


class PlainLoader(_NoAliases, yaml.SafeLoader):
    """Knows YAML's own plain types."""
