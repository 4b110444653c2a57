"""What Prometheus asks for: requests, records and leases, of every worker."""

from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of the folder in which several workers count together."""
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30, 60)


class Metrics:
    """Counts of one process; `text` has those of all workers."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "mobilebench_requests",
            "Requests by method, route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "mobilebench_request_seconds",
            "Time of a request by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._records = Counter(
            "mobilebench_records",
            "Records by what came of them: added, there, or the code of a refusal.",
            ("outcome",),
            registry=self._registry,
        )
        self._leases = Counter(
            "mobilebench_leases",
            "Leases by what happened to them.",
            ("event",),
            registry=self._registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "DELETE") else "other"
        self._requests.labels(known, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def record(self, outcome: str) -> None:
        """Count a record."""
        self._records.labels(outcome).inc()

    def lease(self, event: str) -> None:
        """Count what happened to a lease."""
        self._leases.labels(event).inc()

    def text(self, jobs: Mapping[str, int]) -> bytes:
        """Return the counts as Prometheus reads them, with the number of jobs in each state."""
        registry = self._registry
        if os.environ.get(FOLDER):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        now = CollectorRegistry()
        gauge = Gauge("mobilebench_jobs", "Jobs by state.", ("state",), registry=now)
        for state, number in jobs.items():
            gauge.labels(state).set(number)
        return generate_latest(registry) + generate_latest(now)
