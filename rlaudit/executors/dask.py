"""Workers of a Dask cluster. Each trains by `run_local`, so that records are those of this machine to the bit."""

import contextlib
import json
import logging
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from rlaudit.backends.provenance import versions
from rlaudit.errors import ConfigError, ExecutorError, MissingExtra
from rlaudit.executors.batch import Batch, Claim, Notify, batches_of, every_run, ignore
from rlaudit.executors.dask_task import PACKAGES, Order, refuse_other_versions, train_there
from rlaudit.executors.drive import Engine, drive
from rlaudit.types import RunEvent, RunRecord, RunSpec

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 5  # until a scheduler that does not answer counts as not there
LOOK_SECONDS = 1.0  # how often the number of workers is looked up


class Cluster(NamedTuple):
    """A scheduler that answers."""

    client: "Client"
    name: str  # as people call it
    waiting: str  # what to say while it has no workers
    keep: Callable[[], None] = lambda: None  # asked now and then: replaces the jobs that ended


Connect: TypeAlias = Callable[[int], AbstractContextManager[Cluster]]  # how many batches there are -> the cluster


def run_on(
    connect: Connect,
    specs: Iterable[RunSpec],
    *,
    workers: int | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    retries: int = 3,
    notify: Notify = ignore,
    claim: Claim = every_run,
) -> Generator[RunRecord, None, None]:
    """Trains on all threads that the cluster has at the moment, or on `workers` of them.

    A killed process is tried again up to `retries` times on its worker. The runs of a worker that is lost go to
    others; Dask's `allowed-failures` says how often, and each time that it gives up counts as one retry. Raises
    ConfigError where there is no scheduler, ExecutorError where it is lost or a worker has other versions.
    """
    todo = list(batches_of(specs))
    if not todo:
        return
    with ExitStack() as stack:
        token = stack.enter_context(_token(todo[0][0].memo))
        cluster = stack.enter_context(connect(len(todo)))
        order = Order(timeout, memory, retries, f"rlaudit-{secrets.token_hex(8)}", token, versions(PACKAGES))
        waiting = RunEvent("waiting", todo[0][0], message=cluster.waiting)
        slots = _slots(cluster, order.versions, workers, lambda: notify(waiting))
        engine = _engine(cluster, order, slots)
        try:
            yield from drive(todo, engine, retries=retries, notify=notify, claim=claim)
        except CancelledError:
            raise _lost(cluster) from None


@contextlib.contextmanager
def at_scheduler(address: str, n_batches: int) -> Iterator[Cluster]:
    """`tcp://host:8786` or `tls://host:8786`. Raises ConfigError where nothing of Dask answers there."""
    with _client(address, address, f"dask scheduler --port {address.rpartition(':')[2]}") as client:
        yield Cluster(client, address, f"No worker yet (dask worker {address} starts one)")


@contextlib.contextmanager
def in_file(option: str, n_batches: int) -> Iterator[Cluster]:
    """`file:scheduler.json`, which `dask scheduler --scheduler-file scheduler.json` writes."""
    path = Path(option.removeprefix("file:"))
    start = f"dask scheduler --scheduler-file {path}"
    try:
        address = str(json.loads(path.read_bytes())["address"])
    except OSError as error:
        raise ConfigError(f"--executor {option}: cannot be read: {error.strerror}. It is written by: {start}") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"--executor {option}: is no file of a scheduler. One is written by: {start}") from None
    with _client(address, option, start) as client:
        yield Cluster(client, address, f"No worker yet (dask worker --scheduler-file {path} starts one)")


@contextlib.contextmanager
def _client(address: str, option: str, start: str) -> Iterator["Client"]:
    distributed = load("distributed")
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"--executor {option}: no Dask scheduler answers there ({shown(error)}). Start one: {start}"
        ) from None
    with client:
        yield client


def load(name: str) -> Any:
    """A module of the extra `cluster`, without its chatter. Raises MissingExtra."""
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in ("dask", "distributed", "dask_jobqueue"):
            raise
        raise MissingExtra(f"--executor on a cluster needs {name}: pip install 'rlaudit[cluster]'") from None
    for logger in ("distributed", "distributed.client"):  # a lost connection is told once, and by us
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    return module


