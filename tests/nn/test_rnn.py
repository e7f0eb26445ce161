"""Recurrent layers: the formulas step by step, PyTorch's numbers from PyTorch's parameters, and shapes."""

import numpy as np
import pytest
from scipy.special import expit

import tinyconv
from tinyconv import nn

RNG = np.random.default_rng(0)
KINDS = ["RNN", "LSTM", "GRU"]


def flat(y):
    """All tensors in nested tuples."""
    return [y] if hasattr(y, "shape") else [t for part in y for t in flat(part)]


def same_as_torch(ours, theirs, x, hx=None, atol=1e-5):
    """Outputs, and gradients of everything, from the same parameters."""
    torch = pytest.importorskip("torch")
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({k: tinyconv.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    results = []
    for library, model in ((tinyconv, ours), (torch, theirs)):

        def leaf(a, library=library):
            return library.from_numpy(a.copy()).requires_grad_()

        inputs = [leaf(x)] + ([] if hx is None else [leaf(hx) if isinstance(hx, np.ndarray) else tuple(map(leaf, hx))])
        ys = flat(model(*inputs))
        loss = sum(
            (y * library.from_numpy(np.cos(np.arange(y.numel())).reshape(y.shape).astype(x.dtype))).sum() for y in ys
        )
        loss.backward()
        grads = [t.grad for t in [*flat(inputs), *model.parameters()]]
        results.append([t.detach().numpy() for t in [*ys, *grads]])
    for mine, other in zip(*results, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_layers": 2, "bidirectional": True},
        {"num_layers": 3, "batch_first": True, "bias": False},
        {"bidirectional": True, "batch_first": True},
    ],
)
@pytest.mark.parametrize("with_state", [False, True])
def test_as_pytorch(kind, options, with_state):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(nn, kind)(4, 3, **options), getattr(torch.nn, kind)(4, 3, **options)
    x = RNG.normal(size=(5, 2, 4)).astype(np.float32)
    N = 5 if options.get("batch_first") else 2
    shape = (options.get("num_layers", 1) * (1 + options.get("bidirectional", False)), N, 3)
    states = [RNG.normal(size=shape).astype(np.float32) for _ in range(2)]
    same_as_torch(ours, theirs, x, (tuple(states) if kind == "LSTM" else states[0]) if with_state else None)


@pytest.mark.parametrize("kind", KINDS)
def test_one_sequence_as_pytorch(kind):
    torch = pytest.importorskip("torch")
    ours, theirs = (getattr(library, kind)(4, 3, bidirectional=True) for library in (nn, torch.nn))
    states = RNG.normal(size=(2, 2, 3)).astype(np.float32)
    same_as_torch(
        ours, theirs, RNG.normal(size=(5, 4)).astype(np.float32), tuple(states) if kind == "LSTM" else states[0]
    )


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_projections_and_relu_as_pytorch():
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(5, 2, 4)).astype(np.float32)
    options = {"num_layers": 2, "proj_size": 2, "bidirectional": True}
    same_as_torch(nn.LSTM(4, 3, **options), torch.nn.LSTM(4, 3, **options), x)
    same_as_torch(nn.RNN(4, 3, 2, "relu"), torch.nn.RNN(4, 3, 2, "relu"), x)
    same_as_torch(nn.RNN(4, 3, nonlinearity="relu"), torch.nn.RNN(4, 3, nonlinearity="relu"), x)


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize(
    "kind, options",
    [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("LSTMCell", {"bias": False}), ("GRUCell", {})],
)
def test_cells_as_pytorch(kind, options, batched, with_state):
    torch = pytest.importorskip("torch")
    ours, theirs = (getattr(library, kind)(4, 3, **options) for library in (nn, torch.nn))
    x, states = RNG.normal(size=(2, 4)).astype(np.float32), RNG.normal(size=(2, 2, 3)).astype(np.float32)
    if not batched:
        x, states = x[0], states[:, 0]
    same_as_torch(ours, theirs, x, (tuple(states) if kind == "LSTMCell" else states[0]) if with_state else None)


def test_the_formulas():
    x, h, c = (RNG.normal(size=(2, 3)) for _ in range(3))
    cells = {kind: getattr(nn, kind)(3, 3).double() for kind in ("RNNCell", "LSTMCell", "GRUCell")}
    gx, gh = {}, {}
    for kind, cell in cells.items():
        w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in cell.parameters())
        gx[kind], gh[kind] = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    tx, th, tc = map(tinyconv.from_numpy, (x, h, c))
    np.testing.assert_allclose(cells["RNNCell"](tx, th).detach().numpy(), np.tanh(gx["RNNCell"] + gh["RNNCell"]))
    i, f, g, o = np.split(gx["LSTMCell"] + gh["LSTMCell"], 4, 1)
    after = expit(f) * c + expit(i) * np.tanh(g)
    new_h, new_c = cells["LSTMCell"](tx, (th, tc))
    np.testing.assert_allclose(new_c.detach().numpy(), after)
    np.testing.assert_allclose(new_h.detach().numpy(), expit(o) * np.tanh(after))
    (rx, zx, nx), (rh, zh, nh) = np.split(gx["GRUCell"], 3, 1), np.split(gh["GRUCell"], 3, 1)
    n, z = np.tanh(nx + expit(rx + rh) * nh), expit(zx + zh)
    np.testing.assert_allclose(cells["GRUCell"](tx, th).detach().numpy(), (1 - z) * n + z * h)


