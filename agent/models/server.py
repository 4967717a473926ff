"""A model on an OpenAI-compatible server inside the hospital (vLLM, llama.cpp server, Ray Serve).

Questions about patients go to the one address that was named and nowhere else: no proxy and no redirect is
followed, and every connection goes to an address that was checked to be private a moment before, so that a name
that is pointed elsewhere later leads nowhere. The key comes from the environment and is neither stored nor logged.
"""

import asyncio
import concurrent.futures
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agent.answer import Model
from agent.models.job import Completion, FinishReason
from agent.models.server_address import KEY_VARIABLE, Server, resolved, server_address
from knowledge.errors import ChartroomError, ModelBusy, ModelError, Stopped

_POLL_S = 0.05  # how often it is looked whether the user has stopped the question
_T = TypeVar("_T")
logging.getLogger("openai").setLevel(logging.WARNING)  # below that it would log the questions
# Headers about this machine, and accounts that the environment names. The library needs others of its own.
_ABOUT_US = ("os", "arch", "runtime", "lang", "package")
_UNWANTED = (*(f"x-stainless-{about}" for about in _ABOUT_US), "openai-")
_FINISHES: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}


class ServerModel:
    """A served model. Several threads may ask it at once; ``close`` it at the end.

    Args:
        server: where it is.
        key: what the server asks for; by default the content of ``$CHARTROOM_SERVER_KEY``.

    Raises:
        ConfigError: the address is not private, and no public one was allowed.
    """

    def __init__(self, server: Server, key: str | None = None) -> None:
        self.server = server
        self.context = server.context
        host = urlsplit(server_address(server.url, public=server.public)).netloc
        self.identity = Model(name=f"{server.model} at {host}", sha256=None)
        key = key if key is not None else os.environ.get(KEY_VARIABLE)
        self._client = openai.DefaultAsyncHttpxClient(
            trust_env=False,  # neither a proxy nor credentials of the environment
            follow_redirects=False,
            timeout=server.timeout_s,
            event_hooks={"request": [self._pinned], "response": [_no_redirect]},
        )
        self._chat = ChatOpenAI(
            model=server.model,
            base_url=server.url,
            api_key=SecretStr(key or "none"),
            openai_proxy=None,  # else one is taken from the environment
            http_async_client=self._client,
            timeout=server.timeout_s,
            max_retries=0,
            temperature=0,
            seed=0,
            logprobs=True,
            use_responses_api=False,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model-server", daemon=True)
        self._thread.start()

    def tokens(self, messages: Sequence[Mapping[str, str]]) -> int:
        """An upper estimate of the tokens of a conversation; the server alone knows its vocabulary.

        Counted are one token for each character beyond ASCII and for three of the others, and a few a message.
        """
        texts = [message["content"] for message in messages]
        plain = sum(character.isascii() for text in texts for character in text)
        return sum(map(len, texts)) - plain + -(-plain // 3) + 8 * len(texts)

    def write(
        self,
        messages: Sequence[Mapping[str, str]],
        schema: Mapping[str, Any],
        most: int,
        stop: Callable[[], bool] | None = None,
    ) -> Completion:
        """What the model answers, held to a JSON Schema by the server.

        Args:
            messages: ``role`` and ``content`` each.
            schema: of the answer.
            most: tokens of the answer at most.
            stop: looked at while the server works; the request is dropped as soon as it says so.

        Raises:
            Stopped: ``stop`` said so.
            ModelBusy: the server has no room for the question now.
            ModelError: the server cannot be reached, is too slow, or refuses.
        """
        began = time.perf_counter()
        message = self._wait(self._ask(messages, schema, most), stop)
        return _completion(message, round((time.perf_counter() - began) * 1000))

    def served(self) -> dict[str, int | None]:
        """The models that the server offers, each with its context where it says so.

        Raises:
            ModelError: the server cannot be reached or refuses.
        """
        return self._wait(self._listed(), None)

    def close(self) -> None:
        """Drop what is under way and every connection."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _ask(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], most: int
    ) -> AIMessage:
        form = {"type": "json_schema", "json_schema": {"name": "plan", "strict": True, "schema": schema}}
        # As plain fields: under its own names the library would parse the answer and refuse one that was cut,
        # and would call ``max_tokens`` by a name that other servers may not know.
        held = self._chat.bind(extra_body={"response_format": form, "max_tokens": most})
        return await held.ainvoke([dict(message) for message in messages])

    async def _listed(self) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        async for model in self._chat.root_async_client.models.list():
            stated = model.model_dump()
            length = stated.get("max_model_len") or (stated.get("meta") or {}).get("n_ctx")
            found[model.id] = length if isinstance(length, int) else None
        return found

    async def _pinned(self, request: "_Request") -> None:
        """Sends a request to an address that was checked, whatever the name may lead to by then."""
        host = request.url.host
        place = await asyncio.to_thread(resolved, host, request.url.port, self.server.public)
        for name in [name for name in request.headers if name.startswith(_UNWANTED)]:
            del request.headers[name]
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=place)

    def _wait(self, asked: Awaitable[_T], stop: Callable[[], bool] | None) -> _T:
        async def run() -> _T:
            return await asked

        future = asyncio.run_coroutine_threadsafe(run(), self._loop)
        while not concurrent.futures.wait([future], timeout=_POLL_S if stop else None).done:
            if stop is not None and stop():
                future.cancel()  # closes the connection, at which servers stop writing
                raise Stopped("The question was stopped; nothing was answered.")
        try:
            return future.result()
        except ChartroomError:
            raise
        except (openai.OpenAIError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise self._explained(error) from None  # its text may quote the question

    def _explained(self, error: Exception) -> ModelError:
        server = f"The model server {self.server.url!r}"
        if (own := _own_error(error)) is not None:
            return own
        if isinstance(error, openai.APITimeoutError):
            return ModelError(
                f"{server} gave no answer within {self.server.timeout_s:g} s. Ask again, or ask for less."
            )
        if isinstance(error, openai.APIConnectionError):
            return ModelError(
                f"{server} cannot be reached. Check that it runs and that the address is right."
            )
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ModelError(f"{server} wants a key, or another one. Set ${KEY_VARIABLE}.")
        if isinstance(error, openai.NotFoundError):
            return ModelError(
                f"{server} has no model {self.server.model!r} there. Check the name, and that the address ends "
                "with /v1 where the server wants that."
            )
        if isinstance(error, openai.RateLimitError):
            return ModelBusy(f"{server} has no room for the question now. Ask again in a moment.")
        if isinstance(error, openai.APIStatusError):
            if error.status_code == 503:
                return ModelBusy(f"{server} has no room for the question now. Ask again in a moment.")
            return ModelError(
                f"{server} refused the question with status {error.status_code}. A status of 400 means that it does "
                "not take JSON schemas or log-probabilities, or that its context is shorter than what was recorded."
            )
        return ModelError(f"{server} sent what is no answer ({type(error).__name__}).")


class _Url(Protocol):
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    def copy_with(self, **parts: Any) -> "_Url": ...


class _Request(Protocol):
    """What is used of a request of the HTTP client."""

    url: _Url
    headers: MutableMapping[str, str]
    extensions: Mapping[str, Any]


class _Response(Protocol):
    """What is used of a response of the HTTP client."""

    @property
    def is_redirect(self) -> bool: ...


async def _no_redirect(response: _Response) -> None:
    if response.is_redirect:
        raise ModelError(
            "The model server sends questions on to another address. Name that address, if it is the right one."
        )


def _own_error(error: BaseException) -> ModelError | None:
    """What we raised ourselves on the way, where the library has wrapped it."""
    cause = error.__cause__
    while cause is not None and not isinstance(cause, ChartroomError):
        cause = cause.__cause__
    return None if cause is None else ModelError(str(cause))


def _completion(message: AIMessage, ms: int) -> Completion:
    stated = message.response_metadata
    scored = (stated.get("logprobs") or {}).get("content") or ()
    logprobs = tuple(float(token["logprob"]) for token in scored)
    usage = message.usage_metadata
    return Completion(
        text=str(message.text),
        tokens=(),
        logprobs=logprobs or None,
        finish_reason=_FINISHES.get(str(stated.get("finish_reason")), "stop"),
        prompt_tokens=usage["input_tokens"] if usage else 0,
        ms=ms,
    )
