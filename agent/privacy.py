"""Switches that keep every library offline and silent; set before any of them is imported.

The libraries read these variables once, at import. So this module imports nothing but ``os``, and whatever
starts Chartroom calls ``go_offline`` first.
"""

import os

SWITCHES = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SHARE": "False",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "OTEL_SDK_DISABLED": "true",
    "TOKENIZERS_PARALLELISM": "false",  # not privacy: forked workers would warn on the terminal
}
"""Variable to the value that switches a library's network or telemetry off."""


def go_offline() -> None:
    """Set every switch for this process and its children, whatever the environment says."""
    os.environ.update(SWITCHES)
