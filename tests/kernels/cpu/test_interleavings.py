"""How threads share a kernel's work, in every order: the protocol of ``parallel.py``, interleaved by a scheduler.

Its functions run as plain Python, one thread at a time, each step a look at the mailbox or a change of it. A thread
loses its turn where it waits, and, to see what can go wrong, at up to so many other steps, all choices tried one after
another (Musuvathi and Qadeer, "Iterative context bounding for systematic testing of multithreaded programs", PLDI
2007: most errors show with two such preemptions). What cannot show here is a machine that reorders memory accesses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from tinyconv.kernels.cpu import parallel
from tinyconv.kernels.cpu.compile import JIT

pytestmark = pytest.mark.skipif(not (JIT and parallel._HAS_FUTEX), reason="threads share work in another way here")

MANY_STEPS = 5000  # somebody waits for ever


class Stopped(BaseException):
    """Ends the threads of a machine on which something went wrong."""


class Machine:
    """A mailbox and threads that take turns.

    Args:
        preemptions: at which step which thread gets the turn.
        spins: how often a thread looks before it sleeps.
    """

    def __init__(self, preemptions: dict[int, int], spins: int):
        self.memory = [0] * parallel.WORDS
        self.preemptions, self.steps = preemptions, 0
        self.trace: list[tuple[int, list[int]]] = []  # of each step, whose it was, and whose it might have been
        self.threads: list[threading.Thread] = []
        self.turns: list[threading.Semaphore] = []
        self.asleep: dict[int, int] = {}  # threads, and the words they sleep on
        self.ended: set[int] = set()
        self.running, self.failure = 0, ""
        self.active: dict[int, int] = {}  # jobs, and how many items they have
        self.done: list[tuple[int, int]] = []  # items, in the order they were done
        names = ("read", "write", "fetch_add", "exchange", "replace", "pause", "futex", "call")
        self.world: dict[str, Any] = vars(parallel) | {name: getattr(self, name) for name in names} | {"SPINS": spins}
        for name in ("_take_items", "_work", "_wait_for", "_call_the_roll", "_check", "_run_alone", "_run_with_team"):
            self.world[name] = FunctionType(getattr(parallel, name).py_func.__code__, self.world)

    # ------------------------------------------------------------------------------------------------------- turns

    def start(self, function: Callable, *args: Any) -> None:
        """Add a thread; it runs when it has the turn."""
        number = len(self.threads)

        def life() -> None:
            self.turns[number].acquire()
            try:
                function(*args)
                self.ended.add(number)
                if len(self.ended) < len(self.threads) and not self.failure:
                    self.leave()
            except Stopped:
                pass
            except BaseException as error:
                self.stop(repr(error))

        self.turns.append(threading.Semaphore(0))
        self.threads.append(threading.Thread(target=life, daemon=True))

    def run(self) -> None:
        """Let all threads run to their end, the first one first."""
        for thread in self.threads:
            thread.start()
        self.turns[0].release()
        for thread in self.threads:
            thread.join()
        assert not self.failure, f"{self.failure}; preemptions: {self.preemptions}"

    def ready(self) -> list[int]:
        return [t for t in range(len(self.threads)) if t not in self.ended and t not in self.asleep]

    def give_turn(self, to: int) -> None:
        me, self.running = self.running, to
        self.turns[to].release()
        if me not in self.ended:
            self.turns[me].acquire()
        if self.failure:
            raise Stopped

    def leave(self) -> None:
        """Give the turn to the next thread that can do something."""
        others = [t for t in self.ready() if t != self.running]
        if others:
            self.give_turn(min(others, key=lambda t: (t < self.running, t)))
        elif self.running in self.ended or self.running in self.asleep:
            self.stop("all sleep")
            raise Stopped

    def stop(self, why: str) -> None:
        self.failure = self.failure or why
        for turn in self.turns:
            turn.release()

    def step(self) -> None:
        """What happens before every access of the mailbox."""
        if self.steps == MANY_STEPS:
            self.stop("no end")
            raise Stopped
        self.trace.append((self.running, self.ready()))
        self.steps += 1
        if (to := self.preemptions.get(self.steps - 1)) is not None:
            self.give_turn(to)

    # ------------------------------------------------------------------------- what compiled code has in their place

    def read(self, word: int) -> int:
        self.step()
        return self.memory[word]

    def write(self, word: int, value: int) -> None:
        self.step()
        self.memory[word] = value

    def fetch_add(self, word: int, value: int) -> int:
        self.step()
        self.memory[word] += value
        return self.memory[word] - value

    def exchange(self, word: int, value: int) -> int:
        self.step()
        before, self.memory[word] = self.memory[word], value
        return before

    def replace(self, word: int, old: int, new: int) -> bool:
        self.step()
        equal = self.memory[word] == old
        if equal:
            self.memory[word] = new
        return equal

    def pause(self) -> None:
        self.leave()

    def futex(self, word: int, operation: int, value: int) -> None:
        self.step()
        if operation == 0 and self.memory[word] == value:
            self.asleep[self.running] = word
            self.leave()
        elif operation == 1:
            for thread in [t for t, on in self.asleep.items() if on == word][:value]:
                del self.asleep[thread]

    def call(self, job: int, context: int, item: int) -> None:
        self.step()
        assert job in self.active, f"item {item} of job {job} was done after its end"
        assert context == -job and 0 <= item < self.active[job], f"job {job} was done with another's arguments"
        assert (job, item) not in self.done, f"item {item} of job {job} was done twice"
        self.done.append((job, item))

    # ------------------------------------------------------------------------------------------------------ threads

    def compute(self, jobs: dict[int, int]) -> None:
        """A Python thread that runs kernels: jobs, and how many items they have."""
        for job, n in jobs.items():
            self.active[job] = n
            self.world["_run_with_team"](job, -job, n)
            assert {item for of, item in self.done if of == job} == set(range(n)), f"job {job} is not complete"
            del self.active[job]

    def compute_and_dismiss(self, jobs: dict[int, int]) -> None:
        """What :meth:`compute` does; then the workers are let go, as ``set_num_threads(1)`` does."""
        self.compute(jobs)
        self.write(parallel.WORKERS, 0)
        self.world["_call_the_roll"]()


def try_all(bound: int, workers: int, callers: list[dict[int, int]], spins: int, kind: type[Machine] = Machine) -> int:
    """Run jobs in all orders with up to ``bound`` preemptions; how many orders there are."""
    waiting: list[dict[int, int]] = [{}]
    count = 0
    while waiting:
        preemptions, count = waiting.pop(), count + 1
        machine = kind(preemptions, spins)
        machine.memory[parallel.WORKERS] = workers
        machine.start(machine.compute_and_dismiss, callers[0])
        for jobs in callers[1:]:
            machine.start(machine.compute, jobs)
        for number in range(1, workers + 1):
            machine.start(machine.world["_work"], number)
        machine.run()
        if len(preemptions) < bound:
            first = max(preemptions, default=-1) + 1
            for k, (running, ready) in enumerate(machine.trace[first:], first):
                waiting += [{**preemptions, k: thread} for thread in ready if thread != running]
    return count


@pytest.mark.parametrize("spins", [0, 2])
@pytest.mark.parametrize(
    "bound, workers, callers",
    [
        (2, 1, [{1: 2, 2: 5, 3: 2}]),
        (2, 2, [{1: 3, 2: 4}]),
        (2, 1, [{1: 2, 2: 3}, {3: 2}]),
        pytest.param(3, 1, [{1: 2, 2: 3}], marks=pytest.mark.slow),
    ],
)
def test_every_item_is_done_once_whoever_loses_its_turn(bound, workers, callers, spins):
    assert try_all(bound, workers, callers, spins) > 1000


class WithoutDraft(Machine):
    """A worker does not notice that the caller is writing its next job."""

    def read(self, word: int) -> int:
        return super().read(parallel.TICKET if word == parallel.DRAFT else word)


class WithoutWaking(Machine):
    """Nobody wakes a caller that sleeps until the last item is done."""

    def read(self, word: int) -> int:
        return 0 if word == parallel.WAITING else super().read(word)


class WithoutComparison(Machine):
    """Two threads may both claim what both saw unclaimed."""

    def replace(self, word: int, old: int, new: int) -> bool:
        self.write(word, new)
        return True


@pytest.mark.parametrize("broken", [WithoutDraft, WithoutWaking, WithoutComparison])
def test_what_a_protocol_without_one_of_its_parts_does_wrong_is_found(broken):
    with pytest.raises(AssertionError):
        try_all(2, 1, [{1: 2, 2: 5}], 0, broken)
