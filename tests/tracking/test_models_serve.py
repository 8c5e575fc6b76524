"""``mlflow models serve`` with the registered signature, over HTTP."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow_servers import free_port

from sanmodel.tracking import register, tracking_uri


@pytest.fixture
def address(project: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a server of the champion."""
    register(project)
    MlflowClient(tracking_uri(project)).set_registered_model_alias("san-young", "champion", "1")
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["--model-uri", "models:/san-young@champion", "--port", str(port)]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": tracking_uri(project)}
    with (tmp_path / "serve.log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/ping", process)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None
        try:
            urlopen(address, timeout=5).close()
        except URLError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


def invoke(address: str, content: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    request = Request(f"{address}/invocations", json.dumps(content).encode(), headers)
    with urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def test_faces_are_perturbed_over_http_and_wrong_input_is_refused(address: str) -> None:
    faces = {"image": np.full((2, 224, 224), 51).tolist(), "attribute": [1, 0]}
    found = np.array(invoke(address, {"inputs": faces})["predictions"])
    # The tiny graph's opposite output is |y - X|.
    assert found.shape == (2, 224, 224)
    assert found[:, 0, 0].tolist() == [204, 51]
    told = invoke(address, {"inputs": faces, "params": {"mode": "neutral"}})["predictions"]
    assert np.array(told)[:, 0, 0].tolist() == [26, 26]
    for wrong in (
        {"inputs": {"image": faces["image"]}},
        {"inputs": {**faces, "attribute": [1, 7]}},
        {"inputs": faces, "params": {"mode": "other"}},
    ):
        with pytest.raises(HTTPError) as caught:
            invoke(address, wrong)
        assert caught.value.code in (400, 500)
