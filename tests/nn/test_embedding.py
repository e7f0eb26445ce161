import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn

INDEX = np.array([[0, 2, 4], [2, 2, 1]])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding_idx": 2},
        {"padding_idx": -1},
        {"scale_grad_by_freq": True},
        {"max_norm": 1.0},
        {"max_norm": 0.5, "norm_type": 1.0},
    ],
)
@pytest.mark.parametrize("index", [INDEX, INDEX[0], np.array(3), INDEX[:0]])
def test_as_pytorch(agrees_with_torch, options, index):
    torch = pytest.importorskip("torch")
    agrees_with_torch(nn.Embedding(5, 3, **options), torch.nn.Embedding(5, 3, **options), index)


def test_rows_and_padding():
    layer = nn.Embedding(4, 2, padding_idx=1)
    assert layer.weight[1].tolist() == [0, 0]
    y = layer(tinyconv.tensor([3, 1, 3]))
    assert y.tolist() == [layer.weight[i].tolist() for i in (3, 1, 3)]
    y.sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [0, 0], [0, 0], [2, 2]]


def test_from_pretrained():
    table = tinyconv.randn(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert layer.weight.tolist() == table.tolist() and not layer.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match="embeddings must be 2-D"):
        nn.Embedding.from_pretrained(table[0])


def test_the_table_begins_gaussian():
    tinyconv.manual_seed(0)
    weight = nn.Embedding(300, 100).weight.detach().numpy()
    assert abs(weight.mean()) < 0.02 and abs(weight.std() - 1) < 0.02


def test_one_hot():
    y = F.one_hot(tinyconv.tensor([[1, 0], [2, 2]]))
    assert y.dtype is tinyconv.int64
    assert y.tolist() == [[[0, 1, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 1]]]
    assert F.one_hot(tinyconv.tensor(1), 4).tolist() == [0, 1, 0, 0]
    assert F.one_hot(tinyconv.zeros(0, 2).long(), 3).shape == (0, 2, 3)


def test_errors():
    table = tinyconv.zeros(3, 2)
    with pytest.raises(RuntimeError, match="input must hold integers .int64 or int32., got tinyconv.float32"):
        F.embedding(tinyconv.zeros(2), table)
    with pytest.raises(IndexError, match="embedding: index out of range: 0 to 3, weight has 3 rows"):
        F.embedding(tinyconv.tensor([0, 3]), table)
    with pytest.raises(IndexError, match="embedding: index out of range: -1 to -1"):
        F.embedding(tinyconv.tensor([-1]), table)
    with pytest.raises(RuntimeError, match=r"embedding: padding_idx must be in \[-3, 3\), got 3"):
        F.embedding(tinyconv.tensor([0]), table, 3)
    with pytest.raises(ValueError, match="padding_idx must be within num_embeddings, 3, got 3"):
        nn.Embedding(3, 2, 3)
    with pytest.raises(RuntimeError, match=r"embedding: weight must be 2-D, got shape \(2,\)"):
        F.embedding(tinyconv.tensor([0]), table[0])
    with pytest.raises(ValueError, match=r"_weight must have shape \(3, 1\), got \(3, 2\)"):
        nn.Embedding(3, 1, _weight=table)
    for bad, message in (
        (tinyconv.zeros(2), "only applicable to index tensor of type int64, got tinyconv.float32"),
        (tinyconv.tensor([-1]), "class values must be non-negative, got -1"),
        (tinyconv.zeros(0).long(), "can not infer total number of classes from an empty tensor"),
    ):
        with pytest.raises(RuntimeError, match=message):
            F.one_hot(bad)
    with pytest.raises(RuntimeError, match="class values must be smaller than num_classes 2, got 2"):
        F.one_hot(tinyconv.tensor([2]), 2)


# ----------------------------------------------------------------------------------------------------------------- bags

TABLE = np.random.default_rng(0).normal(size=(5, 3))
MEMBERS, BEGINS = np.array([4, 1, 1, 0, 2, 2, 3]), np.array([0, 2, 2, 6])
REDUCE = {"sum": np.sum, "mean": np.mean, "max": np.max}


