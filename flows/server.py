"""A Prefect server, a worker and an MLflow server on this machine (``make server``).

``python -m flows.server start`` returns when they run with the deployments of ``prefect.yaml``;
``stop`` ends them. They listen on loopback alone, and keep their files in ``.san/server``.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from sanmodel.errors import SanError
from sanmodel.files import write_json
from sanmodel.paths import Paths

HOST = "127.0.0.1"
PREFECT_PORT, MLFLOW_PORT = 4200, 5000
"""Taken if they are free; else the next free ones."""

SECONDS = 120
"""How long a server may take until it answers."""

GRACE = 15
"""Seconds that a process has to end before it is killed."""

POOL = "san"

Group = tuple[int, float]
"""Number of a process group, and when its first process began, in seconds since 1970: the number
alone may be another's after a restart of the machine."""


@dataclass(frozen=True)
class Servers:
    """Where the servers of a work tree run.

    Attributes:
        prefect: Address of the Prefect server.
        mlflow: Address of the MLflow server.
        processes: Their and the worker's process groups and when each began, the last one first.
    """

    prefect: str
    mlflow: str
    processes: list[Group]


def start(root: Path) -> Servers:
    """Start all three, unless they run.

    Args:
        root: The folder that holds ``dvc.yaml`` and ``prefect.yaml``.

    Raises:
        SanError: If one does not start; the others are stopped again.
    """
    running = find(root)
    if running and all(_is_alive(process) for process in running.processes):
        return running
    stop(root)  # the others, if one has died
    folder = _folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    ports = _free_port(PREFECT_PORT), _free_port(MLFLOW_PORT)
    prefect, mlflow = (f"http://{HOST}:{port}" for port in ports)
    environment = _environment(root, prefect, mlflow)
    processes: list[Group] = []
    try:
        for name, command, answers in _servers(root, ports):
            processes.insert(0, _launch(name, command, root, environment))
            write_json(_note(root), {"prefect": prefect, "mlflow": mlflow, "processes": processes})
            _wait(name, answers, processes[0], folder)
        _deploy(root, environment)
        worker = [*_module("prefect"), "worker", "start", "--pool", POOL, "--name", "local"]
        processes.insert(0, _launch("worker", worker, root, environment))
    except BaseException:
        _end(processes)
        _note(root).unlink(missing_ok=True)
        raise
    servers = Servers(prefect, mlflow, processes)
    write_json(_note(root), vars(servers))
    return servers


def stop(root: Path) -> bool:
    """Stop what :func:`start` started; False if nothing runs."""
    running = find(root)
    if running is not None:
        _end(running.processes)
    _note(root).unlink(missing_ok=True)
    return running is not None


def find(root: Path) -> Servers | None:
    """Return the servers of a work tree if they run."""
    try:
        noted = json.loads(_note(root).read_text(encoding="utf-8"))
        groups = [(int(number), float(since)) for number, since in noted["processes"]]
        servers = Servers(noted["prefect"], noted["mlflow"], groups)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return servers if any(_is_alive(process) for process in servers.processes) else None


def _servers(root: Path, ports: tuple[int, int]) -> list[tuple[str, Sequence[str], str]]:
    """Return name, command and an address that answers of the two servers."""
    prefect_port, mlflow_port = (str(port) for port in ports)
    prefect = [*_module("prefect"), "server", "start", "--host", HOST, "--port", prefect_port]
    store = root.resolve() / "mlflow"
    mlflow = [*_module("mlflow"), "server", "--host", HOST, "--port", mlflow_port]
    mlflow += ["--workers", "1", "--backend-store-uri", f"sqlite:///{store}/mlflow.db"]
    mlflow += ["--artifacts-destination", str(store / "artifacts")]
    return [
        ("prefect", prefect, f"http://{HOST}:{prefect_port}/api/health"),
        ("mlflow", mlflow, f"http://{HOST}:{mlflow_port}/health"),
    ]


def _deploy(root: Path, environment: Mapping[str, str]) -> None:
    """Make the work pool and register the deployments.

    Raises:
        SanError: If Prefect refuses.
    """
    pool = ["work-pool", "create", POOL, "--type", "process", "--overwrite"]
    one_writer = ["work-pool", "set-concurrency-limit", POOL, "1"]
    for arguments in (pool, one_writer, ["--no-prompt", "deploy", "--all"]):
        command = [*_module("prefect"), *arguments]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
            raise SanError(f"`prefect {' '.join(arguments)}` failed: {words}")


def _launch(name: str, command: Sequence[str], root: Path, environment: Mapping[str, str]) -> Group:
    """Start a process group that goes on without us; its output goes to a file."""
    with (_folder(root) / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process.pid, psutil.Process(process.pid).create_time()


def _wait(name: str, address: str, process: Group, folder: Path) -> None:
    """Wait until a server answers.

    Raises:
        SanError: If it ends or takes too long.
    """
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and _is_alive(process):
        with suppress(URLError, OSError), urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    raise SanError(f"the {name} server did not start: {folder / name}.log says why")


def _end(processes: Sequence[Group]) -> None:
    """End process groups, one after the other, first politely."""
    for process in processes:
        _signal(process, signal.SIGTERM)
        until = time.monotonic() + GRACE
        while _is_alive(process) and time.monotonic() < until:
            time.sleep(0.1)
        _signal(process, signal.SIGKILL)


def _signal(process: Group, number: signal.Signals) -> None:
    """Send a signal to a group, of which the first process may have ended before the others."""
    if _is_ours(process):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process[0], number)


def _is_ours(process: Group) -> bool:
    """Tell whether a number still means the group that we started."""
    number, since = process
    try:
        return bool(psutil.Process(number).create_time() == since)
    except psutil.Error:  # a number is not given again while its group is there
        return bool(psutil.boot_time() < since)


def _is_alive(process: Group) -> bool:
    """Tell whether the first process of a group runs; one that has ended is reaped."""
    with suppress(ChildProcessError):
        os.waitpid(process[0], os.WNOHANG)
    try:
        status = psutil.Process(process[0]).status()
    except psutil.Error:
        return False
    return _is_ours(process) and status != psutil.STATUS_ZOMBIE


def _free_port(wanted: int) -> int:
    """Return the first free port from ``wanted`` on."""
    for port in range(wanted, wanted + 1000):
        with socket.socket() as server, suppress(OSError):
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((HOST, port))
            return port
    raise SanError(f"no port from {wanted} to {wanted + 999} is free on {HOST}: stop a server")


def _environment(root: Path, prefect: str, mlflow: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        **os.environ,
        "PATH": path,
        "PREFECT_HOME": str(_folder(root) / "prefect"),
        "PREFECT_API_URL": f"{prefect}/api",
        "PREFECT_SERVER_UI_API_URL": f"{prefect}/api",
        "MLFLOW_TRACKING_URI": mlflow,
    }


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def _folder(root: Path) -> Path:
    return Paths(root.resolve()).scratch / "server"


def _note(root: Path) -> Path:
    return _folder(root) / "running.json"


def main(command: str) -> None:
    """Do what ``make server`` or ``make stop`` asks, and say it."""
    root = Path.cwd()
    if command == "stop":
        print("stopped" if stop(root) else "no server runs here")
        return
    servers = start(root)
    print(f"Prefect {servers.prefect}\nMLflow  {servers.mlflow}")
    print(f"logs in {_folder(root)}; for your own commands:")
    print(f"export PREFECT_API_URL={servers.prefect}/api MLFLOW_TRACKING_URI={servers.mlflow}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SanError as error:
        sys.exit(f"error: {error}")
