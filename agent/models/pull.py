"""Fetches a model file from the hub, on request only; the other connection is to a model server, if one is used.

The file is hashed while it streams. An interrupted pull goes on where it stopped. Whether what came is a
model, and the right one, is for ``agent.models.store`` to say.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from agent.models.registry import Recommended
from knowledge.errors import ConfigError, ModelError

HUB = "https://huggingface.co"
Progress = Callable[[int, int], None]
"""Called with bytes that are here and bytes in all."""

_ATTEMPTS = 4  # a cut connection is taken up again this often, as long as bytes keep coming
_SPARE = 256 << 20  # bytes that stay free on the disk
_BLOCK = 1 << 20


def hub_address(flag: str | None = None) -> str:
    """The hub's address: the flag, else ``$CHARTROOM_HUB``, else the public hub.

    Raises:
        ConfigError: it is no http(s) address.
    """
    address = (flag or os.environ.get("CHARTROOM_HUB") or HUB).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"The hub address {address!r} is no http or https address. Set CHARTROOM_HUB to one such as "
            f"{HUB} or your mirror's."
        )
    return address


def download(model: Recommended, part: Path, hub: str, progress: Progress | None = None) -> str:
    """Fetch a model's file to ``part``, going on from what lies there already.

    Args:
        model: which file of which repository.
        part: where the file grows.
        hub: address of the hub or mirror (``hub_address``).
        progress: see ``Progress``.

    Returns:
        SHA-256 of the whole file.

    Raises:
        ModelError: the hub cannot be reached, does not have the file, sends something else or stops sending;
            or the disk is full. What has arrived stays.
    """
    url = f"{hub}/{model.repository}/resolve/main/{model.file}"
    transfer = _Transfer(url, part, progress or (lambda _here, _all: None))
    # trust_env stays on: a hospital's proxy is set in the environment. Redirects lead to the hub's storage.
    with httpx.Client(follow_redirects=True, timeout=httpx.Timeout(30.0), headers=_HEADERS) as client:
        return transfer.run(client)


_HEADERS = {
    "user-agent": "chartroom",
    "accept-encoding": "identity",
}  # identity: lengths are those of the file


class _Transfer:
    """One file on its way: how much is here, what it hashes to, how much there will be."""

    def __init__(self, url: str, part: Path, progress: Progress) -> None:
        self._url, self._part, self._progress = url, part, progress
        self._host = urlsplit(url).netloc
        self._digest = hashlib.sha256()
        self._here = 0
        self._all: int | None = None

    def run(self, client: httpx.Client) -> str:
        self._take_up()
        attempts = _ATTEMPTS
        while self._all is None or self._here < self._all:
            before, cause = self._here, None
            try:
                self._receive(client)
            except (httpx.TimeoutException, httpx.TransportError) as error:
                cause = error
            except OSError as error:
                raise ModelError(f"{self._part} cannot be written: {error.strerror}.") from error
            if self._here == self._all:
                break
            attempts = attempts - 1 if self._here == before else _ATTEMPTS
            if attempts == 0:
                raise ModelError(
                    f"{self._host} cannot be reached or stopped sending after {self._here} bytes "
                    f"({type(cause).__name__ if cause else 'closed'}). Run the same command again to go on "
                    "from there. In a network without internet, set CHARTROOM_HUB to your mirror."
                ) from cause
        return self._digest.hexdigest()

    def _take_up(self) -> None:
        """Hash what an earlier pull left."""
        if not self._part.exists():
            return
        with self._part.open("rb") as file:
            while block := file.read(_BLOCK):
                self._digest.update(block)
                self._here += len(block)

    def _start_over(self) -> None:
        self._digest, self._here = hashlib.sha256(), 0

    def _receive(self, client: httpx.Client) -> None:
        """One request for what is missing."""
        headers = {"range": f"bytes={self._here}-"} if self._here else {}
        with client.stream("GET", self._url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                if self._content_range(response) == self._here:
                    self._all = self._here  # it was whole already
                else:
                    self._discard()
                return
            if response.status_code == httpx.codes.OK:
                self._start_over()  # the hub knows no ranges
            elif response.status_code != httpx.codes.PARTIAL_CONTENT:
                raise self._refused(response)
            size = self._expected(response)
            if self._all not in (None, size):
                self._discard()
                raise ModelError(f"The file on {self._host} changed while it was pulled. Pull it again.")
            self._all = size
            self._check_space(size)
            with self._part.open("r+b" if self._here else "wb") as file:
                file.seek(self._here)
                for block in response.iter_raw():  # as they come: nothing is lost when the line breaks
                    file.write(block)
                    self._digest.update(block)
                    self._here += len(block)
                    self._progress(self._here, size)

    def _expected(self, response: httpx.Response) -> int:
        """Size of the whole file as this response states it."""
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            size = self._content_range(response)
        else:
            length = response.headers.get("content-length", "")
            size = int(length) if length.isdigit() else None
        if size is None:
            raise ModelError(f"{self._host} does not say how large the file is. Use another hub or mirror.")
        return size

    @staticmethod
    def _content_range(response: httpx.Response) -> int | None:
        size = response.headers.get("content-range", "").rpartition("/")[2]
        return int(size) if size.isdigit() else None

    def _discard(self) -> None:
        self._part.unlink(missing_ok=True)
        self._start_over()
        self._all = None

    def _check_space(self, size: int) -> None:
        free = shutil.disk_usage(self._part.parent).free
        missing = size - self._here + _SPARE - free
        if missing > 0:
            raise ModelError(
                f"{self._part.parent} lacks {missing / 1e9:.1f} GB for this model of {size / 1e9:.1f} GB. "
                "Free space, or set CHARTROOM_HOME to a larger disk."
            )

    def _refused(self, response: httpx.Response) -> ModelError:
        code = response.status_code
        if code == httpx.codes.NOT_FOUND:
            why = "does not have it; a mirror must serve it under the same path"
        elif code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            why = (
                "does not give it without a login; fetch it in a browser and run `chartroom models use FILE`"
            )
        else:
            why = "refuses; try again later"
        return ModelError(f"{response.request.url.host} answered {code} for {self._url}: it {why}.")
