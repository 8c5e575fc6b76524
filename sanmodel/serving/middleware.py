"""What is done around every request: it is counted, and its answer gets headers."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sanmodel.serving.measures import Measures

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

WORK = ("/perturb", "/try")
"""Paths that photos are sent to."""

PATHS = (*WORK, "/about", "/health", "/ready", "/metrics", "/", "/page.js", "/page.css")
"""Paths that are counted by name; whatever else clients make up is counted as one."""

HEADERS = {
    b"content-security-policy": b"default-src 'self'; img-src 'self' data: blob:;"
    b" object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class Around:
    """Counts requests and adds the headers.

    Args:
        app: What answers the requests.
        measures: What counts.
    """

    def __init__(self, app: App, measures: Measures) -> None:
        self._app, self._measures = app, measures

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer, start = Answer(send), time.perf_counter()
        path = scope["path"] if scope["path"] in PATHS else "other"
        is_work = path in WORK
        self._measures.taken += is_work
        try:
            await self._app(scope, receive, answer)
        finally:
            self._measures.answered += is_work and answer.whole
            self._measures.left += is_work and answer.status == LEFT
            self._measures.request(path, answer.status, time.perf_counter() - start)


LEFT = 499
"""Status, nginx's own, of a request whose client went away."""


class Answer:
    """Sends an answer on, with the headers.

    Args:
        send: Sends it.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status, self.whole = 500, False

    async def __call__(self, message: Message) -> None:
        """Send a part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = {name for name, _ in message["headers"]}
            more = [one for one in HEADERS.items() if one[0] not in own]
            caching = [] if b"cache-control" in own else [(b"cache-control", b"no-store")]
            message = {**message, "headers": [*message["headers"], *more, *caching]}
        await self._send(message)
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        self.whole |= last and self.status != LEFT
