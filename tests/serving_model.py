"""An export folder for the server, and the server as a process."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import yaml
from small_models import MAX_BATCH, exported_model
from torch import nn

from sanmodel.export.classifier_file import write_classifier
from sanmodel.export.manifest import artifact
from sanmodel.files import write_json
from sanmodel.models.attribute_classifier import AttributeClassifier
from sanmodel.models.autoencoders import new_autoencoder
from sanmodel.prototypes import Prototypes
from sanmodel.runtime import read_manifest

SAN = Path(sys.executable).parent / "san"


def served_model(folder: Path, classifier: bool = True) -> Path:
    """Write an export folder with random weights; its classifier is certain of every face."""
    torch.manual_seed(1)
    prototypes = Prototypes(torch.rand(3, 224, 224), torch.rand(3, 224, 224), 0.3)
    made = exported_model(folder, new_autoencoder("skip"), prototypes)
    if classifier:
        one = AttributeClassifier().eval()
        nn.init.constant_(one.fc_2.bias, 3)
        path = made / "classifier.onnx"
        write_classifier(path, nn.ModuleList([one]), 22, MAX_BATCH, {})
        file = artifact(path, "classifier", "torch", (), MAX_BATCH)
        manifest = read_manifest(made)
        changed = manifest.model_copy(update={"files": (*manifest.files, file)})
        write_json(made / "manifest.json", changed.model_dump(mode="json"))
    return made


class Running:
    """A server that runs.

    Attributes:
        process: It.
        address: Where.
        port: Likewise.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address
        self.port = int(address.rpartition(":")[2])

    def wait_until_ready(self) -> None:
        """Wait until the model is loaded."""
        for _ in range(600):
            if self.status("/ready") == 200:
                return
            time.sleep(0.05)
        raise AssertionError("the server does not become ready")

    def status(self, path: str) -> int | None:
        """Return the status of a path; None if nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def stop(self) -> tuple[int, str]:
        """Ask it to stop; return its status and last words."""
        self.process.send_signal(signal.SIGTERM)
        told, _ = self.process.communicate(timeout=60)
        return self.process.returncode, told


def _command(
    folder: Path, scratch: Path, options: tuple[str | Path, ...], limits: dict[str, object]
) -> tuple[list[str], dict[str, str]]:
    """Return the command and its environment."""
    (scratch / "tmp").mkdir(parents=True, exist_ok=True)
    (scratch / "limits.yaml").write_text(yaml.safe_dump(limits))
    command = [SAN, "serve", "--model", folder, "--port", "0", *options]
    command += ["--limits", scratch / "limits.yaml"]
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder.parent / "cache"),
        "SAN_RUNTIME": "onnxruntime:fp32",
        "TMPDIR": str(scratch / "tmp"),
    }
    return list(map(str, command)), environment


@contextmanager
def running(
    folder: Path, scratch: Path, *options: str | Path, **limits: object
) -> Iterator[Running]:
    """Run ``san serve`` on a free port of loopback; it may write to ``scratch``."""
    command, environment = _command(folder, scratch, options, limits)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=scratch
    ) as process:
        try:
            assert process.stdout is not None
            one = Running(process, process.stdout.readline().strip())
            one.wait_until_ready()
            yield one
        finally:
            process.kill()


def failing(folder: Path, scratch: Path, *options: str | Path, **limits: object) -> str:
    """Run ``san serve`` where it cannot run; return its last words."""
    command, environment = _command(folder, scratch, options, limits)
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=scratch, timeout=60
    )
    assert done.returncode == 1
    return done.stderr
