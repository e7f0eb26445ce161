"""The GPU, by ``torch.cuda``'s names: is there one, how much of its memory is in use, wait for it.

tinyconv computes on one GPU, ``cuda:0``; ``CUDA_VISIBLE_DEVICES`` chooses which. Nothing here, nor ``import tinyconv``,
touches it before it is asked for. Random numbers come from one generator for all devices: element i of a draw is a
function of the seed and of i, and the same on the CPU and on the GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, NamedTuple

from . import amp, random
from .caller import warn
from .ops.typed import tensor_type
from .tensor import Tensor
from .tensor import device as Device

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CUDAGraph",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "GraphedStep",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
    "amp",
    "current_device",
    "device",
    "device_count",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "graph",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "make_graphed_step",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "set_device",
    "simulated",
    "synchronize",
    "why_unavailable",
]


__path__: list[str] = []  # `from torch.cuda.amp import GradScaler` is an import, too
sys.modules[f"{__name__}.amp"] = amp

BoolTensor, ByteTensor, CharTensor = (tensor_type(word, "cuda") for word in ("Bool", "Byte", "Char"))
DoubleTensor, FloatTensor, HalfTensor = (tensor_type(word, "cuda") for word in ("Double", "Float", "Half"))
IntTensor, LongTensor, ShortTensor = (tensor_type(word, "cuda") for word in ("Int", "Long", "Short"))


def _runtime() -> Any:
    return import_module("tinyconv.kernels.cuda.runtime")


def _checked(which: Any) -> None:
    """Whether an argument of PyTorch's means the one GPU: None, 0, "cuda", "cuda:0" or such a device."""
    index = which if which is None or isinstance(which, int) else Device(which).index
    if (isinstance(which, (str, Device)) and Device(which).type != "cuda") or index not in (None, 0):
        raise ValueError(
            f"expected cuda:0, the one GPU that tinyconv uses (CUDA_VISIBLE_DEVICES says which), got {which!r}"
        )


def is_available() -> bool:
    """Whether tensors can be moved to ``"cuda"``."""
    return why_unavailable() is None


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: no tensor holds bfloat16 numbers."""
    return False


def why_unavailable() -> str | None:
    """What keeps tinyconv from using a GPU; None if nothing does."""
    try:
        _runtime().device()
    except RuntimeError as error:
        return str(error)
    return None


def is_initialized() -> bool:
    """Whether the GPU is in use already."""
    return _runtime().in_use()


def device_count() -> int:
    """1 or 0."""
    return int(is_available())


def current_device() -> int:
    """0, the GPU's index.

    Raises:
        RuntimeError: there is none, and why. So do the following functions.
    """
    _runtime().device()
    return 0


def set_device(device: Any) -> None:
    """Accepted for the one GPU.

    Raises:
        ValueError: another one.
    """
    _checked(device)


def get_device_name(device: Any = None) -> str:
    """The GPU's name."""
    _checked(device)
    return _runtime().device().name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Its architecture: (9, 0) for sm_90."""
    _checked(device)
    return _runtime().device().capability


def synchronize(device: Any = None) -> None:
    """Wait until all that was asked of the GPU is done, and raise what went wrong in it."""
    _checked(device)
    _runtime().synchronize()


def manual_seed(seed: int) -> None:
    """Seed the generator, the CPU's as well: they are one."""
    random.manual_seed(seed)


manual_seed_all = manual_seed


def _statistics(device: Any) -> Any:
    _checked(device)
    return _runtime().device().allocator.statistics


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays hold, rounded up as the allocator does."""
    return _statistics(device).allocated


def max_memory_allocated(device: Any = None) -> int:
    """The most that arrays have held since the start, or since :func:`reset_peak_memory_stats`."""
    return _statistics(device).max_allocated


def memory_reserved(device: Any = None) -> int:
    """Bytes taken from the driver: those of arrays, and what waits to be used again."""
    return _statistics(device).reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    """Let :func:`max_memory_allocated` start again from what is held now."""
    statistics = _statistics(device)
    statistics.max_allocated = statistics.allocated


def empty_cache() -> None:
    """Return to the driver what waits to be used again."""
    runtime = _runtime()
    if runtime.in_use():
        runtime.device().allocator.trim()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Bytes on the GPU: free and in all."""
    _checked(device)
    return _runtime().device().memory()


def simulated() -> Any:
    """A context in which ``"cuda"`` is a GPU simulated in Python: slow, but every step is checked, and none is needed.

    ::

        with tinyconv.cuda.simulated():
            y = model.to("cuda")(x.to("cuda"))
    """
    return _runtime().simulated()


class device:
    """``with tinyconv.cuda.device(0): ...``, as PyTorch has it; there is only one to choose.

    Raises:
        ValueError: another one.
    """

    def __init__(self, device: Any):
        _checked(device)

    def __enter__(self) -> device:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


# --------------------------------------------------------------------------------------------------------------- graphs


