"""Ray: the cluster that is joined or started, and what runs on it. `ray` is imported here and nowhere else, when it is needed."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, TypeVar

from quorate.errors import QuorateError, UsageError
from quorate.explore.limits import Cluster

T = TypeVar("T")
R = TypeVar("R")

POLL_S = 0.2
LOCAL_WORKERS = 2
REACHED_S = 5.0
LOCAL_STORE_BYTES = 256 << 20
"""What is on the way between the workers of a cluster that is started here: a few megabytes for each."""


class Rays:
    """What the driver does with a cluster: workers are started, given tasks by the names of their methods, and killed. The answer of a task
    can be the argument of another one before it is known; then it goes straight from worker to worker."""

    def __init__(self, ray: Any, workers: int) -> None:
        self._ray, self.workers = ray, workers
        self.lost: type[Exception] = ray.exceptions.RayError
        """Raised where a worker or a message was lost, and where a task has raised an error."""
        self.failed: type[Exception] = ray.exceptions.RayTaskError
        """The latter."""

    def start(self, body: type, *arguments: Any) -> Any:
        """A worker with this body, on the machine that has the fewest. Ray never starts it again by itself: its states would be lost."""
        options = {"num_cpus": 1, "scheduling_strategy": "SPREAD", "max_restarts": 0, "max_task_retries": 0}
        return self._ray.remote(body).options(**options).remote(*arguments)

    def task(self, worker: Any, method: str, *arguments: Any, answers: int = 1) -> Any:
        """Have a worker do something: its answer to come, or several."""
        return getattr(worker, method).options(num_returns=answers).remote(*arguments)

    def each(
        self,
        function: Callable[[T], R],
        items: Iterable[T],
        lost: Callable[[T], R],
        at_once: int | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Generator[tuple[int, R], None, None]:
        """What a function says of each item, with the item's number, as they come. Each is a task, in the folder of this process, if its
        machine has one of that path. It is done again if its worker is lost, and `lost` says what comes of an item that no worker
        survives. `at_once` is how many wait at a time, all of them without it; they end when `go_on`, which is asked a few times a
        second, says so."""
        task = self._ray.remote(_there).options(num_cpus=1)
        given, folder, waiting = self.put(function), os.getcwd(), dict[Any, tuple[int, T]]()
        left = enumerate(items)
        try:
            while go_on():
                for number, item in islice(left, None if at_once is None else at_once - len(waiting)):
                    waiting[task.remote(folder, given, item)] = number, item
                if not waiting:
                    return
                for done in self.wait(list(waiting), POLL_S):
                    number, item = waiting.pop(done)
                    yield number, self._got(done, item, lost)
        finally:
            for unfinished in waiting:
                self._ray.cancel(unfinished, force=True)

    def _got(self, task: Any, item: T, lost: Callable[[T], R]) -> R:
        try:
            return self.get(task)  # type: ignore[no-any-return]
        except self.failed:
            raise
        except self.lost:
            return lost(item)

    def put(self, value: Any) -> Any:
        """Something that many tasks are given."""
        return self._ray.put(value)

    def wait(self, tasks: Sequence[Any], seconds: float) -> Sequence[Any]:
        """One of the tasks that are done, or none after so long."""
        done: Sequence[Any] = self._ray.wait(tasks, timeout=seconds, fetch_local=False)[0]
        return done

    def get(self, task: Any) -> Any:
        """The answer, when there is one. Raises what the task has raised, if that is for a user."""
        try:
            return self._ray.get(task)
        except self._ray.exceptions.RayTaskError as failure:
            if isinstance(failure.cause, QuorateError):
                raise failure.cause from None
            raise

    def kill(self, worker: Any) -> None:
        """End a worker."""
        self._ray.kill(worker)


def _there(folder: str, function: Callable[[T], R], item: T) -> R:
    with suppress(OSError):
        os.chdir(folder)
    return function(item)


@contextmanager
def connected(cluster: Cluster) -> Iterator[Rays]:
    """Join the cluster, or start one on this machine. One that was started ends with the context. Raises UsageError."""
    ray = _ray()
    begun = not ray.is_initialized()
    if begun:
        _begin(ray, cluster)
    try:
        yield Rays(ray, _workers(ray, cluster))
    finally:
        if begun:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise UsageError(
            "A search on a cluster needs the package ray. Install it with: pip install 'quorate[cluster]'"
        ) from None
    return ray


def _begin(ray: Any, cluster: Cluster) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Nothing is told to anyone.
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if cluster.address is None:
        count = cluster.workers or LOCAL_WORKERS
        os.environ.setdefault("RAY_worker_niceness", "0")  # Ray lets workers wait for everything else on the machine.
        options |= {
            "address": "local",
            "num_cpus": count,
            "object_store_memory": LOCAL_STORE_BYTES,
            "include_dashboard": False,
        }
    else:
        _reach(cluster.address)
        options["address"] = cluster.address
    _silence(ray)
    with _signals_kept():
        try:
            ray.init(**options)
        except (ConnectionError, ValueError, RuntimeError) as reason:
            if cluster.address is None:
                raise UsageError(f"Ray could not be started on this machine: {_line(reason)}") from None
            raise _nobody(cluster.address, reason) from None


def _silence(ray: Any) -> None:
    """Whatever it is asked to log, Ray prints what becomes of its processes, on stdout, where the result goes: keep it from that."""
    with suppress(AttributeError):
        ray._private.worker._worker_logs_enabled = False


def _reach(address: str) -> None:
    """See that somebody listens at an address: Ray tries for minutes. Raises UsageError."""
    if address == "auto":
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        raise UsageError(
            f"--cluster {address} is not an address such as 10.0.0.1:6379, nor `auto`. An option without an address comes last: "
            "`quorate check SPEC --cluster`."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHED_S).close()
    except (OSError, OverflowError) as reason:
        raise _nobody(address, reason) from None


def _nobody(address: str, reason: Exception) -> UsageError:
    return UsageError(
        f"There is no Ray cluster at {address!r}: {_line(reason)} "
        "`--cluster` alone starts one on this machine; `--cluster auto` joins the one that this machine belongs to."
    )


def _line(reason: Exception) -> str:
    said = " ".join(str(reason).split())
    return said if said.endswith(".") else f"{said}."


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself; it is ours."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _workers(ray: Any, cluster: Cluster) -> int:
    resources: Mapping[str, float] = ray.cluster_resources()
    cores = int(resources.get("CPU", 0))
    count = cluster.workers or cores
    if count > cores:
        raise UsageError(f"The cluster has {cores} cores and a worker needs one: {count} workers are too many.")
    if count == 0:
        raise UsageError("The cluster has no cores that a worker could have.")
    return count
