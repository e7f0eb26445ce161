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
