"""Sharing work among threads.

A kernel says ``parallel_for(task, n, (x, y))``: call ``task(i, x, y)`` for every i < n, in any order, on any thread.
The work items are cut from the problem (an image, a block of rows), never from the number of threads, and each writes
its own part of the result; so results are bit-identical for any number of threads.

How it works: the items are cut into one *section* for each thread. The caller writes a *job* (a function pointer, a
pointer to the packed arguments, n) into the team's mailbox and raises its sequence number. Workers poll the mailbox,
first spinning, then asleep on a futex; whoever sees the new job, the caller included, claims items of the section of
its own number, and when none is left there helps with the others'. So every thread sees the same part of the images in
one kernel after another, and finds them in its own cache: what another core has written costs many times as much to
read. A claim names its job, by a number that only grows, so a worker that comes late finds nothing to claim. The tests
try in which orders threads can meet (``tests/kernels/cpu/test_interleavings.py``).

A job costs less than a microsecond to hand over, an OpenMP launch through Numba ten times that: at LeNet's sizes this
is the difference between gaining from a second core and losing. What the caller writes for a job lies on one line of
the cache, for the same reason. If the team is busy (another Python thread is computing, or an item starts a job of its
own), the caller simply does all items itself.

Waiting on a futex is Linux's; elsewhere the job runs through Numba's ``prange``. This file is the only one that knows.
"""

from __future__ import annotations

import os
import platform
import sys
import threading

import numba
import numpy as np
from llvmlite import binding, ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from .compile import JIT, call_by_address, jit

# The mailbox: int64 words. What is written by different threads lies on different lines of the cache, and not on two
# neighbours, which some processors fetch together.
LINE = 16
LOCK = 0  # the caller's
SEQUENCE, DRAFT, JOB, CONTEXT, ITEMS, SECTIONS, TICKET = [LINE + i for i in range(7)]  # from the caller to the workers
DONE = 2 * LINE  # from the workers to the caller
ASLEEP, WAITING, FAILED, WORKERS = [3 * LINE + i for i in range(4)]  # seldom written
CLAIMS = 4 * LINE  # of each section, on lines of their own
MOST_SECTIONS = 64
WORDS = CLAIMS + MOST_SECTIONS * LINE
GOES = 8  # in how many goes a thread takes its section, at least: each costs a cache line's way between cores
JOBS = 256  # a claim is JOBS * ticket + goes taken
SPINS = 4000  # polls of the mailbox before a thread goes to sleep, about 100 microseconds

