"""Sequences of several lengths, padded and packed, alone and through recurrent layers, as in PyTorch."""

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn.utils import rnn

RNG = np.random.default_rng(0)
SEQUENCES = [RNG.normal(size=(n, 3)).astype(np.float32) for n in (2, 5, 1, 5)]


def test_padding_by_hand():
    a, b = tinyconv.tensor([1.0, 2.0]), tinyconv.tensor([3.0])
    assert rnn.pad_sequence([a, b]).tolist() == [[1, 3], [2, 0]]
    assert rnn.pad_sequence([a, b], True, 9.0).tolist() == [[1, 2], [3, 9]]
    assert rnn.pad_sequence([a, b], True, padding_side="left").tolist() == [[1, 2], [0, 3]]
    assert [s.tolist() for s in rnn.unpad_sequence(rnn.pad_sequence([a, b]), [2, 1])] == [[1, 2], [3]]
    packed = rnn.pack_sequence([a, b])
    assert packed.data.tolist() == [1, 3, 2] and packed.batch_sizes.tolist() == [2, 1]
    assert packed.sorted_indices is None
    assert packed.to(tinyconv.float64).data.dtype is tinyconv.float64


def test_packing_and_unpacking_as_pytorch():
    torch = pytest.importorskip("torch")
    found = []
    for library, utils in ((tinyconv, rnn), (torch, torch.nn.utils.rnn)):
        packed = utils.pack_sequence([library.from_numpy(s) for s in SEQUENCES], enforce_sorted=False)
        padded, lengths = utils.pad_packed_sequence(packed, True, -1.0, 6)
        parts = [packed.data, packed.batch_sizes, padded, lengths, *utils.unpack_sequence(packed)]
        found.append([np.asarray(t) for t in parts])
        assert packed.sorted_indices.tolist() == [1, 3, 0, 2]
    for mine, other in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("with_state", [True, False])
def test_recurrent_layers_as_pytorch(kind, with_state):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn, kind)(3, 4, 2, bidirectional=True)
    ours = getattr(nn, kind)(3, 4, 2, bidirectional=True)
    ours.load_state_dict({k: tinyconv.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    states = RNG.normal(size=(2, 4, 4, 4)).astype(np.float32)
    results = []
    for library, utils, model in ((tinyconv, rnn, ours), (torch, torch.nn.utils.rnn, theirs)):
        xs = [library.from_numpy(s.copy()).requires_grad_() for s in SEQUENCES]
        hx = [library.from_numpy(s.copy()).requires_grad_() for s in states]
        given = (tuple(hx) if kind == "LSTM" else hx[0]) if with_state else None
        y, last = model(utils.pack_sequence(xs, enforce_sorted=False), given)
        last = last if kind == "LSTM" else [last]
        total = sum((t * t).sum() for t in last) + (y.data**3).sum()
        total.backward()
        grads = [t.grad for t in [*xs, *model.parameters()]] + ([hx[0].grad] if with_state else [])
        padded, lengths = utils.pad_packed_sequence(y)
        results.append([t.detach().numpy() for t in [padded, lengths, *last, *grads]])
    for mine, other in zip(*results, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_each_sequence_is_seen_alone():
    layer = nn.GRU(3, 2, bidirectional=True)
    xs = [tinyconv.from_numpy(s) for s in SEQUENCES]
    ys = rnn.unpack_sequence(layer(rnn.pack_sequence(xs, enforce_sorted=False))[0])
    for x, y in zip(xs, ys, strict=True):
        np.testing.assert_allclose(y.detach().numpy(), layer(x)[0].detach().numpy(), rtol=1e-5, atol=1e-6)


def test_errors():
    x = tinyconv.zeros(4, 2, 3)
    for lengths, message in (
        ([4], "expected 2 lengths, got 1"),
        ([4, 0], r"lengths must be in \[1, 4\], got \[4, 0\]"),
        ([5, 1], r"lengths must be in \[1, 4\]"),
        ([1, 4], "must be sorted in decreasing order when `enforce_sorted` is True"),
    ):
        with pytest.raises(RuntimeError, match=message):
            rnn.pack_padded_sequence(x, lengths)
    with pytest.raises(RuntimeError, match="expected at least one sequence"):
        rnn.pad_sequence([])
    with pytest.raises(ValueError, match="padding_side must be 'right' or 'left', got 'top'"):
        rnn.pad_sequence([x], padding_side="top")
    with pytest.raises(ValueError, match="total_length to be at least the longest sequence's 4, got 3"):
        rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [4, 4]), total_length=3)
    with pytest.raises(RuntimeError, match="Expected sequence length to be larger than 0"):
        nn.GRU(3, 2)(x[:0])
