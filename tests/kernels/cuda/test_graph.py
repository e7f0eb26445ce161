"""Graphs: what is recorded does not run, and what is replayed is what would have run."""

from __future__ import annotations

import ctypes
import gc

import numpy as np
import pytest

import tinyconv
from tests.kernels.cuda.test_driver import FakeApi, Result
from tinyconv import cuda, optim
from tinyconv.kernels.cuda import driver, runtime
from tinyconv.kernels.cuda.simulator import SimulatorError
from tinyconv.nn import functional as F


@pytest.fixture
def gpu():
    with cuda.simulated() as device:
        yield device


def recorded(function) -> tuple[cuda.CUDAGraph, object]:
    g = cuda.CUDAGraph()
    with cuda.graph(g):
        y = function()
    return g, y


def test_nothing_runs_before_the_replay(gpu):
    x = tinyconv.ones(5, device="cuda")
    g, _ = recorded(lambda: x.add_(1))
    assert x.tolist() == [1] * 5
    for n in (2, 3):
        g.replay()
        assert x.tolist() == [n] * 5


def test_a_result_that_no_replay_has_made_cannot_be_read(gpu):
    x = tinyconv.ones(5, device="cuda")
    _, y = recorded(lambda: x * 2)
    with pytest.raises(SimulatorError, match="nobody has written|undefined|uninitiali"):
        (y + 1).cpu()


def test_replays_read_new_numbers(gpu):
    x = tinyconv.zeros(4, device="cuda")
    g, y = recorded(lambda: (x * 2 + 1).relu() - x)
    for value in (3.0, -3.0, 0.5):
        x.fill_(value)
        g.replay()
        assert y.tolist() == [max(2 * value + 1, 0) - value] * 4


def test_memory_is_reused_within_a_graph_and_by_nobody_else(gpu):
    x = tinyconv.ones(1000, device="cuda")

    def chain():
        y = x
        for _ in range(10):
            y = y + 1
        return y

    before = cuda.memory_reserved()
    g, y = recorded(chain)
    assert cuda.memory_reserved() - before <= 3 * 4096
    others = [tinyconv.full((1000,), 7.0, device="cuda") for _ in range(5)]
    g.replay()
    assert y.tolist() == [11] * 1000
    assert all(other.tolist() == [7] * 1000 for other in others)
    del y
    y = tinyconv.full((1000,), 5.0, device="cuda")  # takes none of the graph's memory
    g.replay()
    assert y.tolist() == [5] * 1000


def test_what_a_graph_reads_lives_as_long_as_the_graph(gpu):
    kept = [tinyconv.ones(1000, device="cuda")]
    g, y = recorded(lambda: kept[0] + 1)
    kept.clear()
    others = [tinyconv.full((1000,), 9.0, device="cuda") for _ in range(5)]
    g.replay()
    assert y.tolist() == [2] * 1000
    assert others[0][0] == 9


def test_its_memory_goes_back_to_the_driver(gpu):
    cuda.empty_cache()
    before = cuda.memory_reserved(), cuda.memory_allocated()
    g, y = recorded(lambda: tinyconv.ones(5000, device="cuda") + 1)
    assert cuda.memory_reserved() > before[0]
    g.replay()
    g.reset()
    assert y.tolist() == [2] * 5000
    del y
    gc.collect()
    cuda.empty_cache()
    assert (cuda.memory_reserved(), cuda.memory_allocated()) == (before[0] + 512, before[1] + 512)  # the cell of faults


def test_dropout_draws_what_it_would_have_drawn(gpu):
    x = tinyconv.ones(100, device="cuda")
    tinyconv.manual_seed(3)
    eager = [F.dropout(x, 0.5).tolist() for _ in range(4)]
    after = tinyconv.default_generator.state
    assert len(set(map(tuple, eager))) == 4

    tinyconv.manual_seed(3)
    first = F.dropout(x, 0.5).tolist()
    state = tinyconv.default_generator.state
    g, y = recorded(lambda: F.dropout(x, 0.5))
    assert tinyconv.default_generator.state == state  # nothing was drawn yet
    replayed = []
    for _ in range(3):
        g.replay()
        replayed.append(y.tolist())
    assert [first, *replayed] == eager
    assert tinyconv.default_generator.state == after

    tinyconv.manual_seed(3)
    g.replay()
    assert y.tolist() == eager[0]  # another seed's numbers have not stuck
    tinyconv.default_generator.state = state
    g.replay()
    assert y.tolist() == eager[1]  # nor those it was recorded with


