"""The application of one worker: its routes, its middleware, and what it says of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from mobilebench.machine.host import version
from mobilebench.server import problems
from mobilebench.server.limits import PlainBodies
from mobilebench.server.log import Requests
from mobilebench.server.routes import (
    artifacts,
    devices,
    enrolment,
    health,
    jobs,
    pages,
    records,
    tokens,
)
from mobilebench.server.service import Service
from mobilebench.server.settings import Settings

_ROUTERS = (records, jobs, artifacts, enrolment, devices, tokens, health, pages)
_PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that says what to mend."},
        "code": {"enum": sorted(problems.CODES)},
    },
}


def create() -> FastAPI:
    """Make the application of the settings in the environment."""
    return create_with(Settings.of_environment())


def create_with(settings: Settings) -> FastAPI:
    """Make the application. Raises `UserError` where the store cannot be used."""
    service = Service(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="mobilebench",
        version=version(),
        description="Records in, jobs out; docs/server.md says what clients can rely on.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        redirect_slashes=False,
    )
    app.state.service = service
    problems.install(app)
    for module in _ROUTERS:
        app.include_router(module.router)
    app.add_middleware(PlainBodies, limits=settings.limits)
    app.add_middleware(Requests, metrics=service.metrics)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Complete the OpenAPI document: tokens, and the one form of refusals."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            components = document.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = _PROBLEM
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            for path in document["paths"].values():
                for operation in path.values():
                    if "401" in operation["responses"]:
                        operation["security"] = [{"token": []}]
                    refused = operation["responses"].get("422")
                    if refused is not None:
                        refused["content"] = {
                            "application/problem+json": {
                                "schema": {"$ref": "#/components/schemas/Problem"}
                            }
                        }
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
