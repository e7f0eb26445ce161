"""Seconds on the GPU, by events; both sides in turns.

A kernel of a few microseconds is over before Python has launched the next, so that a loop of launches would measure
Python. Each side therefore records a row of calls as a CUDA graph, and what is timed is its replay: the GPU's time
alone. What cannot be recorded is launched one by one. A training step is also timed as it is: launched one by one, by
the host's clock, until the GPU has done it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tinyconv
from tinyconv.kernels.cuda import runtime

from ..harness import Comparison
from ..place import Place

MOST_CALLS = 200  # in one graph


class Clock:
    """Times what is launched on our stream.

    On the simulated GPU, which is as slow as it is thorough, the host's clock takes the events' place.
    """

    def __init__(self) -> None:
        on = runtime.device()
        self.on: Any = on if hasattr(on, "stream") else None
        if self.on:
            self.events = [self.on.call("cuEventCreate", 0) for _ in range(2)]

    def seconds(self, function: Callable) -> float:
        """How long what ``function`` launches takes."""
        runtime.synchronize()
        if not self.on:
            return _by_the_host(function, runtime.synchronize)
        start, end = self.events
        self.on.call("cuEventRecord", start, self.on.stream)
        function()
        self.on.call("cuEventRecord", end, self.on.stream)
        self.on.call("cuEventSynchronize", end)
        return float(self.on.call("cuEventElapsedTime", start, end)) / 1e3


class PeerClock:
    """Times what the peer launches."""

    def __init__(self, place: Place):
        self.cuda: Any = place.torch.cuda if place.torch and place.peer_device == "cuda" else None

    def synchronize(self) -> None:
        """Wait for it."""
        if self.cuda:
            self.cuda.synchronize()

    def seconds(self, function: Callable) -> float:
        """How long what ``function`` launches takes."""
        self.synchronize()
        if not self.cuda:
            return _by_the_host(function, self.synchronize)
        start, end = (self.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        function()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3


def _by_the_host(function: Callable, synchronize: Callable) -> float:
    start = time.perf_counter()
    function()
    synchronize()
    return time.perf_counter() - start


# -------------------------------------------------------------------------------------------------------------- kernels


def compare_kernels(ours: Callable, peer: Callable | None, place: Place, options: argparse.Namespace) -> Comparison:
    """Seconds a call on the GPU, ``options.repeats`` numbers a side, each from about ``options.block`` seconds."""
    sides = [(_row_of_calls(ours, options), Clock())]
    if peer is not None:
        sides.append((_peers_row_of_calls(peer, place, options), PeerClock(place)))
    return _in_turns([(run, calls, clock.seconds) for (run, calls), clock in sides], options.repeats)


def peers_seconds(function: Callable, place: Place, options: argparse.Namespace) -> np.ndarray:
    """The peer's, without ours."""
    run, calls = _peers_row_of_calls(function, place, options)
    return _in_turns([(run, calls, PeerClock(place).seconds)], options.repeats).ours


def _row_of_calls(function: Callable, options: argparse.Namespace) -> tuple[Callable, int]:
    """A function that launches so many calls at once, as a graph if it can be."""
    calls = _calls(function, Clock().seconds, options.block)

    def row() -> None:
        for _ in range(calls):
            function()

    graph = tinyconv.cuda.CUDAGraph()
    try:
        with tinyconv.cuda.graph(graph):
            row()
    except RuntimeError:
        return row, calls
    graph.replay()
    return graph.replay, calls


def _peers_row_of_calls(function: Callable, place: Place, options: argparse.Namespace) -> tuple[Callable, int]:
    """A row of the peer's calls, and how many they are."""
    clock = PeerClock(place)
    calls = _calls(function, clock.seconds, options.block)

    def row() -> None:
        for _ in range(calls):
            function()

    captured = captured_by_torch(place, row)
    return (row if captured is None else captured.replay), calls


def captured_by_torch(place: Place, function: Callable) -> Any:
    """PyTorch's graph of what ``function`` launches; None where it has no GPU, or cannot record it."""
    if not place.torch or place.peer_device != "cuda":
        return None
    cuda = place.torch.cuda
    side = cuda.Stream()
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):  # warm: PyTorch records nothing that is done for the first time
        function()
        function()
    cuda.current_stream().wait_stream(side)
    graph = cuda.CUDAGraph()
    try:
        with cuda.graph(graph):
            function()
    except RuntimeError:
        cuda.synchronize()
        return None
    graph.replay()
    return graph


def _calls(function: Callable, seconds: Callable, block: float) -> int:
    """How many calls fill a block; the first compiles."""
    seconds(function)
    once = min(seconds(function) for _ in range(2))
    return max(1, min(MOST_CALLS, round(block / max(once, 1e-7))))


def _in_turns(sides: list[tuple[Callable, int, Callable]], repeats: int) -> Comparison:
    times: list[list[float]] = [[] for _ in sides]
    for repeat in range(repeats):
        order = range(len(sides)) if repeat % 2 == 0 else reversed(range(len(sides)))
        for i in order:
            run, calls, seconds = sides[i]
            seconds(run)  # does not count: caches hold what the other side has left there
            times[i].append(seconds(run) / calls)
    return Comparison(np.array(times[0]), np.array(times[1]) if len(times) > 1 else None)


# ------------------------------------------------------------------------------------------------------ training steps


def compare_steps(ours: Callable, peer: Callable | None, place: Place, options: argparse.Namespace) -> Comparison:
    """Seconds a step by the host's clock, from its first launch until the GPU has done it."""
    sides = [(ours, runtime.synchronize)]
    if peer is not None:
        sides.append((peer, PeerClock(place).synchronize))
    timed = []
    for step, synchronize in sides:
        for _ in range(3):  # compiles, records
            step()
        synchronize()
        calls = max(1, round(options.block / max(_by_the_host(step, synchronize), 1e-7)))

        def row(step: Callable = step, calls: int = calls) -> None:
            for _ in range(calls):
                step()

        timed.append((row, calls, lambda row, synchronize=synchronize: _by_the_host(row, synchronize)))
    return _in_turns(timed, options.repeats)