class CUDAGraph:
    """Launches that were recorded once, and run again by one call (see ``kernels/cuda/graph.py``).

    ::

        g = tinyconv.cuda.CUDAGraph()
        with tinyconv.cuda.graph(g):
            y = model(x)                  # nothing runs yet: y's memory is undefined
        x.copy_(another)
        g.replay()                        # y is model(another)
    """

    def __init__(self) -> None:
        self.reset()

    def replay(self) -> None:
        """Run it, without waiting for the end: read what it reads, write what it writes, where they were recorded.
        Dropout draws new numbers from the default generator, those that it would have drawn without a graph.

        Raises:
            RuntimeError: nothing was recorded.
        """
        self._graph.replay()

    def reset(self) -> None:
        """Forget what was recorded, and let go of its memory."""
        self._graph = import_module("tinyconv.kernels.cuda.graph").Graph(random.default_generator)


class graph:
    """``with tinyconv.cuda.graph(g): ...`` records in ``g`` what the block would run.

    Python runs once, and its decisions are part of the graph; so are all numbers but those in tensors.

    Raises:
        RuntimeError: something in the block cannot be repeated: it waits for a result (``.item()``, ``.cpu()``), copies
            from the host, seeds the generator, or lets an optimizer step. What was recorded before is forgotten.
    """

    def __init__(self, cuda_graph: CUDAGraph):
        self._record = cuda_graph._graph.record()

    def __enter__(self) -> None:
        self._record.__enter__()

    def __exit__(self, *exc: Any) -> None:
        self._record.__exit__(*exc)


def is_current_stream_capturing() -> bool:
    """Whether this thread records a graph."""
    runtime = sys.modules.get("tinyconv.kernels.cuda.runtime")
    return runtime is not None and runtime.recording() is not None


class _Recorded(NamedTuple):
    """A step as it was recorded for inputs of some shapes."""

    graph: CUDAGraph
    inputs: list[Tensor]
    outputs: Any
    gradients: list[Tensor | None]


class GraphedStep:
    """What :func:`make_graphed_step` returns.

    Attributes:
        why_not: why the step runs without a graph; None where nothing stands against one.
    """

    MOST_SHAPES = 8  # a graph holds the memory of a whole step

    def __init__(self, step: Callable[..., Any], parameters: Iterable[Tensor]):
        self._step, self._parameters = step, list(parameters)
        self._recorded: dict[tuple, _Recorded | None] = {}
        self.why_not: str | None = None

    def __call__(self, *inputs: Tensor) -> Any:
        """Do the step; what it returns is overwritten by the next one with inputs of these shapes."""
        key = tuple((x.shape, x.dtype) for x in inputs)
        if self.why_not is None and key in self._recorded:
            recorded = self._recorded[key] or self._record(inputs)
            if recorded is not None:
                self._recorded[key] = recorded
                return self._replay(recorded, inputs)
        elif len(self._recorded) < self.MOST_SHAPES:
            self._recorded[key] = None  # a first run compiles the kernels, and makes what the step keeps
        self._forget_gradients()
        return self._step(*(x.to("cuda") for x in inputs))

    def _record(self, inputs: tuple[Tensor, ...]) -> _Recorded | None:
        self._forget_gradients()
        places = [x.detach().to("cuda", copy=True) for x in inputs]
        recorded = CUDAGraph()
        try:
            with graph(recorded):
                outputs = self._step(*places)
        except RuntimeError as error:
            self.why_not = str(error)
            warn(f"the training step runs without a CUDA graph: {error}")
            return None
        return _Recorded(recorded, places, outputs, [p.grad for p in self._parameters])

    def _replay(self, recorded: _Recorded, inputs: tuple[Tensor, ...]) -> Any:
        for place, x in zip(recorded.inputs, inputs, strict=True):
            place.copy_(x)
        recorded.graph.replay()
        for p, g in zip(self._parameters, recorded.gradients, strict=True):
            p.grad = g
        return recorded.outputs

    def _forget_gradients(self) -> None:
        for p in self._parameters:
            p.grad = None


def make_graphed_step(step: Callable[..., Any], parameters: Iterable[Tensor]) -> GraphedStep:
    """Let a training step run as one CUDA graph, for each shape of its inputs.

    ::

        def step(x, target):
            loss = F.cross_entropy(model(x), target)
            loss.backward()
            return loss.detach()

        graphed = tinyconv.cuda.make_graphed_step(step, model.parameters())
        for x, target in loader:
            loss = graphed(x, target)
            optimizer.step()

    The first call with inputs of some shapes runs as usual; the second records a graph; from then on inputs are copied
    into its tensors, and it is replayed. Losses and gradients are the same bits as without a graph, dropout's draws
    included. A step that cannot be recorded runs as usual, and a warning says why, once.

    Args:
        step: takes tensors on the GPU, calls ``backward()``, and returns tensors, which the next call overwrites. Its
            Python runs only when it is recorded, so it must decide nothing by what changes from step to step: for
            another mode (``model.eval()``) make another.
        parameters: whose ``.grad`` the step makes. It is replaced at each call, not added to. The optimizer steps
            outside: its learning rate may change.
    """
    return GraphedStep(step, parameters)
