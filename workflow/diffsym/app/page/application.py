"""The server of the page: its files, and answers to patterns that are sent to it."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse

from diffsym.app.page.guard import Guard
from diffsym.app.page.uploads import Upload, told
from diffsym.identification.answer import Evidence
from diffsym.identification.wavelengths import LONGEST, NAMES, SHORTEST
from diffsym.settings.measured.readers import PACKED, SUFFIXES

STATIC = Path(__file__).with_name("static")
FILES = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js", "/plot.js": "plot.js"}
LARGEST_FILE = 20_000_000
"""Bytes."""
MOST_FILES = 100
"""Files that the page holds at a time."""
AT_A_TIME = 1
"""Patterns that are answered at a time: one takes a core."""


def create_app(evidence: Evidence, source: str, top: int) -> FastAPI:
    """The application.

    Parameters
    ----------
    evidence
        What patterns are answered with.
    source
        What the page calls it.
    top
        So many groups, and so many structures.
    """
    # The pages that FastAPI adds by itself would load scripts of another server.
    app = FastAPI(title="diffsym", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard)
    limiter = CapacityLimiter(AT_A_TIME)
    for address, file in FILES.items():
        app.add_api_route(address, sender(STATIC / file), response_model=None)

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        return {
            "study": source,
            "structures": len(evidence.known.structure_ids),
            "version": version("diffsym"),
            "wavelengths": [name for anode in NAMES for name in (anode, f"{anode}1")],
            "wavelength_range": [SHORTEST, LONGEST],
            "suffixes": [*SUFFIXES, *PACKED],
            "largest_file": LARGEST_FILE,
            "most_files": MOST_FILES,
        }

    @app.post("/api/answer", response_model=None)
    async def answer(request: Request, name: str, wavelength: str = "") -> JSONResponse:
        content = await bounded_body(request, LARGEST_FILE)
        if content is None:
            reason = f"the file is larger than {LARGEST_FILE / 1e6:.0f} MB; give the pattern alone"
            return JSONResponse({"state": "refused", "reason": reason}, 413)
        upload = Upload(name, content, wavelength)
        return JSONResponse(
            await to_thread.run_sync(partial(told, upload, evidence, top), limiter=limiter)
        )

    return app


def sender(file: Path) -> Callable[[], FileResponse]:
    """A function that sends a file of the page; it takes nothing from the request."""

    def send() -> FileResponse:
        return FileResponse(file)

    return send


async def bounded_body(request: Request, most: int) -> bytes | None:
    """What a request sends; None, as soon as that is known, if it is more than `most` bytes."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most:
        return None
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            return None
    return bytes(content)
