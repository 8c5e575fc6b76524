"""What the server lets in, and how much of it at a time."""

import os
from pathlib import Path

from pydantic import Field

from sanmodel.errors import SanError
from sanmodel.settings import Section
from sanmodel.strict import parse, read_yaml

TOLD_ELSEWHERE = {"host", "port", "api_key"}
"""Settings that are options of the command and not of the file of limits."""

LEAST_KEY = 16
"""Characters of the shortest API key: a shorter one can be guessed."""


class ServeSettings(Section):
    """Limits of the server; an unknown key is an error.

    Attributes:
        host: Address to listen at; the default can be reached from this machine alone.
        port: Port to listen at; 0 takes a free one.
        max_bytes: Largest upload.
        max_pixels: Largest photo.
        max_faces: Most faces of a photo.
        min_face: Width in pixels of the smallest face that is perturbed; smaller ones stay as they
            are and are counted.
        least_confidence: Probability of a face's class below which it gets the neutral prototype
            at most.
        timeout: Seconds after which a request is given up.
        max_waiting: Requests in work or waiting; one more is turned away.
        max_batch: Most crops that the model is given at a time.
        gather: Seconds for which the model waits for more crops.
        workers: Threads that decode photos and find faces.
        detector: Name of the face detector; None takes the default one.
        match: Whether ``/try`` compares faces with a matcher, where one is installed.
        api_key: What clients must send as ``X-API-Key``; None asks for none.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    max_bytes: int = Field(default=20_000_000, ge=1)
    max_pixels: int = Field(default=25_000_000, ge=1)
    max_faces: int = Field(default=20, ge=1)
    min_face: float = Field(default=32, ge=1)
    least_confidence: float = Field(default=0.8, ge=0.5, le=1)
    timeout: float = Field(default=30, gt=0)
    max_waiting: int = Field(default=64, ge=1)
    max_batch: int = Field(default=16, ge=1)
    gather: float = Field(default=0.005, ge=0, le=1)
    workers: int = Field(default=os.cpu_count() or 1, ge=1)
    detector: str | None = None
    match: bool = True
    api_key: str | None = Field(default=None, min_length=LEAST_KEY, repr=False)


def load_settings(
    host: str, port: int, api_key_file: Path | None, limits: Path | None
) -> ServeSettings:
    """Gather the settings.

    Args:
        host: Address to listen at.
        port: Port to listen at.
        api_key_file: File of the API key; None asks clients for none.
        limits: YAML file of any other setting.

    Raises:
        SanError: If a file cannot be read, or a setting is unknown or out of its range.
    """
    told = read_yaml(limits) if limits else {}
    if not isinstance(told, dict):
        raise SanError(f"{limits} is no list of settings: write lines such as max_faces: 10")
    for name in TOLD_ELSEWHERE & set(told):
        raise SanError(f"{limits}: {name} is no limit: see `san serve --help`")
    key = read_api_key(api_key_file) if api_key_file else None
    given = {"host": host, "port": port, "api_key": key}
    return parse(ServeSettings, {**told, **given}, str(limits or "san serve"))


def read_api_key(path: Path) -> str:
    """Read the API key from a file, without the white space around it.

    Raises:
        SanError: If the file cannot be read, or the key is short or not of ASCII characters.
    """
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SanError(
            f"{path} cannot be read as an API key: write one line of ASCII characters to it"
        ) from error
    if len(key) < LEAST_KEY:
        raise SanError(
            f"the API key in {path} has fewer than {LEAST_KEY} characters: make one with"
            " `openssl rand -hex 32`"
        )
    return key
