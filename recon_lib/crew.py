"""Who does the work: processes of this machine, or the workers of a dask cluster. Each job once, whatever becomes of others.

Both give (job, result) in the order in which jobs end; in place of a result stands the exception that ended the job.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any, TypeVar

from recon_lib.errors import UsageError
from recon_lib.paths import to_install

J = TypeVar("J")
R = TypeVar("R")


def with_processes(work: Callable[[J], R], jobs: Sequence[J], workers: int) -> Iterator[tuple[J, R | BaseException]]:
    """Runs the jobs in `workers` fresh processes. A job that kills its process is tried once more, alone, and then given up."""
    waiting, alone = deque(jobs), deque[J]()
    while waiting or alone:
        # Jobs that ran when a process died are run one by one: then it is known which of them did it.
        by_itself = not waiting
        queue, width = (alone, 1) if by_itself else (waiting, max(1, min(workers, len(waiting))))
        pool = ProcessPoolExecutor(
            width, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(_threads(width),)
        )
        running: dict[Future[R], J] = {}
        try:
            broken = False
            while running or (queue and not broken):
                while queue and not broken and len(running) < width:
                    try:
                        running[pool.submit(work, queue[0])] = queue[0]
                    except BrokenProcessPool:
                        broken = True
                        break
                    queue.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job = running.pop(future)
                    problem = future.exception()
                    if isinstance(problem, BrokenProcessPool):
                        broken = True
                        if not by_itself:
                            alone.append(job)
                            continue
                    yield job, problem if problem is not None else future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _threads(workers: int) -> int:
    """Threads for each worker's queries: all of them together use the machine once."""
    return max(1, (os.cpu_count() or 1) // workers)


def _begin(threads: int) -> None:
    """A worker begins: it shares the machine, and it ends when whoever started it has died."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))
    parent = multiprocessing.parent_process()

    def watch() -> None:
        assert parent is not None
        parent.join()
        from recon_lib import warm

        warm.let_go()
        os._exit(3)

    if parent is not None:
        threading.Thread(target=watch, daemon=True, name="parent").start()
    with suppress(ValueError):  # Ctrl-C goes to all processes of a terminal: the one that asked says so once
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def with_cluster(work: Callable[[J], R], jobs: Sequence[J], scheduler: str) -> Iterator[tuple[J, R | BaseException]]:
    """Runs the jobs on the workers of a dask.distributed scheduler (`tcp://host:8786`).

    A job whose worker died is given to another one by the scheduler. UsageError: no such scheduler, or the extra is missing.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UsageError(
            "--scheduler needs the package distributed, which is not installed",
            do=f"here and on the workers, {to_install('cluster')}",
        ) from None
    try:
        client: Any = Client(scheduler, timeout="30s", set_as_default=False)
    except (OSError, ValueError) as refused:  # a timeout is an OSError too
        raise UsageError(
            f"no scheduler answers at {scheduler} ({type(refused).__name__})",
            hoped="an address like tcp://127.0.0.1:8786",
        ) from None
    with client:
        futures = dict(zip(client.map(work, list(jobs), pure=False), jobs, strict=True))
        for future in as_completed(list(futures), loop=client.loop):
            problem = future.exception()
            yield futures[future], problem if problem is not None else future.result()
