"""Workers read ahead, so that the next batch is there when the model asks for it.

A worker is a thread. Batch number k is read by worker ``k % num_workers``, and each worker answers its requests in
order; so the batches come in the order of the sampler, however fast each worker is. Reading in processes adds one
thing: the thread then asks a process of its own, over a pipe, and waits for the answer or for the process's end.

**Random numbers.** While it reads batch k a worker draws from substream k of the epoch's seed, wherever the default
generator is asked. So what is drawn depends on the seed and on k, not on the number of workers or their speed, and an
epoch that resumes at batch k draws the same. That holds for tinyconv's generator; Python's and NumPy's global ones are
one for all threads. In a process they are seeded by ``get_worker_info().seed``.

**Copies.** Each thread has a copy of the data set (a shallow one, of data sets inside it too): what it assigns to an
attribute, a file that it opens, say, or its share of a stream, is its own. The tensors and lists inside are shared.
"""

from __future__ import annotations

import multiprocessing.connection
import pickle
import queue
import random
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ... import kernels
from ...random import Generator, substream, use_generator
from .dataset import Dataset
from .fetch import Ended, Fetch

__all__ = ["WorkerInfo", "get_worker_info"]


@dataclass
class WorkerInfo:
    """What a worker knows of itself.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: of the epoch in which it started, plus ``id``.
        dataset: its copy of the data set.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Here(threading.local):
    info: WorkerInfo | None = None


_here = _Here()


def get_worker_info() -> WorkerInfo | None:
    """In a worker what it knows of itself, elsewhere None.

    A stream (:class:`~tinyconv.utils.data.IterableDataset`) asks it which share of the data to yield; otherwise each
    worker yields all.
    """
    return _here.info


class Reading:
    """What a worker does, in a thread or a process: ``begin`` an epoch, and then ``read`` batches.

    Args:
        info: what the worker knows of itself.
        seed: of the epoch.
        fetch: how to read.
        init: the user's ``worker_init_fn``.
    """

    def __init__(self, info: WorkerInfo, seed: int, fetch: Fetch, init: Callable[[int], None] | None):
        _here.info = info
        self.info, self.fetch = info, fetch
        self._seed = self._first_seed = seed
        # The worker's own seed while it starts, so that whoever seeds another library by it seeds each worker anew.
        with use_generator(Generator().manual_seed(info.seed)) as generator:
            if init is not None:
                init(info.id)
        if generator.seed_value != info.seed:  # init called manual_seed
            self._seed = generator.seed_value

    def begin(self, seed: int) -> None:
        """Begin an epoch. From the second on its seed counts, whatever ``worker_init_fn`` has set."""
        if seed != self._first_seed:
            self._seed = seed
        self._read = self.fetch.open(self.info.dataset)

    def read(self, number: int, request: Any) -> Any:
        """The batch of that number."""
        with use_generator(substream(self._seed, number)):
            return self._read(request)


class _InProcess:
    """Looks like :class:`Reading`, and asks a process of its own."""

    def __init__(self, context: Any, name: str, *arguments: Any):
        self.name = name
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, arguments), daemon=True, name=name)
        try:
            self.process.start()
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            raise RuntimeError(
                f"{name}: the data set, collate_fn and worker_init_fn cannot be sent to a process ({error}); define "
                'them at the top of a module, or use threads (no multiprocessing_context) or "fork"'
            ) from error
        theirs.close()

    def itself(self) -> _InProcess:
        """What the thread asks."""
        return self

    def begin(self, seed: int) -> None:
        """Have the process begin an epoch."""
        self._ask("begin", seed)

    def read(self, number: int, request: Any) -> Any:
        """Have the process read a batch."""
        return self._ask("read", number, request)

    def _ask(self, *question: Any) -> Any:
        try:
            self.connection.send(question)
            # Its end of the pipe may be open in other children too: only the sentinel tells that it died.
            multiprocessing.connection.wait([self.connection, self.process.sentinel])
            if self.connection.poll():
                answer, error = self.connection.recv()
                if error is not None:
                    raise error
                return answer
        except (BrokenPipeError, ConnectionResetError, EOFError):
            pass
        self.process.join(1)
        code = self.process.exitcode
        how = f"killed by signal {signal.Signals(-code).name}" if code and code < 0 else f"with exit code {code}"
        what = f" while reading batch {question[1]} (sample {question[2]})" if question[0] == "read" else ""
        raise RuntimeError(f"DataLoader worker (pid {self.process.pid}) exited unexpectedly{what}, {how}")

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.terminate()


def _serve(connection: Any, arguments: tuple) -> None:
    """The life of a process: answer questions until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    parent = multiprocessing.parent_process()
    info = arguments[0]
    random.seed(info.seed)
    kernels.set_num_threads(1)  # there are as many processes as the user wants cores to be busy
    np.random.seed(info.seed % 2**32)  # noqa: NPY002 -- the legacy generator is what data sets draw from
    reading = None
    while True:
        multiprocessing.connection.wait([connection, parent.sentinel])  # type: ignore[union-attr]
        if not connection.poll():
            return
        try:
            name, *question = connection.recv()
        except EOFError:
            return
        answer, failure = None, None
        try:
            reading = reading or Reading(*arguments)
            answer = getattr(reading, name)(*question)
        except BaseException as error:  # every error goes to whoever asked
            failure = _portable(error)
        connection.send((answer, failure))


