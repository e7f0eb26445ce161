"""The timer counts runs and prints what it measured; how long it took is nobody's to assert."""

import tinyconv
from tinyconv.utils.benchmark import Measurement, Timer


def test_a_timer_runs_the_statement():
    calls, before = [], tinyconv.get_num_threads()
    timer = Timer("f(x)", setup="x = 1", globals={"f": lambda x: calls.append(tinyconv.get_num_threads())})
    found = timer.timeit(20)
    assert len(calls) == 22 and set(calls) == {1} and tinyconv.get_num_threads() == before
    assert found.number_per_run == 20 and len(found.times) == 1 and found.mean == found.median > 0
    seen = []
    found = Timer("f(1)", globals={"f": lambda x: None}).blocked_autorange(lambda n, t: seen.append(n), 0.001)
    assert len(seen) == len(found.times) and set(seen) == {found.number_per_run}


def test_what_it_prints():
    once = Measurement(10, [2e-4], "f(x)")
    assert repr(once) == "f(x)\n  20.00 us\n  1 measurement, 10 runs per measurement, 1 thread"
    found = Measurement(10, [0.1, 0.2, 0.3], "f(x)", "Sums", "rows", "numpy", num_threads=2)
    assert repr(found).split("\n") == [
        "Sums", "rows", "numpy", "  Median: 20.00 ms", "  IQR:    10.00 ms",
        "  3 measurements, 10 runs per measurement, 2 threads",
    ]  # fmt: skip
    assert found.mean == 0.02
