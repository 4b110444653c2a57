"""Run functions on executors: threads of this machine, or workers of a dask scheduler.

A task is a function of a module, with plain values and bytes in and out. It may run more than once:
after its worker was killed, it runs again on another one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from mobilebench.errors import Cancelled, CellFailed, ClusterError, MissingToolkit
from mobilebench.machine import installation, isolated

if TYPE_CHECKING:
    from distributed import Client, Worker
    from distributed import Future as Remote

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_S = 8.0
"""Time limit for the scheduler to answer, and again for its first worker to appear."""
_POLL_S = 0.2

_cancel: ContextVar[Event | None] = ContextVar("cancel", default=None)


def cancelled() -> Event:
    """Return the event that is set when nobody waits for the running task's result.

    Pass it to `isolated.call`. Outside a task it is an event that nobody sets.
    """
    return _cancel.get() or Event()


def scratch() -> Path:
    """Return the folder of the worker that runs the task; it goes when the worker ends."""
    from distributed import get_worker

    return Path(get_worker().local_directory)


@contextmanager
def local(jobs: int) -> Iterator[Executor]:
    """Yield an executor of `jobs` threads in this process.

    An error in the block cancels its tasks.
    """
    cancel = Event()
    with isolated.sharing(jobs):
        pool = ThreadPoolExecutor(jobs, initializer=_cancel.set, initargs=(cancel,))
        try:
            yield pool
        except BaseException:
            cancel.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def executor(address: str, extras: Collection[str] | None = None) -> Iterator[Tasks]:
    """Yield an executor over the dask scheduler at an address such as `tcp://HOST:8786`.

    Every worker must have the same versions as this machine, of mobilebench and of its `extras` (by
    default all that are installed here). An error in the block, also Ctrl-C, cancels the tasks; the
    child processes of running tasks end with them. Raises `ClusterError` where the scheduler does
    not answer, has no worker, or has a worker that differs; a task raises it on a differing worker
    that came later. A task whose workers were killed repeatedly raises `CellFailed`.
    """
    # Both sides must speak the same version of dask's wire protocol.
    compared = None if extras is None else tuple(sorted({*extras, "cluster"}))
    client = _connect(address)
    try:
        expected = _require_same_versions(client, address, compared)
        pool = Tasks(client, address, expected, compared)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown(wait=True)
    finally:
        client.close(timeout=CONNECT_S)


class Tasks(Executor):
    """`concurrent.futures` over a dask client.

    The client's own executor silently drops a task when the scheduler goes away, and gives no
    understandable error for a task that kills its workers.
    """

    def __init__(
        self,
        client: Client,
        address: str,
        expected: Mapping[str, str],
        extras: tuple[str, ...] | None,
    ) -> None:
        self._client = client
        self._address = address
        self._expected = dict(expected)
        self._extras = extras
        self._open: set[Future[Any]] = set()

    @property
    def slots(self) -> int:
        """How many tasks the present workers can run at the same time."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def resources(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the resources that the present workers have, by their addresses.

        A worker declares them with `dask worker --resources`.
        """
        workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return {address: tuple(facts["resources"]) for address, facts in workers.items()}

    def ask(self, function: Callable[..., T], /, *args: object) -> dict[str, T]:
        """Run a short function on every worker now, beside its tasks; return the answers.

        Its first argument is the worker's address, by which the answers are. A worker that is gone
        has no answer.
        """
        answers = self._client.run(_answer, function, args, on_error="return")
        for answer in answers.values():
            if isinstance(answer, BaseException) and not isinstance(answer, OSError):
                raise answer
        return {name: each for name, each in answers.items() if not isinstance(each, OSError)}

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._submit(None, fn, args, kwargs)

    def submit_with(
        self, resource: str, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Submit a task that only a worker with that resource takes, one at a time for each.

        It waits for as long as no worker has the resource.
        """
        return self._submit(resource, fn, args, kwargs)

    def _submit(
        self,
        resource: str | None,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Future[T]:
        future: Future[T] = Future()
        remote = self._client.submit(
            _task,
            self._expected,
            self._extras,
            fn,
            args,
            kwargs,
            pure=False,
            resources=None if resource is None else {resource: 1},
        )
        self._open.add(future)

        def ended(ours: Future[T]) -> None:
            self._open.discard(ours)
            if ours.cancelled():
                remote.cancel()
            remote.release()

        future.add_done_callback(ended)
        remote.add_done_callback(lambda theirs: self._settle(future, theirs))
        return future

    def _settle(self, future: Future[Any], remote: Remote) -> None:
        """Pass the outcome of a remote task to the future that the caller waits for."""
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = remote.result()
        except CancelledError:
            future.set_exception(
                ClusterError(
                    f"The scheduler at {self._address} stopped while tasks were running; start it "
                    f"again and repeat the command: finished tasks are not run again."
                )
            )
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            future.set_exception(_understandable(error))
        else:
            future.set_result(result)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        waiting = list(self._open)
        if cancel_futures:
            for future in waiting:
                future.cancel()
        if wait:
            wait_for(waiting)


def _understandable(error: BaseException) -> BaseException:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return CellFailed(
            "cluster",
            "KilledWorker",
            f"a task's worker was killed {error.allowed_failures + 1} times; the log of the worker "
            f"{error.last_worker.address} may say why",
        )
    return error


def _task(
    expected: Mapping[str, str],
    extras: tuple[str, ...] | None,
    function: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> T | None:
    """Run a function on a worker; check versions first, and pass cancellation on."""
    from distributed import get_worker
    from distributed.worker import thread_state

    worker, key = get_worker(), thread_state.key
    difference = installation.difference(expected, installation.versions(extras))
    if difference is not None:
        raise _differs(worker.address, difference)
    cancel, finished = Event(), Event()

    def poll() -> None:
        while not finished.wait(_POLL_S):
            state = worker.state.tasks.get(key)
            if state is None or state.state == "cancelled":
                cancel.set()

    threading.Thread(target=poll, daemon=True).start()
    token = _cancel.set(cancel)
    try:
        return function(*args, **kwargs)
    except Cancelled:
        # It is a KeyboardInterrupt, which would end the worker; nobody reads this result.
        return None
    finally:
        _cancel.reset(token)
        finished.set()


def _answer(
    function: Callable[..., T], args: tuple[Any, ...], dask_worker: Worker | None = None
) -> T:
    """Answer on a worker; dask gives the worker by the name of the argument."""
    return function(dask_worker.address if dask_worker else "", *args)


def _connect(address: str) -> Client:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        if error.name not in ("distributed", "dask"):
            raise
        raise MissingToolkit(
            "A cluster needs the package 'distributed', which is not installed; "
            "run: pip install 'mobilebench[cluster]'"
        ) from error
    try:
        kind = asyncio.run(asyncio.wait_for(_server_kind(address), CONNECT_S))
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"No dask scheduler answers at {address!r} within {CONNECT_S:g} s; give the address "
            f"that `dask scheduler` prints, such as tcp://HOST:8786, and check that it can be "
            f"reached from here."
        ) from error
    if kind != "Scheduler":
        raise ClusterError(
            f"The server at {address} is a dask {kind}; give the address of its scheduler."
        )
    return Client(address, timeout=CONNECT_S, set_as_default=False, name="mobilebench")


async def _server_kind(address: str) -> str:
    """Return what kind of dask server is at an address.

    A client alone would wait forever for a server of another kind.
    """
    from distributed import Security
    from distributed.comm import connect

    comm = await connect(address, timeout=CONNECT_S, **Security().get_connection_args("client"))
    try:
        await comm.write({"op": "identity", "reply": True})
        return str((await comm.read())["type"])
    finally:
        comm.abort()


def _require_same_versions(
    client: Client, address: str, extras: tuple[str, ...] | None
) -> dict[str, str]:
    """Check that every worker has the versions installed here, and return them."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError as error:
        raise ClusterError(
            f"The scheduler at {address} has no worker; start one: dask worker {address}"
        ) from error
    ours = installation.versions(extras)
    answers = client.run(installation.versions, extras, on_error="return")
    for worker, theirs in answers.items():
        if isinstance(theirs, BaseException):
            raise ClusterError(
                f"The worker {worker} cannot load this mobilebench ({theirs}); install the same "
                f"version there, {ours['mobilebench']}, with the same extras."
            )
        difference = installation.difference(ours, theirs)
        if difference is not None:
            raise _differs(worker, difference)
    return ours


def _differs(worker: str, difference: str) -> ClusterError:
    return ClusterError(
        f"The worker {worker} has another installation: {difference}; install the same there, "
        f"or stop it, and give the same command again."
    )
