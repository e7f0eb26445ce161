"""The simulator runs kernels right, and finds what is wrong with others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda.array import DeviceArray
from tinyconv.kernels.cuda.elementwise import map2
from tinyconv.kernels.cuda.functions import add
from tinyconv.kernels.cuda.kernel import FLOATS, Constant, Kernel, T
from tinyconv.kernels.cuda.language import (
    ALL_LANES,
    atomic_add,
    atomic_max,
    cuda,
    float32,
    load4,
    local,
    multiply_add_16x8x8,
    pointer_at,
    quotient,
    shared,
    store4,
    tf32,
)
from tinyconv.kernels.cuda.reduce import block_sum
from tinyconv.kernels.cuda.runtime import empty, launch, simulated
from tinyconv.kernels.cuda.simulator import SimulatorError

F: Any = Constant("F")


@pytest.fixture(autouse=True)
def _device():
    with simulated() as device:
        yield device


def a_kernel(function, signature: str, block=32, **constants) -> Kernel:
    """A kernel that no registry knows."""
    return Kernel(function, signature, constants, block, 255, 1, False, lambda **_: True, lambda **_: (7, 5))


def run(function, signature: str, *args, grid=1, block=32, **constants):
    """Run a kernel on NumPy arrays; what has become of the last one."""
    on_device = [backend.from_host(a) if isinstance(a, np.ndarray) else a for a in args]
    launch(a_kernel(function, signature, block), grid, *on_device, **constants)
    return backend.to_host([a for a in on_device if isinstance(a, DeviceArray)][-1])


def numbers(n: int, dtype=np.float32) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(n).astype(dtype)


# ------------------------------------------------------------------------------------------------------ it runs kernels


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 255, 256, 257, 70_000])
def test_elementwise(n, dtype):
    x, y = numbers(n, dtype), numbers(n, dtype)[::-1].copy()
    z = empty((n,), dtype)
    launch(map2, -(-n // 1024), backend.from_host(x), backend.from_host(y), z, n, F=add)
    np.testing.assert_array_equal(backend.to_host(z), x + y)


@pytest.mark.parametrize("n", [1, 31, 256, 5000])
def test_sum_by_shuffles_and_shared_memory(n):
    def sum_all(x, y, n):
        total = float32(0)
        for i in range(cuda.threadIdx.x, n, 256):
            total += x[i]
        total = block_sum(total, float32)
        if cuda.threadIdx.x == 0:
            y[0] = total

    x = numbers(n)
    y = run(sum_all, "float32*, float32*, int32", x, np.empty(1, np.float32), n, block=256)
    np.testing.assert_allclose(y, x.astype(np.float64).sum(), rtol=1e-5, atol=1e-5)


def spread_by_thread_0(value):
    cell = shared(1, float32)
    if cuda.threadIdx.x == 0:
        cell[0] = value
    cuda.syncthreads()
    return cell[0]


def test_a_shared_array_is_one_however_often_its_line_is_reached():
    """As compiled: so a second call may meet threads that still read what the first one left."""

    def twice(y):
        y[cuda.threadIdx.x] = spread_by_thread_0(float32(1)) + spread_by_thread_0(float32(2))

    with pytest.raises(SimulatorError, match="race: shared0"):
        run(twice, "float32*", np.empty(64, np.float32), block=64)


def test_control_flow_that_differs_from_thread_to_thread():
    def collatz(start, y, limit):
        i = cuda.grid(1)
        n = start[i]
        steps = 0
        while True:
            if n == 1:
                break
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
            if steps < limit:
                continue
            steps = -1
            break
        if steps < 0:
            y[i] = -1
            return
        y[i] = steps

    def expected(n: int) -> int:
        steps = 0
        while n != 1:
            n, steps = (n // 2 if n % 2 == 0 else 3 * n + 1), steps + 1
            if steps == 50:
                return -1
        return steps

    start = np.arange(1, 65, dtype=np.int32)
    y = run(collatz, "int32*, int32*, int32", start, np.zeros(64, np.int32), 50, grid=2)
    assert y.tolist() == [expected(n) for n in range(1, 65)]


def test_loops_in_loops_with_returns_inside():
    def first_factor(y):
        n = cuda.grid(1)
        for a in range(2, n):
            for b in range(a, n):
                if a * b == n:
                    y[n] = a
                    return
                if a * b > n:
                    break
        y[n] = 0

    y = run(first_factor, "int32*", np.zeros(64, np.int32), grid=2)
    assert y.tolist() == [next((a for a in range(2, n) if n % a == 0), 0) for n in range(64)]


def test_helpers_return_early_and_loops_differ():
    y = run(_triangles, "int64*", np.zeros(40, np.int64), block=40)
    assert y.tolist() == [-1 if n % 3 == 0 else n * (n + 1) // 2 for n in range(40)]


def _triangle(n):
    if n % 3 == 0:
        return -1
    total = 0
    for k in range(1, n + 1):
        total += k
    return total


def _triangles(y):
    y[cuda.threadIdx.x] = _triangle(cuda.threadIdx.x)


def test_conditions_guard_what_they_should():
    def guarded(x, y, n):
        i = cuda.threadIdx.x
        a = x[i] if i < n else float32(-1)
        if i + 1 < n and x[i + 1] > a:
            a = float32(7)
        if 0 < i < n or not i < n + 1:
            a += float32(1)
        y[i] = a

    x = numbers(20)
    expected = [-1.0] * 32
    for i in range(32):
        a = x[i] if i < 20 else np.float32(-1)
        if i + 1 < 20 and x[i + 1] > a:
            a = np.float32(7)
        expected[i] = a + np.float32(1) if 0 < i < 20 or i >= 21 else a
    y = run(guarded, "float32*, float32*, int32", x, np.zeros(32, np.float32), 20)
    np.testing.assert_array_equal(y, np.array(expected, np.float32))


def test_blocks_and_threads_have_three_axes():
    def places(y):
        t, b = cuda.threadIdx, cuda.blockIdx
        block = b.x + cuda.gridDim.x * (b.y + cuda.gridDim.y * b.z)
        thread = t.x + cuda.blockDim.x * (t.y + cuda.blockDim.y * t.z)
        y[block * 24 + thread] = 100000 * t.z + 10000 * t.y + 1000 * t.x + 100 * b.z + 10 * b.y + b.x

    y = run(places, "int32*", np.zeros(24 * 24, np.int32), grid=(2, 3, 4), block=(4, 3, 2))
    assert y[0] == 0 and y[-1] == 123321 and len(set(y.tolist())) == 24 * 24


def test_warp_operations():
    def warp(x, down, up, xor, spread, votes):
        i = cuda.threadIdx.x
        down[i] = cuda.shfl_down_sync(ALL_LANES, x[i], 3)
        up[i] = cuda.shfl_up_sync(ALL_LANES, x[i], 1)
        xor[i] = cuda.shfl_xor_sync(ALL_LANES, x[i], 5)
        spread[i] = cuda.shfl_sync(ALL_LANES, x[i], 2)
        votes[i] = (
            cuda.ballot_sync(ALL_LANES, i % 2 == 0)
            + cuda.any_sync(ALL_LANES, i == 40)
            + 2 * cuda.all_sync(ALL_LANES, i < 32)
        )

    x, lane = numbers(64), np.arange(64)
    outs = [backend.from_host(np.zeros(64, np.float32)) for _ in range(4)] + [backend.from_host(np.zeros(64, np.int64))]
    launch(a_kernel(warp, "float32*, " * 5 + "int64*", 64), 1, backend.from_host(x), *outs)
    down, up, xor, spread, votes = map(backend.to_host, outs)
    warps = lane // 32 * 32
    np.testing.assert_array_equal(down, x[np.where(lane % 32 < 29, lane + 3, lane)])
    np.testing.assert_array_equal(up, x[np.where(lane % 32 > 0, lane - 1, lane)])
    np.testing.assert_array_equal(xor, x[lane ^ 5])
    np.testing.assert_array_equal(spread, x[warps + 2])
    assert votes.tolist() == [0x55555555 + 2] * 32 + [0x55555555 + 1] * 32


def test_votes_of_a_block_atomics_and_local_memory():
    def kernel(y):
        i = cuda.threadIdx.x
        mine = local(4, float32)
        for k in range(4):
            mine[k] = float32(i + k)
        total = float32(0)
        for k in range(4):
            total += mine[k]
        atomic_add(y, 0, total)
        atomic_max(y, 1, total)
        y[2 + i] = float32(
            cuda.syncthreads_count(i < 10) + 100 * cuda.syncthreads_or(i == 3) + 1000 * cuda.syncthreads_and(i)
        )

    y = run(kernel, "float32*", np.zeros(66, np.float32), block=64)
    assert y[0] == sum(4 * i + 6 for i in range(64))
    assert y[1] == 4 * 63 + 6
    assert set(y[2:].tolist()) == {110.0}


def test_accesses_of_128_bits():
    def copy(x, y):
        i = 4 * cuda.threadIdx.x
        a, b, c, d = load4(x, i)
        store4(y, i, d, c, b, a)

    x = numbers(128)
    y = run(copy, "float32*, float32*", x, np.zeros(128, np.float32))
    np.testing.assert_array_equal(y, x.reshape(32, 4)[:, ::-1].ravel())


def _double_all(table, lengths):
    x = pointer_at(table[cuda.blockIdx.x], float32)
    i = cuda.threadIdx.x
    if i < lengths[cuda.blockIdx.x]:
        x[i] = x[i] + x[i]


def test_one_launch_for_many_arrays_by_a_table_of_addresses():
    xs = [backend.from_host(numbers(n)) for n in (5, 32, 17)]
    table = backend.from_host(np.array([x.pointer for x in xs]))
    lengths = backend.from_host(np.array([x.size for x in xs]))
    launch(a_kernel(_double_all, "int64*, int64*"), 3, table, lengths)
    for x in xs:
        np.testing.assert_array_equal(backend.to_host(x), 2 * numbers(x.size))


def test_a_table_with_a_wrong_address():
    table, lengths = backend.from_host(np.array([123456])), backend.from_host(np.array([3]))
    with pytest.raises(SimulatorError, match="there is no array of float32 at the address 0x1e240"):
        launch(a_kernel(_double_all, "int64*, int64*"), 1, table, lengths)


# ------------------------------------------------------------------------------------------- it finds what is wrong


def _no_barrier(x, y):
    t, s = cuda.threadIdx.x, shared(64, float32)
    s[t] = x[t]
    y[t] = s[63 - t]


def _no_second_barrier(x, y):
    t, s = cuda.threadIdx.x, shared(64, float32)
    s[t] = x[t]
    cuda.syncthreads()
    a = s[63 - t]
    s[t] = a
    y[t] = a


def _warp_barrier_is_not_enough(x, y):
    t, s = cuda.threadIdx.x, shared(64, float32)
    s[t] = x[t]
    cuda.syncwarp()
    y[t] = s[63 - t]


def _all_write_one_shared_cell(x, y):
    s = shared(1, float32)
    s[0] = x[cuda.threadIdx.x]
    y[cuda.threadIdx.x] = float32(0)


def _all_write_one_cell(x, y):
    y[0] = x[cuda.threadIdx.x]


def _reads_what_another_writes(x, y):
    i = cuda.threadIdx.x
    y[i] = x[i]
    y[i] = y[(i + 1) % 64] + float32(1)


def _atomic_beside_a_plain_write(x, y):
    s = shared(1, float32)
    if cuda.threadIdx.x == 0:
        s[0] = float32(0)
    cuda.syncthreads()
    atomic_add(s, 0, x[cuda.threadIdx.x])
    if cuda.threadIdx.x == 3:
        y[0] = s[0]


def _divergent_barrier(x, y):
    t = cuda.threadIdx.x
    if t < 40:
        cuda.syncthreads()
    y[t] = x[t]


def _barrier_after_a_return(x, y):
    t = cuda.threadIdx.x
    if t == 5:
        return
    cuda.syncthreads()
    y[t] = x[t]


def _barrier_in_a_loop_of_different_lengths(x, y):
    t = cuda.threadIdx.x
    for _ in range(t, 70):
        cuda.syncthreads()
    y[t] = x[t]


def _divergent_shuffle(x, y):
    t = cuda.threadIdx.x
    v = x[t]
    if t != 7:
        v = cuda.shfl_down_sync(ALL_LANES, v, 1)
    y[t] = v


def _shuffle_outside_of_its_mask(x, y):
    t = cuda.threadIdx.x
    y[t] = cuda.shfl_down_sync(0xFFFF, x[t], 1)


def _negative_index(x, y):
    y[cuda.threadIdx.x] = x[cuda.threadIdx.x - 1]


def _beyond_the_end(x, y):
    y[cuda.threadIdx.x + 1] = x[cuda.threadIdx.x]


def _beyond_shared_memory(x, y):
    s = shared(32, float32)
    s[cuda.threadIdx.x] = x[cuda.threadIdx.x]


def _unwritten_shared_memory(x, y):
    t, s = cuda.threadIdx.x, shared(65, float32)
    s[t] = x[t]
    cuda.syncthreads()
    y[t] = s[t + 1]


def _unwritten_device_memory(x, y):
    y[cuda.threadIdx.x] += x[cuda.threadIdx.x]


def _unwritten_local_memory(x, y):
    mine = local(2, float32)
    mine[0] = x[0]
    y[cuda.threadIdx.x] = mine[1]


def _too_much_shared_memory(x, y):
    shared(3 * 4096, float32)
    shared(1, float32)


def _misaligned(x, y):
    if cuda.threadIdx.x < 10:
        load4(x, 4 * cuda.threadIdx.x + 1)


def _a_double_among_floats(x, y):
    y[cuda.threadIdx.x] = 0.5 * x[cuda.threadIdx.x]


def _quotient_of_a_negative(x, y):
    y[quotient(cuda.threadIdx.x - 1, 3)] = x[0]


BUGS = {
    _no_barrier: r"race: shared0\[\d+\] is read by thread \d+ of block 0, and written by thread \d+ of block 0",
    _no_second_barrier: r"race: shared0\[0\] is written by thread 0 of block 0, and read by thread 63 of block 0",
    _warp_barrier_is_not_enough: r"race: shared0\[63\] is read by thread 0 of block 0, and written by thread 63",
    _all_write_one_shared_cell: r"race: shared0\[0\] is written by thread 0 of block 0 and by thread 63 of block 0 at",
    _all_write_one_cell: r"race: y\[0\] is written by thread 0 of block 0 and by thread 63 of block 0 at once",
    _reads_what_another_writes: r"race: y\[1\] is read by thread 0 of block 0, and written by thread 1 of block 0",
    _atomic_beside_a_plain_write: r"race: shared0\[0\] is read by thread 3 of block 0, and written by an atomic",
    _divergent_barrier: r"divergent barrier: 40 of 64 threads of a block are at syncthreads\(\), thread 40 of block",
    _barrier_after_a_return: r"divergent barrier: 63 of 64 threads of a block are at syncthreads\(\), thread 5 of",
    _barrier_in_a_loop_of_different_lengths: r"divergent barrier: 63 of 64 threads",
    _divergent_shuffle: r"divergent shfl_down_sync: thread 7 of block 0 is in the mask 0xffffffff and does not come",
    _shuffle_outside_of_its_mask: r"shfl_down_sync: thread 16 of block 0 calls it, but is not in its mask 0xffff",
    _negative_index: r"thread 0 of block 0 reaches for x\[-1\], outside of \[0, 64\)",
    _beyond_the_end: r"thread 63 of block 0 reaches for y\[64\], outside of \[0, 64\)",
    _beyond_shared_memory: r"thread 32 of block 0 reaches for shared0\[32\], outside of \[0, 32\)",
    _unwritten_shared_memory: r"thread 63 of block 0 reads shared0\[64\], which nobody has written yet",
    _unwritten_device_memory: r"thread 0 of block 0 reads y\[0\], which nobody has written yet",
    _unwritten_local_memory: r"a local array is read at 1, where nothing has been written yet",
    _too_much_shared_memory: r"a block asks for 49156 bytes of shared memory; there are 49152",
    _misaligned: r"load4: thread 0 of block 0 at x\[1\], which is not on a multiple of four",
    _a_double_among_floats: r"a float64 is stored in y, which is float32",
    _quotient_of_a_negative: r"quotient: a dividend is not in \[0, 2\*\*31\): -1 to 62",
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__.strip("_"))
def test_planted_bugs(bug):
    x, y = backend.from_host(numbers(64)), empty((64,), np.float32)
    with pytest.raises(SimulatorError, match=BUGS[bug]) as caught:
        launch(a_kernel(bug, "float32*, float32*", 64), 1, x, y)
    assert any(entry.path.samefile(__file__) and entry.name == bug.__name__ for entry in caught.traceback)


def test_blocks_that_write_one_cell():
    """Also where they are too many to run at once."""

    def kernel(y):
        if cuda.threadIdx.x == 0:
            y[cuda.blockIdx.x % 150] = float32(0)

    with pytest.raises(
        SimulatorError, match=r"race: y\[0\] is written by thread 0 of block 150 and by thread 0 of block 0"
    ):
        run(kernel, "float32*", np.zeros(150, np.float32), grid=200, block=1024)


def test_barriers_order_and_so_does_syncwarp_within_a_warp():
    def kernel(x, y):
        t, s = cuda.threadIdx.x, shared(64, float32)
        s[t] = x[t]
        cuda.syncwarp()
        a = s[t ^ 31]
        cuda.syncwarp()
        s[t] = a
        cuda.syncthreads()
        y[t] = s[63 - t]

    x = numbers(64)
    y = run(kernel, "float32*, float32*", x, np.zeros(64, np.float32), block=64)
    np.testing.assert_array_equal(y, x[(63 - np.arange(64)) ^ 31])


def test_a_pointer_reaches_as_far_as_its_view():
    def kernel(x, y):
        y[cuda.threadIdx.x] = x[-cuda.threadIdx.x]

    x = backend.from_host(np.arange(64, dtype=np.float32))
    backwards, y = x.viewed((32,), (-1,), 40), empty((32,), np.float32)
    launch(a_kernel(kernel, "float32*, float32*"), 1, backwards, y)
    assert backend.to_host(y).tolist() == list(range(40, 8, -1))
    with pytest.raises(SimulatorError, match=r"reaches for x\[-20\], outside of \[-19, 1\)"):
        launch(a_kernel(kernel, "float32*, float32*"), 1, x.viewed((20,), (-1,), 40), y)


def test_memory_is_fresh_again_when_it_is_used_again():
    x = backend.from_host(np.ones(64, np.float32))
    address = x.pointer
    del x
    y = empty((64,), np.float32)
    assert y.pointer == address
    with pytest.raises(SimulatorError, match="which nobody has written yet"):
        launch(a_kernel(_unwritten_device_memory, "float32*, float32*", 64), 1, backend.from_host(numbers(64)), y)


def test_constants_are_inferred_or_asked_for():
    def kernel(x, n):
        if cuda.threadIdx.x == 0:
            x[0] = F(T(2), T(3))

    made = a_kernel(kernel, "T*, int32", T=FLOATS, F=(add,))
    x = empty((1,), np.float64)
    launch(made, 1, x, 0, F=add)
    assert backend.to_host(x).tolist() == [5.0]
    with pytest.raises(TypeError, match=r"needs \['F', 'T'\], got \['T'\]"):
        launch(made, 1, x, 0)
    with pytest.raises(SimulatorError, match="n is int32, got 2147483648"):
        launch(made, 1, x, 2**31, F=add)


def test_a_grid_without_blocks_runs_nothing():
    x = empty((1,), np.float32)
    launch(a_kernel(_all_write_one_cell, "float32*, float32*"), 0, x, x)


# --------------------------------------------------------------------------------------------------------- tensor cores


def _multiply_add(a, b, c, y):
    g, t, first = cuda.threadIdx.x % 32 // 4, cuda.threadIdx.x % 4, cuda.threadIdx.x // 32 * 128
    x = multiply_add_16x8x8(
        a[first + 8 * g + t], a[first + 8 * g + 64 + t], a[first + 8 * g + t + 4], a[first + 8 * g + 68 + t],
        b[first // 2 + 8 * t + g], b[first // 2 + 8 * t + 32 + g],
        c[first + 8 * g + 2 * t], c[first + 8 * g + 2 * t + 1], c[first + 8 * g + 2 * t + 64],
        c[first + 8 * g + 2 * t + 65],
    )  # fmt: skip
    y[first + 8 * g + 2 * t] = x[0]
    y[first + 8 * g + 2 * t + 1] = x[1]
    y[first + 8 * g + 2 * t + 64] = x[2]
    y[first + 8 * g + 2 * t + 65] = x[3]


def _whole_numbers(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(-9, 9, n).astype(np.float32)


def test_a_tensor_core_multiplies_matrices():
    """Two warps, each its own; the threads' parts are where PTX's manual has them."""
    a, b, c = _whole_numbers(256), _whole_numbers(128), _whole_numbers(255 + 1)[::-1].copy()
    y = run(_multiply_add, "float32*, float32*, float32*, float32*", a, b, c, np.zeros(256, np.float32), block=64)
    expected = c.reshape(2, 16, 8) + a.reshape(2, 16, 8) @ b.reshape(2, 8, 8)
    np.testing.assert_array_equal(y.reshape(2, 16, 8), expected)


def test_a_tensor_core_rounds_towards_zero():
    a, b, c = np.zeros((16, 8), np.float32), np.eye(8, dtype=np.float32), np.full((16, 8), 1, np.float32)
    a[0, 0], a[0, 1], c[1] = 2.0**-24 * 1.5, -(2.0**-26), -1
    a[1, 0] = -(2.0**-24) * 1.5
    y = run(_multiply_add, "float32*, float32*, float32*, float32*", *(x.ravel() for x in (a, b, c)),
            np.zeros(128, np.float32)).reshape(16, 8)  # fmt: skip
    assert y[0, 0] == 1 and y[0, 1] == np.nextafter(np.float32(1), np.float32(0)) and y[1, 0] == -1


def test_tf32_keeps_eleven_bits():
    def kernel(x, y):
        y[cuda.threadIdx.x] = tf32(x[cuda.threadIdx.x])

    x = np.array([1 + 2.0**-11, 1 + 2.0**-11 - 2.0**-23, -1 - 2.0**-11, 3.0e38, np.inf, np.nan, 0, -0.0], np.float32)
    y = run(kernel, "float32*, float32*", x, np.zeros(8, np.float32), block=8)
    np.testing.assert_array_equal(y[:3], np.array([1 + 2.0**-10, 1, -1 - 2.0**-10], np.float32))
    assert abs(y[3] / x[3] - 1) <= 2.0**-11 and not y[3:4].view(np.uint32)[0] & 0x1FFF
    np.testing.assert_array_equal(y[4:], x[4:])
    assert np.signbit(y[7])


def test_a_tensor_core_refuses_other_numbers_and_half_a_warp():
    a, b, c, y = numbers(128), _whole_numbers(64), _whole_numbers(128), np.zeros(128, np.float32)
    with pytest.raises(SimulatorError, match="thread 0 of block 0 brings 0.125730.*, no TF32 number"):
        run(_multiply_add, "float32*, float32*, float32*, float32*", a, b, c, y)
    zeros = [np.zeros(256, np.float32)] * 4
    with pytest.raises(SimulatorError, match="takes whole warps; a block here has 48 threads"):
        run(_multiply_add, "float32*, float32*, float32*, float32*", *zeros, block=48)

    def some(x, y):
        if cuda.threadIdx.x != 7:
            multiply_add_16x8x8(x[0], x[0], x[0], x[0], x[0], x[0], x[0], x[0], x[0], x[0])

    with pytest.raises(SimulatorError, match="divergent multiply_add_16x8x8: thread 7 of block 0"):
        run(some, "float32*, float32*", c, y)
