"""Workers of this machine, and of a cluster that somebody else started."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import Client, Security
from shard_work import blas_threads, listening, square

from sanmodel.errors import SanError
from sanmodel.parallel.cluster import SCHEDULER, connected
from sanmodel.parallel.shards import run_tasks


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two local worker processes."""
    with connected(2, tasks=10) as client:
        yield client


def addresses(client: Client) -> list[str]:
    workers = client.scheduler_info()["workers"]
    return [client.scheduler.address, *workers]


def test_local_workers_are_processes_with_one_thread_each(client: Client):
    assert sorted(client.nthreads().values()) == [1, 1]
    done = dict(run_tasks(client, blas_threads, range(4)))
    assert set.union(*done.values()) == {1}


def test_only_this_process_can_talk_to_local_workers(client: Client):
    for address in addresses(client):
        assert address.startswith("tls://127.0.0.1:")
    address = client.scheduler.address
    for other, security in (("tcp", None), ("tls", Security.temporary())):
        with pytest.raises(OSError, match=r"reset|certificate|Timed out"):
            Client(address.replace("tls", other), security=security, timeout="2s")
    hosts = [host for _, found in run_tasks(client, listening, range(4)) for host in found]
    assert hosts
    assert set(hosts) == {"127.0.0.1"}


def test_there_is_no_dashboard(client: Client):
    own = psutil.Process().net_connections("inet")
    ports = {each.laddr.port for each in own if each.status == psutil.CONN_LISTEN}
    assert 8787 not in ports
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(client.dashboard_link, timeout=5)


def test_one_worker_needs_no_process():
    with connected(1, tasks=10) as client:
        assert [address.split(":")[0] for address in addresses(client)] == ["inproc", "inproc"]
        assert sorted(run_tasks(client, square, range(3))) == [(0, 0), (1, 1), (2, 4)]


def test_no_more_workers_than_tasks():
    with connected(8, tasks=1) as client:
        assert len(client.nthreads()) == 1


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A user's cluster: a scheduler and a worker, started with Dask's own commands."""
    file = tmp_path / "scheduler.json"
    common = ["--no-dashboard", "--host", "127.0.0.1"]
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", *common, "--port", "0"]
    join = [sys.executable, "-m", "distributed.cli.dask_worker", *common, "--nthreads", "1"]
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    quiet = {"env": path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen([*start, "--scheduler-file", str(file)], **quiet),
        subprocess.Popen([*join, "--scheduler-file", str(file)], **quiet),
    ]
    try:
        with Client(scheduler_file=str(file), timeout="60s") as client:
            client.wait_for_workers(1, timeout=60)
            address = str(client.scheduler.address)
        monkeypatch.setenv(SCHEDULER, address)
        yield address
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def test_the_environment_names_a_cluster(scheduler: str):
    with connected(8, tasks=10) as client:
        assert client.scheduler.address == scheduler
        assert dict(run_tasks(client, square, [3, 4])) == {3: 9, 4: 16}


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:9")
    monkeypatch.setattr("sanmodel.parallel.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(SanError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9: start it"):
        with connected(2, tasks=2):
            pass
    monkeypatch.setenv(SCHEDULER, "ten")
    with pytest.raises(SanError, match="no Dask scheduler answers at ten"):
        with connected(2, tasks=2):
            pass