def test_dropouts_gradient_has_its_mask(gpu):
    x = tinyconv.ones(64, device="cuda", requires_grad=True)

    def step():
        x.grad = None
        y = F.dropout(x, 0.5) * 3
        y.backward(tinyconv.ones_like(y))
        return y.detach()

    g, y = recorded(step)
    for _ in range(3):
        g.replay()
        assert y.tolist() == x.grad.tolist()
        assert 0 < np.count_nonzero(y.tolist()) < 64


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (lambda x: x[0].item(), "there is no result yet for .item"),
        (lambda x: x.cpu(), "there is no result yet for .item"),
        (lambda x: cuda.synchronize(), "nothing can be waited for"),
        (lambda x: tinyconv.ones(4).to("cuda"), "copied from the host would be the same at every replay"),
        (lambda x: tinyconv.randperm(4, device="cuda"), "copied from the host would be the same at every replay"),
        (lambda x: tinyconv.manual_seed(1), "manual_seed inside a graph would be forgotten"),
        (lambda x: recorded(lambda: x + 1), "graphs do not nest"),
        (lambda x: optim.SGD([x], lr=0.1).step(), "SGD.step: inside a CUDA graph .* after graph.replay"),
        (
            lambda x: tinyconv.rand(4, device="cuda", generator=tinyconv.Generator().manual_seed(1)),
            "a graph draws from the default generator alone",
        ),
    ],
)
def test_what_cannot_be_repeated_is_refused(gpu, block, message):
    x = tinyconv.ones(4, device="cuda")
    g = cuda.CUDAGraph()
    tinyconv.manual_seed(7)
    state = tinyconv.default_generator.state

    def record():
        with cuda.graph(g):
            x.add_(1)
            block(x)

    with pytest.raises(RuntimeError, match=message):
        record()
    assert not cuda.is_current_stream_capturing()
    assert tinyconv.default_generator.state == state
    with pytest.raises(RuntimeError, match="this graph has not been recorded"):
        g.replay()
    assert x.tolist() == [1] * 4


def test_ranges_are_constants(gpu):
    x = tinyconv.zeros(6, device="cuda")
    g, y = recorded(lambda: tinyconv.arange(6.0, device="cuda") + x)
    for _ in range(2):
        g.replay()
        tinyconv.full((6,), 9.0, device="cuda")
        assert y.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_graph_is_recorded_once(gpu):
    x = tinyconv.ones(2, device="cuda")
    g, _ = recorded(lambda: x + 1)
    with pytest.raises(RuntimeError, match="recorded already: make another"), cuda.graph(g):
        pass
    g.reset()
    with cuda.graph(g):
        x.add_(1)
    g.replay()
    assert x.tolist() == [2, 2]


def test_capturing_is_a_matter_of_the_thread(gpu):
    assert not cuda.is_current_stream_capturing()
    with cuda.graph(cuda.CUDAGraph()):
        assert cuda.is_current_stream_capturing()


def test_a_bad_index_in_a_replay_is_found(gpu):
    x, i = tinyconv.arange(5.0, device="cuda"), tinyconv.tensor([1, 2], device="cuda")
    g, y = recorded(lambda: x[i])
    g.replay()
    assert y.tolist() == [1, 2]
    i.fill_(7)
    g.replay()
    with pytest.raises(IndexError, match="out of bounds"):
        y.cpu()


# ---------------------------------------------------------------------------------------------------- make_graphed_step


def trained(graphed: bool, steps: int = 5) -> tuple[list, list, list]:
    """Losses, weights and gradients of a toy with dropout, its learning rate falling."""
    tinyconv.manual_seed(2)
    w = tinyconv.rand(6, device="cuda", requires_grad=True)
    optimizer = optim.RMSprop([w], lr=0.1)

    def step(x, scale):
        z = F.dropout(w * x, 0.3) - scale
        loss = z * z
        loss.backward(tinyconv.ones_like(loss))
        return loss.detach(), z.detach()

    run = cuda.make_graphed_step(step, [w]) if graphed else step
    losses, gradients = [], []
    for i in range(steps):
        x = tinyconv.full((6,), 1.0 + i)
        optimizer.zero_grad()
        loss, _ = run(x if graphed else x.to("cuda"), tinyconv.tensor(2.0).to("cuda"))
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.5
        losses.append(loss.tolist())
        gradients.append(w.grad.tolist())
    return losses, gradients, w.tolist()


def test_a_graphed_step_is_the_step_to_the_bit(gpu):
    assert trained(True) == trained(False)


def test_the_step_itself_runs_twice(gpu):
    calls = []

    def step(x):
        calls.append(x.shape)
        return x + 1

    graphed = cuda.make_graphed_step(step, [])
    for n in (3, 3, 3, 2, 3, 2, 2):
        assert graphed(tinyconv.full((n,), float(n))).tolist() == [n + 1] * n
    assert calls == [(3,), (3,), (2,), (2,)]


def test_a_step_that_cannot_be_recorded_runs_as_usual_and_says_why(gpu):
    w = tinyconv.ones(3, device="cuda", requires_grad=True)

    def step(x):
        y = F.dropout(w, 0.0) * x
        y.backward(tinyconv.ones_like(y))
        return float(y.detach()[0])

    graphed = cuda.make_graphed_step(step, [w])
    assert graphed(tinyconv.ones(3)) == 1
    with pytest.warns(UserWarning, match="the training step runs without a CUDA graph: .* no result yet"):
        assert graphed(tinyconv.ones(3) * 2) == 2
    assert graphed(tinyconv.ones(3) * 3) == 3
    assert "no result yet" in (graphed.why_not or "")
    assert w.grad.tolist() == [3, 3, 3]


