"""The real server, asked over HTTP."""

import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from serving_model import Running, failing, running
from small import PROJECT

PHOTOS = sorted((PROJECT / "data/sample/photos").glob("*.jpg"))[:3]
PHOTO = PHOTOS[0].read_bytes()
JPEG = {"Content-Type": "image/jpeg"}
KEY = "0123456789abcdef0123"


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=60) as one:
        yield one


def send(
    client: httpx.Client,
    content: bytes = PHOTO,
    path: str = "/perturb",
    kind: str = "image/jpeg",
    **query: str,
) -> httpx.Response:
    return client.post(path, content=content, headers={"Content-Type": kind}, params=query)


def pixels(answer: httpx.Response) -> NDArray[np.int16]:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content))).astype(np.int16)


def as_png(picture: Image.Image, **about: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", **about)
    return buffer.getvalue()


def refusal(answer: httpx.Response, status: int) -> str:
    """Return the sentence of a refused request."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    (sentence,) = answer.json().values()
    assert ": " in sentence
    assert "\n" not in sentence
    return sentence


@contextmanager
def half_sent(port: int) -> Iterator[socket.socket]:
    """Begin to send a photo."""
    head = "POST /perturb HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: {len(PHOTO)}\r\n\r\n".encode() + PHOTO[:100])
        time.sleep(0.3)
        yield connection


def rest(connection: socket.socket) -> bytes:
    """Send the rest and return the first line of the answer."""
    connection.sendall(PHOTO[100:])
    return connection.makefile("rb").readline()


def test_a_photo_comes_back_perturbed(client: httpx.Client):
    before = np.asarray(Image.open(io.BytesIO(PHOTO))).astype(np.int16)
    answer = send(client, format="png")
    after = pixels(answer)
    assert answer.headers["content-type"] == "image/png"
    assert after.shape == before.shape
    assert (after != before).any()
    assert (after[:5] == before[:5]).all()  # outside of the face nothing moves
    assert answer.headers["x-faces"] == "1"
    assert answer.headers["x-faces-skipped"] == answer.headers["x-faces-uncertain"] == "0"
    assert answer.headers["cache-control"] == "no-store"


def test_modes_classes_outputs_and_formats(client: httpx.Client):
    opposite = pixels(send(client, format="png"))
    assert (pixels(send(client, mode="1", format="png")) == opposite).all()
    assert (pixels(send(client, attribute="male", format="png")) == opposite).all()
    assert (pixels(send(client, attribute="yes", format="png")) == opposite).all()
    for query in ({"mode": "same"}, {"mode": "neutral"}, {"attribute": "female"}):
        assert (pixels(send(client, format="png", **query)) != opposite).any()
    crops = send(client, output="crops")
    assert crops.headers["content-type"] == "image/jpeg"
    assert pixels(crops).shape == (224, 224)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_other_formats_are_taken(kind: str, client: httpx.Client):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(PHOTO)).save(buffer, kind)
    answer = send(client, buffer.getvalue(), kind=f"image/{kind.lower()}")
    assert pixels(answer).shape == (320, 320, 3)


def test_metadata_are_dropped_and_the_photo_stands_upright(client: httpx.Client):
    turned = Image.open(io.BytesIO(PHOTO)).resize((320, 240)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a secret place"
    buffer = io.BytesIO()
    turned.save(buffer, "JPEG", exif=exif, quality=95)
    assert b"a secret place" in buffer.getvalue()
    for name in ("jpeg", "png"):
        answer = send(client, buffer.getvalue(), format=name)
        image = Image.open(io.BytesIO(answer.content))
        assert image.size == (320, 240)
        assert b"a secret place" not in answer.content
        assert not image.getexif()


def test_a_photo_is_tried_in_every_mode(client: httpx.Client):
    told = send(client, path="/try").json()
    assert (told["width"], told["height"], told["attribute"]) == (320, 320, "Male")
    assert list(told["images"]) == ["original", "same", "neutral", "opposite"]
    assert len(set(told["images"].values())) == 4
    assert all(url.startswith("data:image/jpeg;base64,/9j/") for url in told["images"].values())
    (face,) = told["faces"]
    left, top, right, bottom = face["box"]
    assert 0 < left < right < 320
    assert 0 < top < bottom < 320
    assert face["class"] == "male"
    assert 0.9 < face["confidence"] < 1
    assert face["modes"]["original"]["distance"] == 0
    for figures in face["modes"].values():
        assert 0.9 < figures["probability"] < 1
        assert 0 <= figures["distance"] < 0.6
    assert told["note"] == ""


def test_what_cannot_be_had_is_left_out_with_a_note(unread: Path, tmp_path: Path):
    with running(unread, tmp_path, match=False, detector="dlib") as one:
        with httpx.Client(base_url=one.address, timeout=60) as client:
            told = send(client, path="/try", attribute="female").json()
            assert told["faces"][0]["confidence"] is None
            assert told["faces"][0]["modes"]["opposite"] == {}
            assert "without a classifier" in told["note"]
            assert "match distances are left out" in told["note"]
            assert "say it with attribute=" in refusal(send(client), 422)
            assert "say it with attribute=" in refusal(send(client, path="/try"), 422)
            assert send(client, attribute="male").status_code == 200


def test_a_class_that_is_not_certain_gets_the_neutral_prototype(served: Path, tmp_path: Path):
    with running(served, tmp_path, least_confidence=1.0, detector="dlib") as one:
        with httpx.Client(base_url=one.address, timeout=60) as client:
            answer = send(client, format="png")
            assert answer.headers["x-faces-uncertain"] == "1"
            assert (pixels(answer) == pixels(send(client, mode="neutral", format="png"))).all()
            told = send(client, path="/try").json()
            assert told["images"]["opposite"] == told["images"]["neutral"]
            assert "not certain" in told["note"]


@pytest.mark.parametrize("path", ["/perturb", "/try"])
@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (PHOTO, "text/plain", 415, "send it as it is"),
        (PHOTO, "multipart/form-data; boundary=a", 415, "send it as it is"),
        (PHOTO, "", 415, "send it as it is"),
        (b"", "image/png", 422, "is an empty file"),
        (b"no image at all", "image/png", 422, "is not an image"),
        (PHOTO[: len(PHOTO) // 2], "image/jpeg", 422, "damaged or cut short"),
        (as_png(Image.new("RGB", (400, 300))), "image/png", 422, "no face was found"),
        (as_png(Image.new("RGB", (400, 20))), "image/png", 422, "is too small"),
        (as_png(Image.new("L", (6000, 5000))), "image/png", 413, "larger than 25 megapixels"),
    ],
)
def test_what_is_no_photo_of_a_face_is_refused(
    path: str, content: bytes, kind: str, status: int, words: str, client: httpx.Client
):
    assert words in refusal(send(client, content, path, kind), status)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"mode": "sideways"}, "there is no mode 'sideways': choose one of same"),
        ({"mode": "1.5"}, "there is no mode '1.5'"),
        ({"mode": "nan"}, "there is no mode 'nan'"),
        ({"attribute": "tall"}, "'tall' is no class of Male: choose one of auto, female, male"),
        ({"output": "video"}, "there is no output 'video': choose photo or crops"),
        ({"format": "gif"}, "there is no format 'gif': choose jpeg or png"),
    ],
)
def test_an_unknown_word_is_refused(query: dict[str, str], words: str, client: httpx.Client):
    assert words in refusal(send(client, **query), 422)


@pytest.fixture(scope="module")
def strict(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server with narrow limits; one place for requests."""
    limits = {"max_bytes": 100_000, "max_faces": 1, "max_waiting": 1, "min_face": 60}
    scratch = tmp_path_factory.mktemp("strict")
    with running(served, scratch, detector="dlib", **limits) as one:
        with httpx.Client(base_url=one.address, timeout=60) as client:
            yield client


def test_an_upload_that_is_too_large_is_refused(strict: httpx.Client):
    words = "larger than 0.1 MB: shrink"
    assert words in refusal(send(strict, b"a" * 100_001), 413)
    assert words in refusal(send(strict, b"a" * 5_000_000), 413)
    streamed = strict.post("/perturb", content=iter([b"a" * 60_000] * 2), headers=JPEG)
    assert words in refusal(streamed, 413)


def test_the_number_and_size_of_faces_are_limited(strict: httpx.Client):
    one = Image.open(io.BytesIO(PHOTO))
    two = Image.new("RGB", (640, 320))
    two.paste(one, (0, 0))
    two.paste(one, (320, 0))
    assert "has 2 faces" in refusal(send(strict, as_jpeg(two)), 422)
    small = one.resize((100, 100))
    assert "narrower than 60 pixels" in refusal(send(strict, as_jpeg(small)), 422)
    two.paste("black", (320, 0, 640, 320))
    two.paste(small, (400, 100))
    answer = send(strict, as_jpeg(two))
    assert (answer.headers["x-faces"], answer.headers["x-faces-skipped"]) == ("1", "1")


def as_jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def test_one_request_too_many_is_turned_away(strict: httpx.Client):
    with half_sent(strict.base_url.port or 0) as connection:
        answer = send(strict)
        assert "too many requests are waiting" in refusal(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
        assert b"200 OK" in rest(connection)
    assert send(strict).status_code == 200


def test_a_request_that_takes_too_long_is_given_up(served: Path, tmp_path: Path):
    with running(served, tmp_path, timeout=0.001, detector="dlib") as one:
        with httpx.Client(base_url=one.address) as client:
            assert "longer than 0.001 seconds" in refusal(send(client), 504)
            assert "longer than 0.001 seconds" in refusal(send(client, path="/try"), 504)


def test_a_key_is_asked_for(served: Path, tmp_path: Path):
    (tmp_path / "key").write_text(KEY + "\n")
    with running(served, tmp_path, "--api-key-file", tmp_path / "key", detector="dlib") as one:
        with httpx.Client(base_url=one.address) as client:
            for given in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": KEY + "0"}):
                for path in ("/perturb", "/try"):
                    answer = client.post(path, content=PHOTO, headers={**JPEG, **given})
                    assert "send it as X-API-Key" in refusal(answer, 401)
                assert "send it" in refusal(client.get("/metrics", headers=given), 401)
            for path in ("/", "/page.js", "/health", "/ready", "/about"):
                assert client.get(path).status_code == 200
            client.headers["X-API-Key"] = KEY
            assert send(client).status_code == 200
            assert client.get("/metrics").status_code == 200


def test_many_clients_at_once_get_what_one_gets(served: Path, tmp_path: Path):
    contents = [photo.read_bytes() for photo in PHOTOS]
    # The model waits long enough for faces of other requests, however busy the machine is.
    with running(served, tmp_path, detector="dlib", gather=0.3) as one:
        with httpx.Client(base_url=one.address, timeout=60) as client:
            alone = [pixels(send(client, content, format="png")) for content in contents]
            with ThreadPoolExecutor(8) as pool:
                turns = list(range(len(contents))) * 6
                together = pool.map(
                    lambda turn: pixels(send(client, contents[turn], format="png")), turns
                )
                for turn, picture in zip(turns, together, strict=True):
                    # A runtime may sum in another order in a batch: one grey level at most.
                    assert np.abs(picture - alone[turn]).max() <= 1
            batches = client.get("/metrics").text
    count, crops = (
        float(next(line for line in batches.splitlines() if line.startswith(name)).split()[1])
        for name in ("san_batch_crops_count", "san_batch_crops_sum")
    )
    assert crops > count  # some were worked on together


def test_figures_are_counted(server: Running, client: httpx.Client):
    send(client)
    send(client, b"nothing")
    client.get("/made-up/../path")
    text = client.get("/metrics").text
    assert server.status("/health") == server.status("/ready") == 200
    for line in (
        'san_requests_total{path="/perturb",status="200"}',
        'san_requests_total{path="/perturb",status="422"}',
        'san_requests_total{path="other",status="404"}',
        'san_request_seconds_bucket{le="0.5",path="/perturb"}',
        "san_faces_total",
        "san_batch_crops_bucket",
        "san_queue_requests 0.0",
        "san_requests_in_work 0.0",
    ):
        assert line in text


def test_the_page_may_load_nothing_from_elsewhere(client: httpx.Client):
    for path in ("/", "/page.js", "/page.css"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; img-src 'self' data: blob:;")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "https://" not in answer.text
    assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404


def test_nothing_that_is_uploaded_is_written_or_logged(
    served: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    with running(served, tmp_path, detector="dlib") as one:
        before = sorted(tmp_path.rglob("*"))
        with httpx.Client(base_url=one.address, timeout=60) as client:
            large = Image.open(io.BytesIO(PHOTO)).resize((1600, 1600))
            assert send(client, as_png(large)).status_code == 200
            assert send(client, PHOTO, "/try").status_code == 200
            assert send(client, PHOTO[:9000]).status_code == 422
        assert sorted(tmp_path.rglob("*")) == before
        assert one.stop() == (0, "stopped: 3 photos taken, 3 answered\n")
    assert capfd.readouterr() == ("", "")


def test_a_stop_waits_for_the_request_in_work(served: Path, tmp_path: Path):
    with running(served, tmp_path, detector="dlib") as one:
        with half_sent(one.port) as connection:
            one.process.terminate()
            while one.status("/health") is not None:
                time.sleep(0.02)
            assert b"200 OK" in rest(connection)
        told, _ = one.process.communicate(timeout=60)
        assert (one.process.returncode, told) == (0, "stopped: 1 photos taken, 1 answered\n")


def test_a_client_that_goes_away_does_no_harm(
    served: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    with running(served, tmp_path, detector="dlib") as one:
        with half_sent(one.port):
            pass
        with httpx.Client(base_url=one.address, timeout=60) as client:
            assert send(client).status_code == 200
        expected = "stopped: 2 photos taken, 1 answered, 1 left by their clients\n"
        assert one.stop() == (0, expected)
    assert capfd.readouterr().err == ""


def test_a_model_that_cannot_be_loaded_stops_the_server(served: Path, tmp_path: Path):
    error = failing(served, tmp_path, detector="eyes")
    assert error.startswith("error: there is no face detector 'eyes': choose one of ")
    assert "holds no exported model: give an export folder" in failing(tmp_path, tmp_path)


def test_a_port_that_is_taken_is_named(server: Running, served: Path, tmp_path: Path):
    error = failing(served, tmp_path, "--port", str(server.port))
    place = f"port {server.port} of 127.0.0.1"
    assert error.startswith(f"error: {place} cannot be used (Address already in use): choose")
    assert "cannot be used" in failing(served, tmp_path, "--host", "no.such.host.invalid")
