"""What the tests of shards let workers do; these import it by name."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import psutil
from distributed import get_worker
from threadpoolctl import threadpool_info

from sanmodel.errors import SanError
from sanmodel.parallel.shards import Shard
from sanmodel.tables import iterate_group


def list_ids(shard: Shard, path: Path) -> None:
    rows = (row for group in shard.groups for row in iterate_group(group, ["image_id"]))
    path.write_text(" ".join(row["image_id"] for row in rows))


def list_ids_slowly(shard: Shard, path: Path) -> None:
    time.sleep(0.3)
    list_ids(shard, path)


def fail_halfway(shard: Shard, path: Path) -> None:
    path.write_text("half")
    raise SanError(f"cannot do {shard}")


def fill_the_disk(shard: Shard, path: Path) -> None:
    raise OSError(28, "No space left on device")


def square(number: int) -> int:
    return number * number


def end_the_worker_once(marker: Path) -> int:
    """Kill the process at the first try; say which process does it at the second."""
    if not marker.exists():
        marker.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def end_the_worker(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def blas_threads(_: int) -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info()}


def listening(_: int) -> list[str]:
    """Hosts on which this worker listens."""
    get_worker()
    connections = psutil.Process().net_connections("inet")
    return [each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN]
