"""One JSON document a line: every request, and what the program says. No token, body or query."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobilebench.server.metrics import Metrics

_REQUESTS = logging.getLogger("mobilebench.server.log")


class Lines(logging.Formatter):
    """Writes a message as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        milliseconds = int(record.created * 1000) % 1000
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{milliseconds:03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "mobilebench.server.log.Lines"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "lines",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {
        "uvicorn": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "mobilebench.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "mobilebench.pages": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


class Requests:
    """Middleware: a line and the metrics of each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.monotonic()
        scope.setdefault("state", {})
        status = 0
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, counted, noted)
        finally:
            took = time.monotonic() - start
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.request(scope["method"], route, status, took)
            client = scope.get("client")
            facts = {
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round(took * 1000, 1),
                "bytes": size,
                "client": client[0] if client else None,
                "token": scope["state"].get("token_id"),
            }
            _REQUESTS.info("request", extra={"facts": facts})