@pytest.mark.parametrize("mode", REDUCE)
@pytest.mark.parametrize("padding", [None, 1])
def test_bags_by_hand(mode, padding):
    expected = []
    for begin, end in zip(BEGINS, [*BEGINS[1:], len(MEMBERS)]):
        rows = [TABLE[i] for i in MEMBERS[begin:end] if i != padding]
        expected.append(REDUCE[mode](rows, axis=0) if rows else np.zeros(3))
    index, table = tinyconv.tensor(MEMBERS), tinyconv.tensor(TABLE)
    y = F.embedding_bag(index, table, tinyconv.tensor(BEGINS), mode=mode, padding_idx=padding)
    np.testing.assert_allclose(y.numpy(), expected)
    ends = tinyconv.tensor([*BEGINS, len(MEMBERS)])
    y = F.embedding_bag(index, table, ends, mode=mode, padding_idx=padding, include_last_offset=True)
    np.testing.assert_allclose(y.numpy(), expected)
    square = F.embedding_bag(tinyconv.tensor(INDEX), table, mode=mode)
    np.testing.assert_allclose(square.numpy(), REDUCE[mode](TABLE[INDEX], axis=1))


@pytest.mark.parametrize("mode", REDUCE)
@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"max_norm": 1.0}])
def test_bags_as_pytorch(agrees_with_torch, mode, options):
    torch = pytest.importorskip("torch")
    agrees_with_torch(nn.EmbeddingBag(5, 3, mode=mode, **options), torch.nn.EmbeddingBag(5, 3, mode=mode, **options),
                      INDEX)  # fmt: skip


def test_weighted_bags_and_their_gradients():
    table = tinyconv.tensor(TABLE, requires_grad=True)
    shares = tinyconv.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=tinyconv.float64, requires_grad=True)
    y = F.embedding_bag(tinyconv.tensor(INDEX), table, mode="sum", per_sample_weights=shares)
    np.testing.assert_allclose(y.detach().numpy(), (TABLE[INDEX] * shares.detach().numpy()[..., None]).sum(1))
    y.sum().backward()
    np.testing.assert_allclose(table.grad[:, 0].numpy(), [1, 6, 2 + 4 + 5, 0, 3])
    np.testing.assert_allclose(shares.grad.numpy(), TABLE[INDEX].sum(-1))


def test_rows_of_bags_divided_by_how_often_they_are_taken():
    table = tinyconv.tensor(TABLE, requires_grad=True)
    y = F.embedding_bag(tinyconv.tensor([[1, 1, 1], [2, 1, 4]]), table, mode="sum", scale_grad_by_freq=True)
    y.sum().backward()
    assert table.grad[:, 0].tolist() == [0, 1, 1, 0, 1]


def test_bags_of_a_given_table():
    layer = nn.EmbeddingBag.from_pretrained(tinyconv.tensor(TABLE), mode="sum", padding_idx=-1)
    assert repr(layer) == "EmbeddingBag(5, 3, mode='sum', padding_idx=4)"
    assert not layer.weight.requires_grad
    assert nn.EmbeddingBag(4, 2, padding_idx=1).weight[1].tolist() == [0, 0]


def test_errors_of_bags():
    index, table = tinyconv.tensor(MEMBERS), tinyconv.tensor(TABLE)
    with pytest.raises(ValueError, match="input must be 2-D, or 1-D with offsets"):
        F.embedding_bag(index, table)
    with pytest.raises(ValueError, match=r"offsets must rise from 0 to at most 7, got \[0, 8\]"):
        F.embedding_bag(index, table, tinyconv.tensor([0, 8]))
    with pytest.raises(ValueError, match="mode must be one of sum, mean, max"):
        F.embedding_bag(index, table, tinyconv.tensor([0]), mode="min")
    with pytest.raises(NotImplementedError, match="per_sample_weights are for mode 'sum', got 'mean'"):
        F.embedding_bag(index, table, tinyconv.tensor([0]), per_sample_weights=tinyconv.ones(7))