def shown(error: BaseException) -> str:
    """What an error of another library says, on one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


# ---------------------------------------------------------------- the engine


def _engine(cluster: Cluster, order: Order, slots: Callable[[], int]) -> Engine:
    """Futures of the cluster; what workers tell of runs comes by a topic, in a thread of the client."""
    executor = cluster.client.get_executor(pure=False)
    inbox: defaultdict[str, deque[RunEvent]] = defaultdict(deque)
    specs: dict[str, RunSpec] = {}
    begun: set[str] = set()

    def submit(batch: Batch) -> "Future[list[RunRecord]]":
        specs.update((spec.run_id, spec) for spec in batch)
        begun.difference_update(spec.run_id for spec in batch)
        future: Future[list[RunRecord]] = executor.submit(train_there, batch, order)
        return future

    def hear(message: tuple[float, Any]) -> None:
        kind, run, steps, text = message[1]
        if kind == "started" and run not in begun:
            begun.add(run)
            return
        event = RunEvent("retried", specs[run], 0, "its worker was lost") if kind == "started" else None
        inbox[run].append(event or RunEvent(kind, specs[run], steps, text))

    def news(batch: Batch) -> Iterator[RunEvent]:
        for spec in batch:
            while inbox[spec.run_id]:
                yield inbox[spec.run_id].popleft()

    cluster.client.subscribe_topic(order.topic, hear)
    return Engine(submit, _was_lost, _reason, news, slots)


def _was_lost(error: BaseException) -> bool:
    from distributed import KilledWorker

    return isinstance(error, KilledWorker)


def _reason(error: BaseException, batch: Batch) -> str:
    """Why there is no record. Raises ExecutorError where no run could fare better there."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        n, last = error.allowed_failures + 1, error.last_worker.address
        return f"{n} Dask workers died while they trained it, the last at {last}"
    raise _refused(error)


def _refused(error: BaseException) -> ExecutorError:
    if isinstance(error, ExecutorError):
        return error
    return ExecutorError(
        f"the cluster cannot take runs ({type(error).__name__}: {shown(error)}). The scheduler and every worker need "
        "rlaudit as it is here: start them from the same environment."
    )


def _slots(cluster: Cluster, wanted: Mapping[str, str], most: int | None, say: Callable[[], None]) -> Callable[[], int]:
    """Threads of the cluster at the moment, `most` at most; says so where it has none."""
    n, looked, told, known = 0, -LOOK_SECONDS, False, set[str]()

    def slots() -> int:
        nonlocal n, looked, told
        if time.monotonic() - looked >= LOOK_SECONDS:
            n, looked = _threads(cluster, wanted, known), time.monotonic()
            cluster.keep()
            if not n and not told:
                say()
            told = not n
        return min(n, most or n)

    return slots


def _threads(cluster: Cluster, wanted: Mapping[str, str], known: set[str]) -> int:
    """Of all workers; new ones are asked for their versions first: a task that one cannot read would end it."""
    try:
        found = cluster.client.nthreads()
        new = list(found.keys() - known)
        run = cluster.client.run
        answers = run(refuse_other_versions, wanted, workers=new, on_error="return") if new else {}
    except (OSError, CancelledError):
        raise _lost(cluster) from None
    for address, error in answers.items():
        if error is None:
            known.add(address)
        elif not isinstance(error, OSError):  # gone again already
            raise _refused(error)
    return sum(threads for address, threads in found.items() if address in known)


def _lost(cluster: Cluster) -> ExecutorError:
    return ExecutorError(
        f"the scheduler at {cluster.name} is not there any more. Finished runs are kept; the same command trains the "
        "rest once it is back."
    )


@contextlib.contextmanager
def _token(memo: str) -> Iterator[str]:
    """A file beside what several runs share, by which a worker knows that it sees this disk."""
    if not memo:
        yield ""
        return
    token = Path(memo).resolve() / f"{secrets.token_hex(8)}.token"
    token.parent.mkdir(exist_ok=True)
    token.touch()
    try:
        yield str(token)
    finally:
        token.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something is shared there
            token.parent.rmdir()
