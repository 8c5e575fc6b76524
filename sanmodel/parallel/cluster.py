"""Workers: processes of this machine, or of the cluster that the environment names."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

from sanmodel.errors import SanError

SCHEDULER = "DASK_SCHEDULER_ADDRESS"
"""Environment variable with the address of a scheduler, for example ``tcp://10.0.0.5:8786``."""

CONNECT_SECONDS = 30


@contextmanager
def connected(workers: int | None, tasks: int) -> Iterator[Client]:
    """Yield a client of the cluster that ``DASK_SCHEDULER_ADDRESS`` names, or of local workers.

    Args:
        workers: Local workers; null takes one per CPU that this process may use.
        tasks: Pieces of work; more workers than that are not started.

    Raises:
        SanError: If no scheduler answers at the address.
    """
    address = os.environ.get(SCHEDULER)
    if address:
        with _client_of(address) as client:
            yield client
        return
    count = max(min(workers or CPU_COUNT, tasks), 1)
    with ExitStack() as stack:
        with _interrupts_held_back():
            stack.enter_context(dask.config.set(_LOCAL))
            client = stack.enter_context(Client(stack.enter_context(_local_cluster(count))))
        yield client


_LOCAL: dict[str, object] = {
    # No pages: the HTTP servers of scheduler and workers stay on loopback and serve nothing.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Dask's own choice here also makes malloc give memory back at once (MALLOC_TRIM_THRESHOLD_).
    # A detector that works on megabytes, photo after photo, then waits a third of its time for
    # the system to bring them back.
    "distributed.nanny.pre-spawn-environ": {
        name: 1 for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    },
    # The profile of the last hour, for a dashboard that is not there, would take 0.3 GB.
    "distributed.worker.profile.enabled": False,
}


def _local_cluster(workers: int) -> LocalCluster:
    """Start workers that only this process can talk to; a single one lives in this process."""
    own_process = workers > 1
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=own_process,
        host="127.0.0.1" if own_process else None,
        protocol="tls://" if own_process else "inproc://",
        # Whoever may talk to a worker may run code in it: others on this machine may not.
        security=True if own_process else None,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        worker_dashboard_address="127.0.0.1:0",
        # A failing task raises here, where it is explained.
        silence_logs=logging.CRITICAL + 1,
        # Workers hold no data; a limit would kill them while they decode a large photo.
        memory_limit=0,
    )


def _client_of(address: str) -> Client:
    try:
        return Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise SanError(
            f"no Dask scheduler answers at {address}: start it, or unset {SCHEDULER} to work with"
            " local processes"
        ) from error


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Keep Ctrl-C from this thread for the block, and for good from what is started in it.

    A terminal sends it to all processes. Dask's threads, and with them all workers that they ever
    start, inherit that it is held back; this process ends them.
    """
    resource_tracker.ensure_running()  # its start, else with the first worker, lets Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
