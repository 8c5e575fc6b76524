"""How much the server bears (``san benchmark serving``).

Clients on the same machine, which take their part of its cores, send photos of the embedded sample
without a pause. At the end the server is told to stop while they go on: what it had taken by then
must be answered.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from sanmodel.errors import SanError
from sanmodel.observer import SILENT, Observer, observed

PHOTOS = 50
"""Photos of the sample that are sent in turn."""

SETTLED = 10
"""Seconds after which memory is looked at first: all threads have worked by then."""

START, STOP = 120, 60
"""Seconds that the server may take to load its model, and to stop."""

LAST_WORDS = re.compile(r"stopped: (\d+) photos taken, (\d+) answered")
MIB = 1 << 20


@dataclass
class Heard:
    """What one client heard.

    Attributes:
        seconds: Time to each answer before the stop.
        answers: Number of answers by status, until the end.
        errors: Number of other outcomes by name, before the stop.
    """

    seconds: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)


def run_benchmark(
    folder: Path, photos: Path, seconds: int, clients: int, observer: Observer = SILENT
) -> dict[str, Any]:
    """Put the server under full load, then stop it.

    Args:
        folder: Export folder of the model.
        photos: Folder of JPEG files.
        seconds: How long the load lasts.
        clients: How many send at a time.
        observer: Hears about progress.

    Returns:
        The figures, see :func:`_figures`.

    Raises:
        SanError: If there are no photos or the server does not start or stop.
    """
    contents = [path.read_bytes() for path in sorted(photos.glob("*.jpg"))[:PHOTOS]]
    if not contents:
        raise SanError(f"{photos} has no JPEG files: name the work tree with --root")
    with _server(folder) as (process, address):
        heard, stopping = [Heard() for _ in range(clients)], threading.Event()
        threads = [
            threading.Thread(
                target=_send, args=(address, contents[place:] + contents[:place], one, stopping)
            )
            for place, one in enumerate(heard)
        ]
        for thread in threads:
            thread.start()
        memory = _watch(psutil.Process(process.pid), seconds, observer)
        stopping.set()
        told = _stop(process)
        for thread in threads:
            thread.join()
    return _figures(heard, seconds, memory, told)


@contextmanager
def _server(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a server; yield it and its address when it is ready."""
    command = [sys.executable, "-m", "sanmodel.cli", "serve", "--model", str(folder.resolve())]
    with (
        tempfile.TemporaryDirectory(prefix="san-benchmark-") as scratch,
        subprocess.Popen(
            [*command, "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=scratch
        ) as process,
    ):
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            _wait_until_ready(process, address)
            yield process, address
        finally:
            process.kill()


def _wait_until_ready(process: "subprocess.Popen[str]", address: str) -> None:
    end = time.monotonic() + START
    while process.poll() is None and time.monotonic() < end:
        try:
            if httpx.get(f"{address}/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass  # it ends: the loop does, too
        time.sleep(0.1)
    raise SanError("the server did not start: its last words are above")


def _send(address: str, contents: Sequence[bytes], heard: Heard, stopping: threading.Event) -> None:
    """Send photos in turn, until nobody listens any more."""
    turn, headers = 0, {"Content-Type": "image/jpeg"}
    with httpx.Client(base_url=address, timeout=STOP, headers=headers) as client:
        while True:
            start = time.perf_counter()
            try:
                answer = client.post("/perturb", content=contents[turn % len(contents)])
            except httpx.TransportError as error:
                if stopping.is_set():
                    return
                heard.errors[type(error).__name__] += 1
                continue
            turn += 1
            heard.answers[answer.status_code] += 1
            if stopping.is_set():
                continue
            heard.seconds.append(time.perf_counter() - start)
            if answer.status_code != 200:
                heard.errors[str(answer.status_code)] += 1


def _watch(process: psutil.Process, seconds: int, observer: Observer) -> tuple[float, float]:
    """Wait; return the server's memory when it had settled and at the end, in MiB."""
    settled = 0.0
    for second in observed(range(seconds), "serving", seconds, observer):
        time.sleep(1)
        if second < SETTLED:
            settled = process.memory_info().rss / MIB
    return settled, process.memory_info().rss / MIB


def _stop(process: "subprocess.Popen[str]") -> tuple[int, int]:
    """Stop the server; return how many photos it says it took, and how many it answered."""
    process.send_signal(signal.SIGTERM)
    try:
        words, _ = process.communicate(timeout=STOP)
    except subprocess.TimeoutExpired as error:
        raise SanError(f"the server did not stop in {STOP} seconds: look at its log") from error
    told = LAST_WORDS.search(words)
    if told is None:
        raise SanError("the server ended without its last words: look at its log")
    return int(told[1]), int(told[2])


def _figures(
    heard: Sequence[Heard], seconds: int, memory: tuple[float, float], told: tuple[int, int]
) -> dict[str, Any]:
    """Return the figures.

    They are ``requests`` answered before the stop and how many ``per_second``, ``errors`` by name,
    the latencies ``p50``, ``p90`` and ``p99`` in milliseconds, the server's ``memory_settled`` and
    ``memory_end`` in MiB, and of the whole run the photos that the server had ``taken`` and
    ``answered``, the answers that its clients ``received``, and whether the stop was ``clean``.
    """
    took = [one for client in heard for one in client.seconds]
    errors: Counter[str] = sum((client.errors for client in heard), Counter())
    received = sum(client.answers.total() for client in heard)
    taken, answered = told
    p50, p90, p99 = np.percentile(took, (50, 90, 99)) * 1000 if took else (np.nan,) * 3
    return {
        "machine": f"{os.cpu_count()} CPUs",
        "seconds": seconds,
        "clients": len(heard),
        "requests": len(took),
        "per_second": len(took) / seconds,
        "errors": dict(errors),
        "p50": float(p50),
        "p90": float(p90),
        "p99": float(p99),
        "memory_settled": memory[0],
        "memory_end": memory[1],
        "taken": taken,
        "answered": answered,
        "received": received,
        "clean": taken == answered == received,
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures."""
    title = f"{figures['clients']} clients, {figures['seconds']} s, {figures['machine']}"
    table = Table("figure", "value", title=title)
    table.columns[1].justify = "right"
    errors = ", ".join(f"{count} {name}" for name, count in figures["errors"].items())
    rows = {
        "requests": f"{figures['requests']}",
        "requests/s": f"{figures['per_second']:.1f}",
        "errors": errors or "none",
        "p50, p90, p99 in ms": " ".join(f"{figures[name]:.0f}" for name in ("p50", "p90", "p99")),
        f"MiB after {SETTLED} s": f"{figures['memory_settled']:.0f}",
        "MiB at the end": f"{figures['memory_end']:.0f}",
        "stop under load": "all answered" if figures["clean"] else "NOT all answered",
        "taken, answered, received": f"{figures['taken']} {figures['answered']}"
        f" {figures['received']}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)
