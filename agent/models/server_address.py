"""Where a model server is: its address, which has to be on a private network unless a public one was allowed."""

import ipaddress
import socket
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from knowledge.errors import ConfigError

KEY_VARIABLE = "CHARTROOM_SERVER_KEY"
ASSUMED_CONTEXT = 8192
"""Tokens, where neither the server nor the user says how many there are."""


class Server(BaseModel):
    """Where a model is served.

    Attributes:
        url: base address up to and with ``/v1``, as checked by ``server_address``.
        model: the name under which the server serves it.
        public: whether an address outside the hospital's network was allowed.
        context: tokens for prompt and answer together.
        timeout_s: seconds to wait for one answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    model: str
    public: bool = False
    context: int = Field(default=ASSUMED_CONTEXT, ge=512)
    timeout_s: float = Field(default=120.0, gt=0)


def server_address(url: str, *, public: bool = False) -> str:
    """The address as it is recorded.

    Raises:
        ConfigError: it is no http(s) address, holds a password, or is not on a private network.
    """
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"The server address {url!r} is no http or https address, such as http://10.0.0.5:8000/v1."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"The address of the server at {parts.hostname!r} must hold no password, query or fragment; "
            f"a key is read from ${KEY_VARIABLE}."
        )
    resolved(parts.hostname, parts.port, public)
    return parts.geturl()


def resolved(host: str, port: int | None, public: bool) -> str:
    """An address of a host.

    Raises:
        ConfigError: there is none, or one of them is public and that was not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"The model server {host!r} is not known on this network.") from error
    places = [str(entry[4][0]) for entry in found]
    if not public and any(map(_is_public, places)):
        raise ConfigError(
            f"The model server {host!r} is on a public address, so questions about patients would leave the hospital. "
            "If that is meant, name the server again with --public."
        )
    return places[0]


def _is_public(place: str) -> bool:
    address = ipaddress.ip_address(place.split("%")[0])  # without the interface of a link-local one
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_global
