"""A real HTTP server on loopback that misbehaves on demand, and a stand-in for Google Drive."""

import datetime
import ipaddress
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

QUOTA_PAGE = b"<!DOCTYPE html><html><title>Quota exceeded</title></html>"


@dataclass
class Files:
    """What the server gives out, and what it heard.

    Attributes:
        content: Bytes by path (HTTP) or by id (Google Drive).
        cuts: For a path, after how many bytes each of the next answers is cut off.
        statuses: For a path, the status of each of the next answers.
        kinds: For a path, its content type.
        ranges: Whether ranges are understood.
        shift: How many bytes behind the one that was asked for a range begins.
        delay: Seconds before each answer.
        quota: Ids that Google Drive does not give out.
        asked: Path and range of every request.
    """

    content: dict[str, bytes] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    shift: int = 0
    delay: float = 0
    quota: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    files: Files

    def do_GET(self) -> None:
        self.close_connection = True
        path = urlsplit(self.path).path
        self.files.asked.append((path, self.headers.get("Range", "")))
        time.sleep(self.files.delay)
        statuses = self.files.statuses.get(path)
        if statuses:
            self.send_error(statuses.pop(0))
        elif path not in self.files.content:
            self.send_error(404)
        else:
            self.give(path, {})

    def give(self, name: str, headers: dict[str, str]) -> None:
        content, start = self.files.content[name], 0
        told = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if told and self.files.ranges:
            start = int(told[1]) + self.files.shift
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", self.files.kinds.get(name, "application/octet-stream"))
        self.send_header("Content-Length", str(len(content) - start))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        cuts = self.files.cuts.get(name)
        self.wfile.write(content[start : start + cuts.pop(0)] if cuts else content[start:])

    def log_message(self, *args: object) -> None:
        pass


class DriveHandler(Handler):
    """Is the proxy that a client asks for https://drive.google.com, and answers in its name."""

    certificate: ssl.SSLContext

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        with self.certificate.wrap_socket(self.connection, server_side=True) as secure:
            type(self)(secure, self.client_address, self.server)
        self.close_connection = True

    def do_GET(self) -> None:
        self.close_connection = True
        address = urlsplit(self.path)
        drive_id = parse_qs(address.query)["id"][0]
        self.files.asked.append((drive_id, self.headers.get("Range", "")))
        if drive_id in self.files.quota:
            text = "Too many users have viewed or downloaded this file recently."
            self.page(f'<html><p class="uc-error-subcaption">{text}</p></html>')
        elif drive_id not in self.files.content:
            self.page("<html>Not found</html>", 404)
        elif address.path == "/uc":  # a large file: "cannot be scanned for viruses, go on?"
            self.page(
                '<form id="download-form" action="https://drive.usercontent.google.com/download">'
                f'<input type="hidden" name="id" value="{drive_id}">'
                '<input type="hidden" name="confirm" value="t"></form>'
            )
        else:
            self.give(drive_id, {"Content-Disposition": 'attachment; filename="file"'})

    def page(self, text: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


class Server(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def serving(files: Files, kind: type[Handler] = Handler, **attributes: object) -> Iterator[str]:
    """Serve on a free port of loopback; yield the base URL."""
    handler = type("Bound", (kind,), {"files": files, **attributes})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for Google Drive that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    hosts = ("drive.google.com", "drive.usercontent.google.com", "docs.google.com")
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / "ca.pem", folder / "server.pem"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both.write_bytes(private + public.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, public
