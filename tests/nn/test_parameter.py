import copy
import pickle

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn import Parameter


def test_a_parameter_shares_memory_and_version_with_its_data():
    data = tinyconv.tensor([1.0, 2.0])
    p = Parameter(data)
    assert p.array is data.array and p.requires_grad and p.is_leaf
    with tinyconv.no_grad():
        p.fill_(3)
    assert data._version == p._version == 1
    assert data.tolist() == [3.0, 3.0]


def test_it_requires_grad_even_when_made_under_no_grad():
    with tinyconv.no_grad():
        assert Parameter(tinyconv.ones(2)).requires_grad
    assert not Parameter(tinyconv.ones(2), requires_grad=False).requires_grad


def test_of_a_computed_tensor_it_is_a_leaf():
    x = tinyconv.ones(2, requires_grad=True)
    p = Parameter(x * 2)
    (p.sum()).backward()
    assert p.grad.tolist() == [1.0, 1.0] and x.grad is None


def test_integers_cannot_require_grad():
    with pytest.raises(RuntimeError, match="floating point"):
        Parameter(tinyconv.tensor([1]))
    assert Parameter(tinyconv.tensor([1]), requires_grad=False).dtype is tinyconv.int64


@pytest.mark.parametrize("again", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_are_independent_parameters(again):
    p = Parameter(tinyconv.tensor([1.0, 2.0]), requires_grad=False)
    q = again(p)
    assert type(q) is Parameter and not q.requires_grad
    q.fill_(0)
    assert p.tolist() == [1.0, 2.0]


def test_repr():
    assert repr(Parameter(tinyconv.ones(1))) == "Parameter containing:\ntensor([1.], requires_grad=True)"


def test_operations_on_parameters_give_plain_tensors():
    p = Parameter(tinyconv.from_numpy(np.ones(2, np.float32)))
    assert type(p * 2) is tinyconv.Tensor and type(p.detach()) is tinyconv.Tensor


def test_a_buffer_files_itself():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = nn.Buffer(tinyconv.ones(2))
            self.scratch = nn.Buffer(tinyconv.zeros(1), persistent=False)

    net = Net()
    assert [name for name, _ in net.named_buffers()] == ["mean", "scratch"] and not list(net.parameters())
    assert list(net.state_dict()) == ["mean"]
    assert isinstance(net.mean, nn.Buffer) and type(net.mean) is tinyconv.Tensor
    assert not isinstance(tinyconv.ones(2), nn.Buffer) and not isinstance(nn.Parameter(tinyconv.ones(2)), nn.Buffer)
    assert nn.Buffer().shape == (0,)


def test_a_buffer_takes_the_place_of_what_had_its_name_and_needs_an_initialized_module():
    net = nn.Linear(1, 1)
    net.note = "text"
    net.note = nn.Buffer(tinyconv.ones(1))
    assert list(net.state_dict()) == ["weight", "bias", "note"] and "note" not in vars(net)

    class Early(nn.Module):
        def __init__(self):
            self.mean = nn.Buffer(tinyconv.ones(2))

    with pytest.raises(AttributeError, match="before Module.__init__"):
        Early()
