"""Threads: the same bits from any number of them, each item done once, no harm from a second caller or a fork."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba import types

import tinyconv
from tests.kernels.cpu.calls import results
from tinyconv.kernels import cpu
from tinyconv.kernels.cpu import parallel
from tinyconv.kernels.cpu.compile import jit
from tinyconv.kernels.cpu.parallel import parallel_for

DIGESTS = "tests.kernels.cpu.digests"
A_FEW = ("conv2d", "conv2d_gw", "matmul", "sum", "batch_norm_gx")  # one of each way of sharing work


@pytest.fixture(autouse=True)
def _as_many_threads_as_before():
    before = tinyconv.get_num_threads()
    yield
    tinyconv.set_num_threads(before)


# ----------------------------------------------------------------------------------------------------- bit by bit


def test_results_are_identical_on_1_2_and_7_threads(python):
    first, *alone = python("-m", DIGESTS, OMP_NUM_THREADS=1).splitlines()
    assert first == "threads 1" and len(alone) > 200
    for n in (2, 7):
        first, *together = python("-m", DIGESTS, OMP_NUM_THREADS=n).splitlines()
        assert first == f"threads {n}"
        assert together == alone


def test_results_are_identical_without_the_team(python):
    """Other systems than Linux share the work through Numba's prange."""
    team = python("-m", DIGESTS, *A_FEW, OMP_NUM_THREADS=2)
    assert python("-m", DIGESTS, *A_FEW, OMP_NUM_THREADS=2, TINYCONV_THREADING="prange") == team


def test_the_number_of_threads_can_change_at_any_time():
    tinyconv.set_num_threads(1)
    expected = list(results(cpu, np.float32, large=True, only=A_FEW))
    for n in (7, 1, 7, 3):
        tinyconv.set_num_threads(n)
        assert tinyconv.get_num_threads() == n
        for (name, actual), (_, before) in zip(results(cpu, np.float32, large=True, only=A_FEW), expected, strict=True):
            assert all(map(np.array_equal, actual, before)), name


# ------------------------------------------------------------------------------------------------------- the team


TOTAL = parallel.LINE - 1  # a word of the mailbox that only these tests use: two threads can add to it at one time


@jit
def _count(i, counts):
    counts[i] += 1
    parallel.fetch_add(TOTAL, 1)


@jit
def _count_all(n, counts):
    parallel_for(_count, n, (counts,))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_every_item_is_done_once(threads):
    tinyconv.set_num_threads(threads)
    counts = np.zeros(100_000, np.int64)  # the most: long enough for sleeping workers to wake up
    for n in (0, 1, 2, 6, 7, 8, 1000, len(counts)):
        for _ in range(50):
            counts[:] = parallel._mailbox[TOTAL] = 0
            _count_all(n, counts)
            assert parallel._mailbox[TOTAL] == n
            assert (counts[:n] == 1).all()
            assert not counts[n:].any()


@jit
def _meet(i, here):
    """Two items that each wait (a minute or so) for the other to begin: only two threads can do both."""
    here[i] = 1
    for _ in range(10**9):
        parallel.pause()
        if here[1 - i]:
            here[2 + i] = 1
            break


@jit
def _meeting(here):
    parallel_for(_meet, 2, (here,))


def test_two_threads_work_at_the_same_time():
    tinyconv.set_num_threads(2)
    for _ in range(3):
        here = np.zeros(4, np.int64)
        _meeting(here)
        assert here.all()


_this_thread = types.ExternalFunction("pthread_self", types.uint64())


@jit
def _meet_across(i, here, threads):
    """Items 0 and 2, and then 1 and 3, wait for each other: 0 and 1 must be one thread's, 2 and 3 another's."""
    threads[i] = _this_thread()
    here[i] = 1
    for _ in range(10**9):
        parallel.pause()
        if here[(i + 2) % 4]:
            here[4 + i] = 1
            break


@jit
def _meeting_across(here, threads):
    parallel_for(_meet_across, 4, (here, threads))


@pytest.mark.skipif(not parallel._HAS_FUTEX, reason="prange shares items out as it likes")
def test_a_thread_begins_with_its_own_section():
    """So that it finds in its cache what it wrote in the kernel before."""
    tinyconv.set_num_threads(2)
    first = None
    for _ in range(20):
        here, threads = np.zeros(8, np.int64), np.zeros(4, np.uint64)
        _meeting_across(here, threads)
        assert here.all()
        assert threads[0] == threads[1] != threads[2] == threads[3]
        assert first is None or (first == threads).all()
        first = threads


@jit
def _outer(i, counts):
    _count_all(counts.shape[1], counts[i])


@jit
def _nested(counts):
    parallel_for(_outer, counts.shape[0], (counts,))