def _portable(error: BaseException) -> BaseException:
    """``error`` with its traceback in its notes; or one that says the same, if it cannot be pickled."""
    text = "".join(traceback.format_exception(error))
    try:
        error = pickle.loads(pickle.dumps(error))
    except Exception:  # whatever the user's class raises when it is pickled or made again
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"Original traceback:\n{text}")
    return error


class _Worker:
    """One thread: it answers requests in order."""

    def __init__(self, name: str, make: Callable[[], Any]):
        self.requests: queue.SimpleQueue = queue.SimpleQueue()
        self.answers: queue.SimpleQueue = queue.SimpleQueue()
        self.name, self.stopped = name, False
        threading.Thread(target=self._run, args=(make,), daemon=True, name=name).start()

    def _run(self, make: Callable[[], Any]) -> None:
        reading = None
        while True:
            question = self.requests.get()
            if self.stopped or question is None:
                return
            name, *arguments = question
            try:
                reading = reading or make()
                answer: Any = getattr(reading, name)(*arguments), None
            except BaseException as error:  # every error goes to whoever asked
                answer = None, error
            if name == "read" or answer[1] is not None:
                self.answers.put(answer)

    def answer(self, timeout: float) -> Any:
        """The answer to the oldest request."""
        try:
            answer, error = self.answers.get(timeout=timeout or None)
        except queue.Empty:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds, waiting for {self.name}") from None
        if error is None:
            return answer
        error.add_note(f"(raised in {self.name})")
        if isinstance(error, Exception):
            raise error
        raise RuntimeError(f"{self.name} was ended by {type(error).__name__}") from error


class Workers:
    """The workers of a loader.

    Args:
        n: how many.
        dataset: what to read; each thread gets a copy.
        seed: of the epoch.
        fetch, init: see :class:`Reading`.
        context: of ``multiprocessing``, for processes.
        timeout: seconds to wait for a batch; 0 for ever.
        ahead: batches each worker reads ahead.
    """

    def __init__(
        self,
        n: int,
        dataset: Any,
        seed: int,
        fetch: Fetch,
        init: Callable[[int], None] | None,
        context: Any,
        timeout: float,
        ahead: int,
    ):
        self.timeout, self.ahead = timeout, ahead
        self._processes: list[_InProcess] = []
        makes: list[Callable[[], Any]] = []
        for i in range(n):
            if context is None:
                makes.append(partial(Reading, WorkerInfo(i, n, seed + i, _own(dataset)), seed, fetch, init))
            else:  # all processes start before the first thread does
                info = WorkerInfo(i, n, seed + i, dataset)
                process = _InProcess(context, f"DataLoader worker process {i}", info, seed, fetch, init)
                self._processes.append(process)
                makes.append(process.itself)
        kind = "thread" if context is None else "process"
        self._workers = [_Worker(f"DataLoader worker {kind} {i}", make) for i, make in enumerate(makes)]

    def _begin(self, seed: int) -> None:
        for worker in self._workers:
            worker.requests.put(("begin", seed))

    def read(self, order: Iterator[Any], first: int, seed: int) -> Iterator[Any]:
        """The batches of ``order``, whose numbers begin at ``first``."""
        self._begin(seed)
        waiting: deque[_Worker] = deque()
        n = len(self._workers)
        for number, request in enumerate(order, first):
            if len(waiting) == n * self.ahead:
                yield waiting.popleft().answer(self.timeout)
            worker = self._workers[number % n]
            worker.requests.put(("read", number, request))
            waiting.append(worker)
        while waiting:
            yield waiting.popleft().answer(self.timeout)

    def read_streams(self, seed: int) -> Iterator[Any]:
        """The batches of the workers' streams, one of each in turn while it lasts."""
        self._begin(seed)
        n = len(self._workers)
        numbers = [i + n * self.ahead for i in range(n)]
        for i, worker in enumerate(self._workers):
            for number in range(i, numbers[i], n):
                worker.requests.put(("read", number, None))
        alive = deque(range(n))
        while alive:
            i = alive.popleft()
            batch = self._workers[i].answer(self.timeout)
            if batch is Ended.STREAM:
                for _ in range(self.ahead - 1):  # it has been asked for more
                    self._workers[i].answer(self.timeout)
                continue
            self._workers[i].requests.put(("read", numbers[i], None))
            numbers[i] += n
            alive.append(i)
            yield batch

    def stop(self) -> None:
        """Let the threads end after what they are reading; end the processes."""
        for worker in self._workers:
            worker.stopped = True
            worker.requests.put(None)
        for process in self._processes:
            process.stop()


def _own(dataset: Any) -> Any:
    """A thread's copy of a data set, and of the data sets in its attributes; anything else is shared."""
    if type(dataset) in (list, tuple):
        return type(dataset)(_own(part) if isinstance(part, Dataset) else part for part in dataset)
    if not isinstance(dataset, Dataset) or type(dataset).__new__ is not object.__new__:
        return dataset
    # Not copy.copy, which asks a __getattr__ that forwards to an attribute before there is one.
    copy = object.__new__(type(dataset))
    for name, value in vars(dataset).items():
        holds = isinstance(value, Dataset) or (isinstance(value, list) and any(isinstance(v, Dataset) for v in value))
        copy.__dict__[name] = _own(value) if holds else value
    return copy
