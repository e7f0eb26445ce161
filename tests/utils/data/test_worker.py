"""Workers: order, random numbers, errors, ends; in threads and in processes."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import tinyconv
from tinyconv.tensor import wrap
from tinyconv.utils.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    get_worker_info,
)

CONTEXTS = [None, "fork"]
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


class Noisy(Dataset):
    """Sample i is (i, a random number, the worker); later samples of a batch are faster."""

    def __init__(self, n):
        self.n = n

    def __getitem__(self, index):
        if index % 4 == 0:
            time.sleep(0.002)
        info = get_worker_info()
        return index, tinyconv.rand(2), -1 if info is None else info.id

    def __len__(self):
        return self.n


class Stream(IterableDataset):
    def __init__(self, n):
        self.n, self.first, self.step = n, 0, 1

    def __iter__(self):
        return iter(range(self.first, self.n, self.step))


class Failing(Dataset):
    def __init__(self, how):
        self.how = how

    def __getitem__(self, index):
        if index == 5:
            self.how()
        return index

    def __len__(self):
        return 12


class Picky(Exception):
    """It cannot be made again from its pickle."""

    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


def missing():
    return {}["missing"]


def picky():
    raise Picky("one", "two")


def ended():
    raise SystemExit(3)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def share_out(worker):
    info = get_worker_info()
    assert info.id == worker
    info.dataset.first, info.dataset.step = worker, info.num_workers


def seeded(seed):
    return tinyconv.Generator().manual_seed(seed)


def no_thread_is_left():
    for _ in range(200):
        if not any(thread.name.startswith("DataLoader") for thread in threading.enumerate()):
            return True
        time.sleep(0.01)
    return False


def epoch(loader, skip=0):
    return [(index.tolist(), noise.tolist()) for index, noise, _ in loader.epoch(skip)]


@pytest.mark.parametrize("context", CONTEXTS)
def test_order_and_random_numbers_depend_on_neither_number_nor_speed_of_workers(context):
    runs = []
    for n in (1, 3):
        loader = DataLoader(Noisy(23), 3, shuffle=True, num_workers=n, generator=seeded(1),
                            multiprocessing_context=context, prefetch_factor=n)  # fmt: skip
        before = tinyconv.default_generator.state
        first, start = epoch(loader), loader.generator.get_state()
        second = epoch(loader)
        assert tinyconv.default_generator.state == before  # the workers draw from streams of their own
        assert first != second and sorted(i for batch, _ in first for i in batch) == list(range(23))
        loader.generator.set_state(start)
        assert epoch(loader, skip=5) == second[5:]
        runs.append((first, second))
    assert runs[0] == runs[1]
    numbers = [x for _, batch in runs[0][0] for row in batch for x in row]
    assert len(set(numbers)) == len(numbers)
    assert [batch for batch, _ in runs[0][0]] == [
        indices for indices, _, _ in map(lambda b: (b[0].tolist(), *b[1:]),
                                         DataLoader(Noisy(23), 3, shuffle=True, generator=seeded(1)))
    ]  # fmt: skip
    assert no_thread_is_left()


def test_threads_and_processes_draw_the_same():
    loaders = [DataLoader(Noisy(9), 2, num_workers=2, generator=seeded(3), multiprocessing_context=c) for c in CONTEXTS]
    assert epoch(loaders[0]) == epoch(loaders[1])


@pytest.mark.parametrize("context", CONTEXTS)
def test_batches_go_round(context):
    loader = DataLoader(Noisy(12), 2, num_workers=3, multiprocessing_context=context)
    assert [workers.tolist() for _, _, workers in loader] == [[k % 3] * 2 for k in range(6)]
    assert get_worker_info() is None


@pytest.mark.slow
def test_spawned_processes():
    loader = DataLoader(Noisy(9), 2, num_workers=2, generator=seeded(3), multiprocessing_context="spawn")
    assert epoch(loader) == epoch(DataLoader(Noisy(9), 2, num_workers=1, generator=seeded(3)))


def test_what_cannot_be_sent_to_a_process():
    loader = DataLoader(Noisy(3), num_workers=1, multiprocessing_context="spawn", collate_fn=lambda samples: samples)
    with pytest.raises(RuntimeError, match="cannot be sent to a process .*lambda.* or use threads"):
        next(iter(loader))


def test_a_batch_at_a_time_and_own_functions():
    data = TensorDataset(wrap(np.arange(10)))
    assert [x.tolist() for (x,) in DataLoader(data, 4, num_workers=2)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert list(DataLoader(range(5), 2, num_workers=2, collate_fn=lambda samples: sum(samples))) == [1, 5, 4]
    assert list(DataLoader(range(3), None, num_workers=2, collate_fn=lambda sample: -sample)) == [0, -1, -2]


@pytest.mark.parametrize("context", CONTEXTS)
def test_streams(context):
    options = {"num_workers": 2, "multiprocessing_context": context}
    whole = DataLoader(Stream(5), 2, **options)
    assert [b.tolist() for b in whole] == [[0, 1], [0, 1], [2, 3], [2, 3], [4], [4]]
    shares = DataLoader(Stream(7), 2, worker_init_fn=share_out, **options)
    assert [b.tolist() for b in shares] == [[0, 2], [1, 3], [4, 6], [5]]
    assert [b.tolist() for b in shares.epoch(skip=2)] == [[4, 6], [5]]
    uneven = DataLoader(Stream(3), None, worker_init_fn=share_out, num_workers=4, prefetch_factor=3)
    assert list(uneven) == [0, 1, 2]
    assert no_thread_is_left()


def test_a_thread_has_its_own_copy_of_the_data_sets():
    class Opens(Dataset):
        def __init__(self, n):
            self.n, self.file, self.shared = n, None, []

        def __getattr__(self, name):  # asked of an empty copy it would never end
            return getattr(self.shared, name)

        def __getitem__(self, index):
            if self.file is None:
                self.file = threading.get_ident()
            self.shared.append(index)
            assert self.file == threading.get_ident()
            return index

        def __len__(self):
            return self.n

    whole = Opens(6)
    for dataset in (whole, Subset(whole, range(6)), ConcatDataset([whole, Opens(2)])):
        assert len(list(DataLoader(dataset, num_workers=3))) == len(dataset)
        assert whole.file is None
    assert len(whole.shared) == 18


def test_persistent_workers():
    starts, threads = [], []

    class Who(Noisy):
        def __getitem__(self, index):
            threads.append(threading.get_ident())
            return super().__getitem__(index)

    loader = DataLoader(Who(8), 2, num_workers=2, persistent_workers=True, worker_init_fn=starts.append,
                        generator=seeded(0))  # fmt: skip
    first, second = epoch(loader), epoch(loader)
    assert sorted(starts) == [0, 1] and len(set(threads)) == 2
    other = DataLoader(Noisy(8), 2, num_workers=1, generator=seeded(0))
    assert [first, second] == [epoch(other), epoch(other)]
    next(iter(loader))  # breaking off ends these workers
    assert len(epoch(loader)) == 4 and sorted(starts) == [0, 0, 1, 1]
    del loader
    assert no_thread_is_left()


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_error_comes_with_its_type_traceback_and_sample(context):
    loader = DataLoader(Failing(missing), 2, num_workers=2, multiprocessing_context=context)
    batches = iter(loader)
    assert [next(batches).tolist(), next(batches).tolist()] == [[0, 1], [2, 3]]
    with pytest.raises(KeyError, match="missing") as caught:
        next(batches)
    notes = "\n".join(caught.value.__notes__)
    assert "(raised by sample 5 of the Failing)" in notes and "worker" in notes
    where = notes if context else "".join(map(str, caught.traceback))
    assert "in missing" in where or "missing" in where
    with pytest.raises(StopIteration):
        next(batches)
    del batches
    assert no_thread_is_left()


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("how, error, message", [
    (picky, (Picky, RuntimeError), "one and two"),
    (ended, RuntimeError, "ended by SystemExit"),
    (killed, RuntimeError, r"worker \(pid \d+\) exited unexpectedly while reading batch 2 .*\[4, 5\].*SIGKILL"),
])  # fmt: skip
def test_other_ends(context, how, error, message):
    if how is killed and context is None:
        pytest.skip("that would be this process")
    loader = DataLoader(Failing(how), 2, num_workers=2, multiprocessing_context=context)
    with pytest.raises(error, match=message):
        list(loader)
    assert no_thread_is_left()


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_error_in_the_start_of_a_worker(context):
    def start(worker):
        raise ValueError("no start")

    with pytest.raises(ValueError, match="no start"):
        list(DataLoader(Noisy(3), num_workers=2, worker_init_fn=start, multiprocessing_context=context))


def test_the_seed_of_a_worker():
    seen = []

    def start(worker):
        seen.append((worker, get_worker_info().seed, tinyconv.initial_seed()))
        tinyconv.manual_seed(7)

    loader = DataLoader(Noisy(4), 2, num_workers=2, worker_init_fn=start, generator=seeded(0))
    first, second = epoch(loader), epoch(loader)
    (_, a, mine), (_, b, other) = sorted(seen[:2])
    assert b == a + 1 and (mine, other) == (a, b)
    assert first == second  # the user's seed counts
    assert first[0][1] != first[1][1]


def test_a_slow_worker_times_out():
    wait = threading.Event()
    loader = DataLoader(Failing(wait.wait), 3, num_workers=1, timeout=0.05)
    with pytest.raises(RuntimeError, match="timed out after 0.05 seconds, waiting for DataLoader worker thread 0"):
        list(loader)
    wait.set()
    assert no_thread_is_left()


@pytest.mark.parametrize("context", CONTEXTS)
def test_breaking_off_ends_the_workers(context):
    for _ in DataLoader(Noisy(100), num_workers=2, multiprocessing_context=context):
        break
    assert no_thread_is_left()


def test_chains():
    both = Stream(2) + Stream(3)
    assert isinstance(both, ChainDataset)
    assert list(DataLoader(both, None)) == [0, 1, 0, 1, 2]
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ChainDataset([Noisy(2)]))


SCRIPT = """
import os, signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell has started the tests in the background
import tinyconv
from tinyconv.utils.data import DataLoader
from tinyconv.tensor import wrap

def sample(i):
    time.sleep(0.01)
    return i

class Data(tinyconv.utils.data.Dataset):
    def __getitem__(self, i): return sample(i)
    def __len__(self): return 10**6

try:
    for k, batch in enumerate(DataLoader(Data(), 4, num_workers=2, multiprocessing_context=CONTEXT)):
        if k == 4:
            threading.Timer(0.05, os.killpg, (os.getpgrp(), signal.SIGINT)).start()  # as a terminal does
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_unguarded_script_is_interrupted_by_ctrl_c(context, tmp_path):
    command = [sys.executable, "-c", SCRIPT.replace("CONTEXT", repr(context))]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, start_new_session=True)
    assert (run.returncode, run.stdout.strip()) == (0, "interrupted"), run.stderr
    assert "Traceback" not in run.stderr
