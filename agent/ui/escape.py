"""Makes record text harmless in HTML. Everything that the page shows goes through here."""

import html

_TEMPLATE_SIGNS = str.maketrans({"$": "&#36;", "{": "&#123;", "}": "&#125;", "`": "&#96;"})


def escape(text: object) -> str:
    """Escape for HTML and for the browser's template engine, to which ``${…}`` and ``{{…}}`` are code."""
    return html.escape(str(text)).translate(_TEMPLATE_SIGNS)
