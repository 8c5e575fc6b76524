"""The body of a request: one image, read into memory as far as the limit allows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from sanmodel.errors import SanError
from sanmodel.serving.refusals import RefusedError
from sanmodel.serving.settings import ServeSettings

TYPES = ("avif", "bmp", "gif", "jp2", "jpeg", "jpg", "png", "tiff", "webp")
"""Subtypes of ``image/`` that are taken; what the bytes are is looked at later."""

DRAINED = 4
"""Uploads of up to so many times the limit are read to their end, if only to be thrown away: a
browser shows no answer that comes while it still sends."""


class Upload:
    """The body of a request.

    Args:
        request: The request.
        settings: Limits.
    """

    def __init__(self, request: Request, settings: ServeSettings) -> None:
        self._headers, self._settings = request.headers, settings
        self._chunks = request.stream()

    def check_head(self) -> None:
        """Look at what the headers tell.

        Raises:
            RefusedError: If they tell of no image or of too much.
        """
        kind = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        family, _, subtype = kind.partition("/")
        if family != "image" or subtype not in TYPES:
            raise RefusedError(
                415,
                "the body is to be an image file: send it as it is, with its type, such as"
                " image/jpeg or image/png, as Content-Type",
            )
        if self._told_size() > self._settings.max_bytes:
            raise self._too_large()

    async def read(self) -> bytes:
        """Read all of it.

        Raises:
            RefusedError: If it is larger than allowed; no more than that is kept.
        """
        content = bytearray()
        async for chunk in self._chunks:
            content += chunk
            if len(content) > self._settings.max_bytes:
                raise self._too_large()
        return bytes(content)

    @asynccontextmanager
    async def drained_if_refused(self) -> AsyncIterator[None]:
        """Throw away the rest of a body whose request is refused in the block."""
        try:
            yield
        except SanError:
            await self._drain()
            raise

    async def _drain(self) -> None:
        limit = DRAINED * self._settings.max_bytes
        if self._told_size() > limit:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.timeout):
                async for chunk in self._chunks:
                    limit -= len(chunk)
                    if limit < 0:
                        return

    def _told_size(self) -> int:
        told = self._headers.get("content-length", "")
        return int(told) if told.isdecimal() else 0

    def _too_large(self) -> RefusedError:
        limit = self._settings.max_bytes / 1_000_000
        return RefusedError(413, f"the upload is larger than {limit:g} MB: shrink the photo first")
