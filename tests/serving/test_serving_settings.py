from pathlib import Path

import pytest

from sanmodel.errors import SanError
from sanmodel.serving.settings import ServeSettings, load_settings


def test_limits_come_from_a_file(tmp_path: Path):
    (tmp_path / "limits.yaml").write_text("max_faces: 3\ntimeout: 5\n")
    (tmp_path / "key").write_text("0123456789abcdef\n")
    settings = load_settings("127.0.0.1", 0, tmp_path / "key", tmp_path / "limits.yaml")
    assert (settings.max_faces, settings.timeout, settings.port) == (3, 5, 0)
    assert settings.api_key == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(settings)
    assert load_settings("127.0.0.1", 8080, None, None) == ServeSettings()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("max_face: 3", "max_face is not a known key, did you mean max_faces?"),
        ("max_faces: many", "max_faces: input should be a valid integer"),
        ("timeout: 0", "timeout: input should be greater than 0"),
        ("port: 80", "port is no limit: see `san serve --help`"),
        ("[1]", "is no list of settings: write lines such as max_faces: 10"),
    ],
)
def test_a_wrong_limit_is_named(limits: str, message: str, tmp_path: Path):
    (tmp_path / "limits.yaml").write_text(limits)
    with pytest.raises(SanError) as caught:
        load_settings("127.0.0.1", 0, None, tmp_path / "limits.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize("key", [b"short\n", b"\xff" * 20, None])
def test_a_key_is_long_and_can_be_read(key: bytes | None, tmp_path: Path):
    if key is not None:
        (tmp_path / "key").write_bytes(key)
    with pytest.raises(SanError, match="key"):
        load_settings("127.0.0.1", 0, tmp_path / "key", None)