# -------------------------------------------------------------------------------------------------------- on the driver


class GraphApi(FakeApi):
    """A fake driver that also notes what graphs are made of."""

    class CUDA_KERNEL_NODE_PARAMS:
        pass

    def do_cuGraphCreate(self, flags):
        return ["graph"]

    def do_cuGraphAddKernelNode(self, graph, before, count, node):
        graph.append(described(node))
        return [len(graph) - 1]  # the node's handle

    def do_cuGraphInstantiate(self, graph, flags):
        return ["ready", *graph[1:]]

    def do_cuGraphExecKernelNodeSetParams(self, ready, node, params):
        ready[node[0]] = described(params)


def described(node) -> tuple:
    """A node's kernel, its blocks and threads, and its packed arguments, copied as the driver copies them."""
    options = (ctypes.c_void_p * 5).from_address(node.extra)
    size = ctypes.c_size_t.from_address(options[3]).value
    grid, block = (tuple(getattr(node, f"{what}Dim{a}") for a in "XYZ") for what in ("grid", "block"))
    return node.func[1], grid, block, ctypes.string_at(options[1], size)


@pytest.fixture
def api(monkeypatch) -> GraphApi:
    api = GraphApi()
    gpu = driver.Driver(api)
    monkeypatch.setattr(gpu, "machine_code", lambda variant: (b"cubin", variant.name))
    monkeypatch.setattr(runtime, "_device", gpu)
    return api


def test_the_driver_gets_the_launches_in_a_row(api):
    x = tinyconv.zeros(600, device="cuda")
    sent = []
    api.do_cuLaunchKernel = lambda *args: sent.append(args[:7])
    x.add_(1)
    launched = len(sent)
    g, _ = recorded(lambda: x.add_(1).add_(2))
    assert len(sent) == launched  # nothing ran
    graph, *_ = api.calls("cuGraphInstantiate")[0]
    assert len(graph) == 1 + 2 * launched
    assert [call[2] for call in api.calls("cuGraphAddKernelNode")] == [0] + [1] * (2 * launched - 1)
    assert graph[1][:3] == (sent[0][0][1], sent[0][1:4], sent[0][4:7])
    assert graph[1][3] != graph[2][3]  # each keeps its own arguments
    g.replay()
    g.replay()
    assert [call[1] for call in api.calls("cuGraphLaunch")] == [13, 13]  # on the stream
    assert api.calls("cuStreamSynchronize") == []
    del g, _
    gc.collect()
    assert len(api.calls("cuGraphExecDestroy")) == len(api.calls("cuGraphDestroy")) == 1


def test_the_driver_is_told_of_new_random_numbers_alone(api):
    x = tinyconv.zeros(600, device="cuda")
    g, _ = recorded(lambda: F.dropout(x + 1, 0.5) + 1)
    g.replay()
    assert api.calls("cuGraphExecKernelNodeSetParams") == []
    g.replay()
    ((ready, node, _),) = api.calls("cuGraphExecKernelNodeSetParams")
    assert node[0] == 2
    old = api.calls("cuGraphInstantiate")[0][0][2]
    assert (old[:3], len(old[3])) == (ready[2][:3], len(ready[2][3]))
    assert old[3] != ready[2][3]


def test_a_graph_that_the_driver_refuses_raises(api):
    x = tinyconv.zeros(600, device="cuda")
    api.fail["cuGraphInstantiate"] = Result.CUDA_ERROR_OUT_OF_MEMORY
    with pytest.raises(RuntimeError, match="cuGraphInstantiate: CUDA_ERROR_OUT_OF_MEMORY"):
        recorded(lambda: x.add_(1))
    del api.fail["cuGraphInstantiate"]
    g, _ = recorded(lambda: x.add_(1))
    api.fail["cuGraphLaunch"] = Result.CUDA_ERROR_ILLEGAL_ADDRESS
    with pytest.raises(RuntimeError, match="cuGraphLaunch: CUDA_ERROR_ILLEGAL_ADDRESS"):
        g.replay()


def test_the_real_api_takes_what_is_given_to_it():
    """Where the bindings are installed: a node has the fields that are set, and they keep their values."""
    real = pytest.importorskip("cuda.bindings.driver", reason="needs numba-cuda: pip install 'tinyconv[cuda]'")
    options = (ctypes.c_void_p * 5)()
    node = real.CUDA_KERNEL_NODE_PARAMS()
    node.func = real.CUfunction(64)
    node.gridDimX, node.blockDimY, node.extra = 3, 5, ctypes.addressof(options)
    assert (int(node.func), node.gridDimX, node.blockDimY, node.extra) == (64, 3, 5, ctypes.addressof(options))
    with pytest.raises(AttributeError):
        node.gridDimW = 1
    for name in (
        "cuGraphCreate", "cuGraphAddKernelNode", "cuGraphInstantiate", "cuGraphExecKernelNodeSetParams",
        "cuGraphLaunch", "cuGraphExecDestroy", "cuGraphDestroy",
    ):  # fmt: skip
        assert callable(getattr(real, name))
