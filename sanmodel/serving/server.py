"""Running the server until it is told to stop."""

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from sanmodel.errors import SanError
from sanmodel.serving.app import create_app
from sanmodel.serving.service import Service
from sanmodel.serving.settings import ServeSettings

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 5
"""Seconds beyond the limit of a request that a stop waits for answers to be sent."""


def serve(settings: ServeSettings, folder: Path) -> None:
    """Serve until SIGTERM or Ctrl-C; what was taken by then is finished.

    Args:
        settings: Limits.
        folder: Export folder of the model.

    Raises:
        SanError: If the port is taken or the model cannot be loaded.
    """
    app = create_app(settings, folder)
    service: Service = app.state.service
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(settings.timeout) + GRACE,
    )
    server = uvicorn.Server(config)
    with _listening(settings) as listener, _stopped_by_signals(server):
        service.failed = lambda: setattr(server, "should_exit", True)
        _greet(settings, listener)
        server.run([listener])
    if service.failure is not None:
        raise service.failure
    measures = service.measures
    left = f", {measures.left} left by their clients" if measures.left else ""
    print(f"stopped: {measures.taken} photos taken, {measures.answered} answered{left}", flush=True)


def _greet(settings: ServeSettings, listener: socket.socket) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"http://{host}:{listener.getsockname()[1]}", flush=True)
    if settings.api_key is None and not _is_loopback(settings.host):
        print(
            f"warning: whoever reaches {settings.host} can use this server: set a key with"
            " --api-key-file",
            file=sys.stderr,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _listening(settings: ServeSettings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        code = error.errno or 0
        why = os.strerror(code) if code > 0 else error.strerror  # names have codes of their own
        raise SanError(
            f"port {settings.port} of {settings.host} cannot be used ({why}): choose"
            " another with --port or --host"
        ) from error
    with listener:
        yield listener


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let signals stop the server and nothing else: it raises them anew when it has stopped."""

    def stop(*_: object) -> None:
        server.should_exit = True

    before = {one: signal.signal(one, stop) for one in SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
