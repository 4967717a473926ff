"""Makes record text harmless in HTML. Everything that the page shows goes through here."""

import html

_TEMPLATE_SIGNS = {ord(sign): f"&#{ord(sign)};" for sign in "${}`"}
_TURNING = {
    code: f"[U+{code:04X}]" for code in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Signs that turn the direction of what follows: shown by their number, or a text could reorder the words around it."""


def escape(text: object) -> str:
    """Escape for HTML and for the browser's template engine, to which ``${…}`` and ``{{…}}`` are code.

    Signs that turn the direction of writing are shown as ``[U+202E]``.
    """
    return html.escape(str(text)).translate(_TEMPLATE_SIGNS | _TURNING)