def test_a_layer_is_its_cell_step_by_step():
    layer, cell = nn.LSTM(3, 2), nn.LSTMCell(3, 2)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state, hs = tinyconv.randn(4, 2, 3), None, []
    for step in x:
        state = cell(step, state)
        hs.append(state[0])
    y, (h, c) = layer(x)
    np.testing.assert_allclose(y.detach().numpy(), tinyconv.stack(hs).detach().numpy(), rtol=1e-6)
    assert h[0].tolist() == y[-1].tolist()
    np.testing.assert_allclose(c[0].detach().numpy(), state[1].detach().numpy(), rtol=1e-6)


def test_dropout_between_layers_only_in_training():
    x = tinyconv.randn(3, 2, 4)
    layer = nn.GRU(4, 3, 2, dropout=1.0)
    inner = nn.GRU(3, 3)
    inner.load_state_dict({name.replace("l1", "l0"): v for name, v in layer.state_dict().items() if "l1" in name})
    assert layer(x)[0].tolist() == inner(tinyconv.zeros(3, 2, 3))[0].tolist()
    assert layer.eval()(x)[0].tolist() != inner(tinyconv.zeros(3, 2, 3))[0].tolist()
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
        nn.GRU(4, 3, dropout=0.5)


def test_the_names_of_the_weights():
    """Programs that initialize each kind of weight in its own way go by them."""
    rnn = nn.LSTM(2, 4, num_layers=2, bidirectional=True, proj_size=3)
    assert rnn._flat_weights_names == [name for name, _ in rnn.named_parameters()]
    assert [len(names) for names in rnn._all_weights] == [5] * 4
    assert all(rnn._parameters[names[-1]] is weights[-1] for names, weights in zip(rnn._all_weights, rnn.all_weights))
    assert nn.GRU(2, 4, bias=False)._flat_weights_names == ["weight_ih_l0", "weight_hh_l0"]


def test_a_longer_sequence_costs_no_more_a_step():
    """The gradient of the inputs is put together once, not added up step by step."""
    y = nn.RNN(2, 2)(tinyconv.randn(6, 1, 2))[0].sum()
    seen, stack = [], [y.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.append(node)
            stack += [n for n, _ in node.next_functions]
    names = [node.name() for node in seen]
    assert names.count("PiecesBackward0") == 1 and names.count("SliceBackward0") + names.count("SelectBackward0") <= 1


def test_an_lstm_may_begin_with_integers():
    cell, x, h = nn.LSTMCell(3, 4), tinyconv.randn(2, 3), tinyconv.zeros(2, 4)
    whole = [y.tolist() for y in cell(x, (h, tinyconv.ones(2, 4, dtype=tinyconv.int64)))]
    assert whole == [y.tolist() for y in cell(x, (h, tinyconv.ones(2, 4)))]


def test_errors():
    for arguments, error, message in (
        ({"input_size": 0}, ValueError, "input_size must be greater than zero"),
        ({"num_layers": 0}, ValueError, "num_layers must be greater than zero"),
        ({"hidden_size": 2.0}, TypeError, "hidden_size should be of type int, got: float"),
        ({"dropout": 2}, ValueError, r"dropout should be a probability in \[0, 1\], got 2"),
        ({"proj_size": 1}, ValueError, "proj_size argument is only supported for LSTM"),
        ({"proj_size": 3}, ValueError, "proj_size must be at least 0 and smaller than hidden_size"),
        ({"bias": 1}, TypeError, "bias should be of type bool"),
    ):
        with pytest.raises(error, match=message):
            nn.GRU(**{"input_size": 2, "hidden_size": 3, **arguments})
    with pytest.raises(ValueError, match="Unknown nonlinearity 'gelu'"):
        nn.RNN(2, 3, nonlinearity="gelu")
    with pytest.raises(ValueError, match="Unrecognized RNN mode: QRNN"):
        nn.RNNBase("QRNN", 2, 3)
    layer, x = nn.LSTM(2, 3), tinyconv.zeros(4, 1, 2)
    with pytest.raises(ValueError, match="LSTM: Expected input to be 2D or 3D, got 1D instead"):
        layer(x[0, 0])
    with pytest.raises(RuntimeError, match="input.size\\(-1\\) must be equal to input_size. Expected 2, got 1"):
        layer(x[:, :, :1])
    with pytest.raises(ValueError, match="RNN input dtype .*float64.* does not match weight dtype"):
        layer(x.double())
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 1, 3\), got \[1, 2, 3\]"):
        layer(x, (tinyconv.zeros(1, 2, 3), tinyconv.zeros(1, 1, 3)))
    with pytest.raises(RuntimeError, match="For batched 3-D input, cx should also be 3-D but got 2-D tensor"):
        layer(x, (tinyconv.zeros(1, 1, 3), tinyconv.zeros(1, 3)))
    with pytest.raises(ValueError, match="GRUCell: Expected hidden to be 1D or 2D, got 3D"):
        nn.GRUCell(2, 3)(x[0], x)
    with pytest.raises(RuntimeError, match=r"gru_cell: .* the state must have shape \(1, 3\), got \(1, 2\)"):
        nn.GRUCell(2, 3)(x[0], x[0])
    with pytest.raises(RuntimeError, match="Unknown nonlinearity: gelu"):
        nn.RNNCell(2, 3, nonlinearity="gelu")(x[0])