_memory = np.zeros(WORDS + LINE, np.int64)
_mailbox = _memory[(-_memory.ctypes.data // 8) % LINE :][:WORDS]
_MACHINE = platform.machine()
_FUTEX_CALL = {"x86_64": 202, "aarch64": 98}.get(_MACHINE, 0)
_HAS_FUTEX = sys.platform == "linux" and _FUTEX_CALL != 0 and os.environ.get("TINYCONV_THREADING") != "prange"

if JIT:
    # Compiled code finds the mailbox by name when it is loaded: an address in the code itself could not be cached.
    binding.add_symbol("tinyconv_mailbox", _mailbox.ctypes.data)
    _I64 = ir.IntType(64)
    _TASK = ir.FunctionType(ir.VoidType(), [_I64, ir.IntType(8).as_pointer()])

    def _word(context, builder, offset):
        name = "tinyconv_mailbox"
        base = builder.module.globals.get(name) or ir.GlobalVariable(builder.module, ir.ArrayType(_I64, WORDS), name)
        return builder.gep(base, [ir.Constant(_I64, 0), offset])

    @intrinsic
    def read(typingctx, word):
        """Atomic load of a word of the mailbox."""

        def codegen(context, builder, signature, args):
            return builder.load_atomic(_word(context, builder, args[0]), "seq_cst", 8)

        return types.int64(types.int64), codegen

    @intrinsic
    def write(typingctx, word, value):
        """Atomic store, after all that the thread did before."""

        def codegen(context, builder, signature, args):
            builder.store_atomic(args[1], _word(context, builder, args[0]), "release", 8)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    @intrinsic
    def fetch_add(typingctx, word, value):
        """Atomic add; returns the value before."""

        def codegen(context, builder, signature, args):
            return builder.atomic_rmw("add", _word(context, builder, args[0]), args[1], "seq_cst")

        return types.int64(types.int64, types.int64), codegen

    @intrinsic
    def exchange(typingctx, word, value):
        """Atomic exchange; returns the value before."""

        def codegen(context, builder, signature, args):
            return builder.atomic_rmw("xchg", _word(context, builder, args[0]), args[1], "seq_cst")

        return types.int64(types.int64, types.int64), codegen

    @intrinsic
    def replace(typingctx, word, old, new):
        """Atomic store of ``new`` if the word is ``old``; whether it was."""

        def codegen(context, builder, signature, args):
            word = _word(context, builder, args[0])
            return builder.extract_value(builder.cmpxchg(word, args[1], args[2], "seq_cst", "seq_cst"), 1)

        return types.boolean(types.int64, types.int64, types.int64), codegen

    @intrinsic
    def pause(typingctx):
        """Tell the core that this is a spin loop."""

        def codegen(context, builder, signature, args):
            nothing = ir.FunctionType(ir.VoidType(), [])
            if _MACHINE in ("x86_64", "AMD64"):
                builder.call(cgutils.get_or_insert_function(builder.module, nothing, "llvm.x86.sse2.pause"), [])
            elif _MACHINE in ("aarch64", "arm64"):
                hint = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
                yield_ = cgutils.get_or_insert_function(builder.module, hint, "llvm.aarch64.hint")
                builder.call(yield_, [ir.Constant(ir.IntType(32), 1)])
            return context.get_dummy_value()

        return types.void(), codegen

    @intrinsic
    def futex(typingctx, word, operation, value):
        """Linux's futex on a word: operation 0 sleeps while it equals ``value``, 1 wakes up to ``value`` sleepers."""

        def codegen(context, builder, signature, args):
            kind = ir.FunctionType(_I64, [_I64], var_arg=True)
            syscall = cgutils.get_or_insert_function(builder.module, kind, "syscall")
            address = builder.ptrtoint(_word(context, builder, args[0]), _I64)
            private = builder.or_(args[1], ir.Constant(_I64, 128))
            zero = ir.Constant(_I64, 0)
            builder.call(syscall, [ir.Constant(_I64, _FUTEX_CALL), address, private, args[2], zero, zero, zero])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    @intrinsic
    def call(typingctx, job, context_, item):
        """Do one item of a job."""

        def codegen(context, builder, signature, args):
            job = builder.inttoptr(args[0], _TASK.as_pointer())
            builder.call(job, [args[2], builder.inttoptr(args[1], ir.IntType(8).as_pointer())])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    @jit
    def _take_items(number):
        """Claim items of the present job and do them, those of the section ``number`` first; how many they were."""
        ticket = read(TICKET)
        job, context, n, sections = read(JOB), read(CONTEXT), read(ITEMS), read(SECTIONS)
        if read(DRAFT) != ticket:  # the caller is writing its next job: this one is over
            return 0
        done = 0
        for k in range(sections):
            section = (number + k) % sections
            start, stop = n * section // sections, n * (section + 1) // sections
            several = max(1, (stop - start) // GOES)
            goes = (stop - start + several - 1) // several
            while True:
                seen = read(CLAIMS + LINE * section)
                go = max(0, seen - JOBS * ticket)  # more than any if the claim is on a later job
                if go >= goes:
                    break
                if replace(CLAIMS + LINE * section, seen, JOBS * ticket + go + 1):
                    first = start + go * several
                    last = min(first + several, stop)
                    for i in range(first, last):
                        call(job, context, i)
                    done += last - first
        return done

    @jit
    def _work(number):
        """A worker's life: wait for the sequence number to move, help with the job, leave when the team has shrunk."""
        last = 0
        while True:
            spins = 0
            while read(SEQUENCE) == last:
                spins += 1
                if spins < SPINS:
                    pause()
                else:
                    fetch_add(ASLEEP, 1)
                    futex(SEQUENCE, 0, last)
                    fetch_add(ASLEEP, -1)
                    spins = 0
            last = read(SEQUENCE)
            if number > read(WORKERS):
                return
            done = _take_items(number)
            if done > 0:
                fetch_add(DONE, done)
                if read(WAITING) == 1:
                    futex(DONE, 1, 1)

    @jit
    def _wait_for(total):
        """Wait for workers that are still at an item: spinning, then asleep, for on a busy machine such a worker may
        have lost its core, and a caller that keeps spinning could be what it waits for."""
        spins = 0
        while True:
            done = read(DONE)
            if done == total:
                return
            spins += 1
            if spins < SPINS:
                pause()
            else:
                exchange(WAITING, 1)
                futex(DONE, 0, done)
                write(WAITING, 0)

    @jit
    def _call_the_roll():
        """Let every worker see that the sequence number moved, though there is no job: those too many leave."""
        fetch_add(SEQUENCE, 1)
        futex(SEQUENCE, 1, 1 << 30)

    @jit
    def _check():
        """Raise here what an item could not raise on another thread: the only error kernels have."""
        if read(FAILED) != 0:
            write(FAILED, 0)
            raise MemoryError("a kernel found no memory for its work")

    @jit
    def _run_alone(job, context, n):
        for i in range(n):
            call(job, context, i)
        _check()

    @jit
    def _run_with_team(job, context, n):
        """All items of a job, with the workers' help if the team is free."""
        if n == 1 or read(WORKERS) == 0 or exchange(LOCK, 1) != 0:
            _run_alone(job, context, n)
            return
        before = read(DONE)
        ticket = read(TICKET) + 1
        write(DRAFT, ticket)
        write(JOB, job)
        write(CONTEXT, context)
        write(ITEMS, n)
        write(SECTIONS, min(read(WORKERS) + 1, n, MOST_SECTIONS))
        write(TICKET, ticket)
        fetch_add(SEQUENCE, 1)
        if read(ASLEEP) > 0:
            futex(SEQUENCE, 1, 1 << 30)
        _wait_for(before + n - _take_items(0))
        write(LOCK, 0)
        _check()

    if _HAS_FUTEX:
        _run = _run_with_team
    else:

        @numba.njit(parallel=True, nogil=True)
        def _prange(job, context, n):
            for i in prange(n):
                call(job, context, i)

        @jit
        def _run(job, context, n):
            if n == 1 or read(WORKERS) == 0 or exchange(LOCK, 1) != 0:
                _run_alone(job, context, n)
                return
            _prange(job, context, n)
            write(LOCK, 0)
            _check()

    @intrinsic
    def parallel_for(typingctx, task, n, arguments):
        """``task(i, *arguments)`` for every i < n, on the team's threads. ``task`` is a ``@jit`` function that
        returns None."""
        item_types = (types.int64, *arguments.types)
        typingctx.resolve_function_type(task, item_types, {})  # compiles it
        run_type = typingctx.resolve_value_type(_run)
        typingctx.resolve_function_type(run_type, (types.int64,) * 3, {})

        def codegen(context, builder, signature, args):
            # A small function void(i, packed) that unpacks the arguments and calls the task ...
            inner = ir.Function(builder.module, _TASK, builder.module.get_unique_name("parallel_task"))
            inner.linkage = "internal"
            b = ir.IRBuilder(inner.append_basic_block())
            packed_type = args[2].type
            packed = b.load(b.bitcast(inner.args[1], packed_type.as_pointer()))
            values = [b.extract_value(packed, k) for k in range(len(arguments.types))]
            call = types.none(*item_types)
            status, _ = call_by_address(context, b, task.dispatcher.lean, call, [inner.args[0], *values])
            with b.if_then(status.is_error, likely=False):
                failed = _word(context, b, ir.Constant(_I64, FAILED))
                b.store_atomic(ir.Constant(_I64, 1), failed, "seq_cst", 8)
            b.ret_void()
            # ... and a call of the runner with its address and that of the packed arguments.
            slot = cgutils.alloca_once_value(builder, args[2])
            numbers = [builder.ptrtoint(inner, _I64), builder.ptrtoint(slot, _I64), args[1]]
            call = types.none(*(types.int64,) * 3)
            status, _ = call_by_address(context, builder, _run.lean, call, numbers)
            with builder.if_then(status.is_error, likely=False):
                context.call_conv.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return types.void(task, types.int64, arguments), codegen

else:

    def parallel_for(task, n, arguments):
        """``task(i, *arguments)`` for every i < n."""
        for i in range(n):
            task(i, *arguments)


# ------------------------------------------------------------------------------------------------------- the team

_team_lock = threading.Lock()
MOST_THREADS = 1024
_team: list[threading.Thread] = []  # the workers; number k is _team[k - 1]
_threads = 1


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_threads() -> int:
    """``$OMP_NUM_THREADS`` or ``$NUMBA_NUM_THREADS`` where set, as other libraries do; else all cores."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return min(int(value), MOST_THREADS)
    return cores()


def get_num_threads() -> int:
    """How many threads the CPU kernels use."""
    return _threads


def set_num_threads(n: int) -> None:
    """Let the CPU kernels use ``n`` threads, the calling one included. Results do not depend on it.

    Raises:
        ValueError: ``n`` is not a positive int, or above 1024.
        RuntimeError: the system gives no more threads; those it gave are used.
    """
    global _threads
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST_THREADS:
        raise ValueError(f"set_num_threads: n must be a positive int, at most {MOST_THREADS}, got {n!r}")
    with _team_lock:
        if not JIT:
            _threads = n
            return
        if not _HAS_FUTEX:
            numba.set_num_threads(min(n, numba.config.NUMBA_NUM_THREADS))
            _threads, _mailbox[WORKERS] = n, n - 1
            return
        _mailbox[WORKERS] = n - 1
        if n - 1 < len(_team):
            leaving = _team[n - 1 :]
            del _team[n - 1 :]
            _call_the_roll()
            for worker in leaving:
                worker.join()
        # Compiled here, not in the workers: a fork meanwhile would copy the compiler's lock, locked.
        _work.compile((types.int64,))
        try:
            for number in range(len(_team) + 1, n):
                worker = threading.Thread(target=_work, args=(number,), daemon=True, name=f"tinyconv-{number}")
                worker.start()
                _team.append(worker)
        finally:
            _threads, _mailbox[WORKERS] = len(_team) + 1, len(_team)


def _after_fork() -> None:
    """A forked child has none of its parent's threads: it starts with an empty team, and a mailbox nobody is inside of.

    OpenMP, which may be behind ``prange``, does not survive a fork at all: without futexes a child has one thread.
    """
    global _team_lock
    _team_lock = threading.Lock()
    _team.clear()
    _mailbox[:] = 0
    set_num_threads(_threads if _HAS_FUTEX else 1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