@pytest.mark.parametrize("threads", [1, 7])
def test_an_item_may_share_out_work_itself(threads):
    tinyconv.set_num_threads(threads)
    counts = np.zeros((9, 50), np.int64)
    for _ in range(50):
        _nested(counts)
    assert (counts == 50).all()


@jit
def _fail_at(i, bad, done):
    if i == bad:
        raise MemoryError
    done[i] = 1


@jit
def _do_all_but(bad, done):
    parallel_for(_fail_at, done.shape[0], (bad, done))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_an_item_without_memory_is_an_error(threads):
    tinyconv.set_num_threads(threads)
    done = np.zeros(100, np.int64)
    for bad in (0, 50, 99):
        with pytest.raises(MemoryError, match="a kernel found no memory for its work"):
            _do_all_but(bad, done)
        done[:] = 0
        _do_all_but(-1, done)  # the error is over and done with
        assert done.all()


def test_several_python_threads_compute_at_once():
    tinyconv.set_num_threads(3)
    expected = list(results(cpu, np.float32, only=A_FEW))

    def compute(_) -> bool:
        again = results(cpu, np.float32, only=A_FEW)
        return all(all(map(np.array_equal, a, b)) for (_, a), (_, b) in zip(again, expected, strict=True))

    with ThreadPoolExecutor(5) as pool:
        assert all(pool.map(compute, range(100)))


AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from tinyconv.kernels import cpu

x, y = np.random.default_rng(0).standard_normal((2, 300, 300), np.float32)
expected = cpu.matmul(x, y)
with ThreadPoolExecutor(4) as pool:
    print(all(pool.map(lambda _: (cpu.matmul(x, y) == expected).all(), range(50))))
"""


def test_several_python_threads_compute_at_once_without_the_team(python):
    """Numba's own threads abort the process when two Python threads start them at once."""
    environment = {"TINYCONV_THREADING": "prange", "NUMBA_THREADING_LAYER": "workqueue", "OMP_NUM_THREADS": 2}
    assert python("-c", AT_ONCE, **environment) == "True\n"


def test_the_team_has_as_many_threads_as_it_should():
    before = threading.active_count() - tinyconv.get_num_threads()
    counts = np.zeros(10, np.int64)
    for n in (7, 1, 4, 1, 7, 2):
        tinyconv.set_num_threads(n)
        _count_all(10, counts)
        assert threading.active_count() - before == n


# ----------------------------------------------------------------------------------------------------------- fork

FORK = """
import os, signal, threading
import numpy as np
import tinyconv
from tinyconv.kernels import cpu
from tinyconv.kernels.cpu import parallel

x, y = np.random.default_rng(0).standard_normal((2, 300, 300), np.float32)
expected = cpu.matmul(x, y)
stop = False

def keep_busy():
    while not stop:
        cpu.matmul(x, y)

busy = threading.Thread(target=keep_busy, daemon=True)
busy.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # rather than wait for ever
        right = all((cpu.matmul(x, y) == expected).all() for _ in range(5))
        team = threading.active_count() == tinyconv.get_num_threads() == THREADS_IN_CHILD
        free = parallel._mailbox[parallel.LOCK] == 0
        os._exit(0 if right and team and free else 3)
    assert os.waitpid(child, 0)[1] == 0
stop = True
busy.join()
assert (cpu.matmul(x, y) == expected).all()
print("threads", tinyconv.get_num_threads())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("way, threads, in_child", [("", 1, 1), ("", 3, 3), ("prange", 3, 1)])
def test_a_forked_child_computes(python, way, threads, in_child):
    """Even if another thread of its parent was in the middle of a kernel."""
    program = FORK.replace("THREADS_IN_CHILD", str(in_child))
    assert python("-c", program, OMP_NUM_THREADS=threads, TINYCONV_THREADING=way) == f"threads {threads}\n"


# ------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize("n", [0, -1, 1025, 10**20, 1.0, "2", None, True])
def test_set_num_threads_takes_positive_ints_only(n):
    with pytest.raises(ValueError, match=r"set_num_threads: n must be a positive int, at most 1024, got"):
        tinyconv.set_num_threads(n)


@pytest.mark.parametrize(
    "environment, threads",
    [
        ({"OMP_NUM_THREADS": 3}, 3),
        ({"NUMBA_NUM_THREADS": 2}, 2),
        ({"OMP_NUM_THREADS": "many"}, parallel.cores()),
        ({}, parallel.cores()),
    ],
    ids=str,
)
def test_the_environment_says_how_many_threads_there_are(python, environment, threads):
    code = "import tinyconv; print(tinyconv.get_num_threads())"
    assert python("-c", code, **environment) == f"{threads}\n"
