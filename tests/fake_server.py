"""An OpenAI-compatible server of a few lines: it gives fixed answers and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeServer:
    """What the server does, and what it saw.

    Attributes:
        answers: texts, one after the other; the last again and again.
        status: of its answers.
        raw: sent instead of an answer.
        logprob: of each token; ``None``: it gives none.
        location: where it redirects to.
        silent: it gives no answer.
        cut: the finish reason is "length".
    """

    answers: list[str] = field(default_factory=lambda: ["{}"])
    status: int = 200
    raw: bytes | None = None
    logprob: float | None = -0.1
    location: str | None = None
    silent: bool = False
    cut: bool = False
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "ward-8b", "max_model_len": 6000}])
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def completion(self) -> dict[str, Any]:
        text = self.answers[min(len(self.asked), len(self.answers)) - 1]
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "length" if self.cut else "stop",
            "message": {"role": "assistant", "content": text},
        }
        if self.logprob is not None:
            token = {"token": "x", "logprob": self.logprob, "bytes": None, "top_logprobs": []}
            choice["logprobs"] = {"content": [token, token], "refusal": None}
        usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
        return {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "ward-8b",
            "choices": [choice],
            "usage": usage,
        }


@contextmanager
def serving(fake: FakeServer) -> Iterator[FakeServer]:
    """Serves on 127.0.0.1 until the end; ``fake.url`` is the base address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"object": "list", "data": [{"object": "model", **model} for model in fake.models]})

        def do_POST(self) -> None:
            fake.headers.append({name.lower(): value for name, value in self.headers.items()})
            fake.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            if fake.silent:
                self.connection.settimeout(10)
                if self.connection.recv(1) == b"":  # the other side has closed
                    fake.hung_up.set()
                return
            self._send(fake.completion())

        def _send(self, content: dict[str, Any]) -> None:
            body = fake.raw if fake.raw is not None else json.dumps(content).encode()
            self.send_response(307 if fake.location else fake.status)
            if fake.location:
                self.send_header("location", fake.location)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
