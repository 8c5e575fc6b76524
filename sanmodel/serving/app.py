"""The routes of the server."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import ClientDisconnect

from sanmodel.errors import SanError
from sanmodel.photos.deciding import label_of, mode_of, words_for
from sanmodel.photos.perturbing import put_back
from sanmodel.serving.face_work import Granted, Wish
from sanmodel.serving.finding import Found
from sanmodel.serving.middleware import LEFT, Around
from sanmodel.serving.pictures import FORMATS, encoded, side_by_side
from sanmodel.serving.refusals import RefusedError, refusal_of
from sanmodel.serving.service import Service
from sanmodel.serving.settings import ServeSettings
from sanmodel.serving.trying import answer, tried, wishes_for
from sanmodel.serving.uploads import Upload

PAGE = Path(__file__).parent / "page"
OUTPUTS = ("photo", "crops")

router = APIRouter()


def create_app(settings: ServeSettings, folder: Path) -> FastAPI:
    """Make the application; the model is loaded when it starts.

    Args:
        settings: Limits.
        folder: Export folder of the model.

    Raises:
        SanError: If the folder is no export folder.
    """
    service = Service(settings, folder)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    # FastAPI's own pages of documentation would load scripts from elsewhere.
    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.service = service
    app.add_middleware(Around, measures=service.measures)
    app.add_exception_handler(SanError, _refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _broken)
    app.include_router(router)
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(_service)]


@dataclass(frozen=True)
class Wanted:
    """What a client wants of a photo.

    Attributes:
        mode: Place of the prototype, 0 to 1.
        told: Class of its faces; None if it is to be read.
        output: One of ``OUTPUTS``.
        kind: One of ``FORMATS``.
    """

    mode: float
    told: int | None
    output: str
    kind: str


def wanted(mode: str, attribute: str, output: str, kind: str, hidden: str) -> Wanted:
    """Read the words of a query.

    Args:
        mode: A mode's name or a number.
        attribute: Class of the faces, or "auto".
        output: One of ``OUTPUTS``.
        kind: One of ``FORMATS``.
        hidden: The attribute that the model hides.

    Raises:
        SanError: If one of them is none that is known.
    """
    for name, word, known in (("output", output, OUTPUTS), ("format", kind, FORMATS)):
        if word not in known:
            raise RefusedError(422, f"there is no {name} {word!r}: choose {' or '.join(known)}")
    return Wanted(mode_of(mode), label_of(attribute, hidden), output, kind)


@router.post("/perturb")
async def perturb(
    request: Request,
    service: Served,
    mode: str = "opposite",
    attribute: str = "auto",
    output: str = "photo",
    format: str = "jpeg",
) -> Response:
    """Hide the attribute of all faces of a photo."""
    async with _admitted(request, service) as upload:
        wish = wanted(mode, attribute, output, format, service.attribute)
        content = await upload.read()
        async with service.found(content) as found:
            wishes = [Wish(face, wish.told, wish.mode) for face in found.faces]
            granted = await service.grant(wishes)
            picture = await service.in_pool(lambda: _picture(found, granted, wish))
        service.measures.faces(len(granted), found.skipped)
        headers = _headers(found, granted, wish)
    return Response(picture, media_type=f"image/{wish.kind}", headers=headers)


@router.post("/try")
async def try_modes(request: Request, service: Served, attribute: str = "auto") -> JSONResponse:
    """Show a photo in every mode, with what classifier and matcher say."""
    async with _admitted(request, service) as upload:
        told = label_of(attribute, service.attribute)
        content = await upload.read()
        async with service.found(content) as found:
            one = tried(found, await service.grant(wishes_for(found, told)))
            shown = await service.in_pool(lambda: answer(one, service.attribute, service.matching))
        service.measures.faces(len(one.granted), found.skipped)
    return JSONResponse(shown)


@router.get("/about")
async def about(service: Served) -> dict[str, Any]:
    """Tell what the page needs to know."""
    return {
        "attribute": service.attribute,
        "words": words_for(service.attribute),
        "reads": service.reads,
        "asks_for_key": service.settings.api_key is not None,
        "max_bytes": service.settings.max_bytes,
    }


@router.get("/health")
async def health() -> dict[str, str]:
    """Say that the server lives."""
    return {"status": "alive"}


@router.get("/ready")
async def ready(service: Served) -> JSONResponse:
    """Say whether the model is loaded."""
    if service.ready:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "loading"}, 503, {"Retry-After": "5"})


@router.get("/metrics")
async def metrics(request: Request, service: Served) -> Response:
    """Return figures for Prometheus."""
    _check_key(request, service.settings)
    return Response(service.measures.text(), media_type=CONTENT_TYPE_LATEST)


@asynccontextmanager
async def _admitted(request: Request, service: Service) -> AsyncIterator[Upload]:
    """Let a request in, or refuse it."""
    upload = Upload(request, service.settings)
    async with upload.drained_if_refused():
        _check_key(request, service.settings)
        upload.check_head()
        async with service.admitted():
            yield upload


def _check_key(request: Request, settings: ServeSettings) -> None:
    if settings.api_key is None:
        return
    given = request.headers.get("x-api-key", "")
    if not hmac.compare_digest(given.encode(), settings.api_key.encode()):
        raise RefusedError(401, "the API key is missing or wrong: send it as X-API-Key")


def _picture(found: Found, granted: list[Granted], wish: Wanted) -> bytes:
    faces = [one.face for one in granted]
    if wish.output == "crops":
        return encoded(side_by_side([face.perturbed for face in faces]), wish.kind)
    return encoded(put_back(found.photo, faces), wish.kind)


def _headers(found: Found, granted: list[Granted], wish: Wanted) -> dict[str, str]:
    decisions = [one.face.decision for one in granted]
    return {
        "X-Faces": str(len(granted)),
        "X-Faces-Skipped": str(found.skipped),
        "X-Faces-Uncertain": str(sum(decision.mode < wish.mode for decision in decisions)),
    }


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, SanError)
    refusal = refusal_of(error)
    after = refusal.retry_after
    headers = {} if after is None else {"Retry-After": str(after)}
    return JSONResponse({"detail": str(refusal)}, refusal.status, headers)


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=LEFT)  # nobody reads it


async def _broken(_: Request, error: Exception) -> Response:
    detail = "something failed in the server: try again, and tell whoever runs it"
    return JSONResponse({"detail": detail}, 500)
