"""What modules save and load."""

import copy
from collections import OrderedDict

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn import Parameter

from .test_module import Block


def test_state_dict_holds_detached_views_by_path():
    m = nn.Sequential(Block())
    state = m.state_dict()
    assert type(state) is OrderedDict
    assert list(state) == ["0.scale", "0.mean", "0.inner.weight", "0.inner.bias"]
    assert state["0.scale"].array is m[0].scale.array and not state["0.scale"].requires_grad
    assert m.state_dict(keep_vars=True)["0.scale"] is m[0].scale
    mine = {"x": 1}
    assert m.state_dict(destination=mine, prefix="net.") is mine
    assert "net.0.inner.bias" in mine and mine["x"] == 1


def test_loading_copies_in_place():
    m, n = Block(), Block()
    before = dict(m.named_parameters())
    version = m.scale._version
    result = m.load_state_dict(n.state_dict())
    assert result == ([], []) and repr(result) == "<All keys matched successfully>"
    assert result.missing_keys == [] and result.unexpected_keys == []
    assert all(p is before[name] for name, p in m.named_parameters())
    assert m.inner.weight.tolist() == n.inner.weight.tolist() and m.inner.weight.array is not n.inner.weight.array
    assert m.scale._version > version and m.scale.requires_grad


def test_loading_casts_to_the_module():
    m = nn.Linear(1, 1)
    m.load_state_dict({"weight": tinyconv.ones(1, 1, dtype=tinyconv.float64), "bias": tinyconv.tensor([2])})
    assert m.weight.dtype is tinyconv.float32 and m.weight.item() == 1 and m.bias.item() == 2


def test_every_mistake_is_listed_and_nothing_is_loaded():
    m = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = copy.deepcopy(m.state_dict())
    bad = {
        "0.weight": tinyconv.zeros(3, 2),
        "0.bias": tinyconv.zeros(4),
        "1.weight": np.zeros((1, 3), np.float32),
        "2.weight": tinyconv.zeros(1),
        "extra": tinyconv.zeros(1),
    }
    with pytest.raises(RuntimeError) as error:
        m.load_state_dict(bad)
    assert str(error.value) == (
        "Error(s) in loading state_dict for Sequential:\n"
        '\tMissing key(s) in state_dict: "1.bias". \n'
        '\tUnexpected key(s) in state_dict: "2.weight", "extra". \n'
        "\tsize mismatch for 0.bias: copying a param with shape tinyconv.Size([4]) from checkpoint, "
        "the shape in current model is tinyconv.Size([3]).\n"
        '\tWhile copying the parameter named "1.weight", expected tinyconv.Tensor from checkpoint but received '
        "<class 'numpy.ndarray'>"
    )
    for strict in (True, False):
        with pytest.raises(RuntimeError, match="size mismatch"):
            m.load_state_dict(bad, strict=strict)
    assert all(equal(value, before[key]) for key, value in m.state_dict().items())


def equal(x, y):
    return x.tolist() == y.tolist()


def test_errors_are_worded_as_in_pytorch():
    torch = pytest.importorskip("torch")
    messages = []
    for lib in (torch, tinyconv):
        m = lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.BatchNorm1d(3))
        state = m.state_dict()
        del state["1.running_mean"], state["0.weight"]
        state["0.bias"] = lib.zeros(4)
        state["other"] = lib.zeros(1)
        with pytest.raises(RuntimeError) as error:
            m.load_state_dict(state)
        messages.append(str(error.value).replace("torch.", "tinyconv."))
    assert messages[0] == messages[1]


def test_loading_loosely():
    m = nn.Linear(2, 1)
    result = m.load_state_dict({"bias": tinyconv.tensor([5.0]), "other": tinyconv.ones(1)}, strict=False)
    assert result == (["weight"], ["other"]) and m.bias.item() == 5
    assert repr(result) == "_IncompatibleKeys(missing_keys=['weight'], unexpected_keys=['other'])"


def test_loading_by_assignment():
    m = nn.BatchNorm1d(2)
    m.weight.requires_grad_(False)
    state = {key: value.clone() for key, value in nn.BatchNorm1d(2).state_dict().items()}
    m.load_state_dict(state, assign=True)
    assert m.weight.array is state["weight"].array and isinstance(m.weight, Parameter) and not m.weight.requires_grad
    assert m.bias.requires_grad and m.running_mean is state["running_mean"]


def test_loading_what_is_no_mapping():
    with pytest.raises(TypeError, match="dict-like"):
        Block().load_state_dict([1])


def test_shared_modules_are_saved_and_loaded_under_every_path():
    block = nn.Linear(1, 1)
    m = nn.Sequential(block, block)
    state = m.state_dict()
    assert list(state) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert m.load_state_dict(state) == ([], [])


class Renamed(nn.Linear):
    """A layer whose weight was called kernel in version 1, with a note of its own."""

    _version = 2
    note = "none"

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if local_metadata.get("version", 1) < 2:
            state_dict[prefix + "weight"] = state_dict.pop(prefix + "kernel")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)
        self.total = self.weight.sum().item()  # it is loaded already


def test_a_class_reads_what_its_earlier_version_saved():
    model = nn.Sequential(nn.BatchNorm1d(2), Renamed(2, 1))
    state = model.state_dict()
    assert model.load_state_dict(state) == ([], [])
    state["1.kernel"] = state.pop("1.weight") + 1
    with pytest.raises(KeyError, match="kernel"):
        nn.Sequential(nn.BatchNorm1d(2), Renamed(2, 1)).load_state_dict({})
    state._metadata["1"]["version"] = 1
    assert model.load_state_dict(state) == ([], []) and "1.kernel" in state
    assert model[1].weight.equal(state["1.kernel"]) and model[1].total == model[1].weight.sum().item()
    assigned = nn.Sequential(nn.BatchNorm1d(2), Renamed(2, 1))
    assigned.load_state_dict(state, assign=True)
    assert assigned[1].weight.array is state["1.kernel"].array


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0
        self.weight = Parameter(tinyconv.zeros(1))

    def get_extra_state(self):
        return {"calls": self.calls}

    def set_extra_state(self, state):
        self.calls = state["calls"]


def test_extra_state_is_saved_and_loaded(tmp_path):
    model, other = nn.Sequential(Counting()), nn.Sequential(Counting())
    model[0].calls = 3
    assert list(model.state_dict()) == ["0.weight", "0._extra_state"]
    tinyconv.save(model.state_dict(), tmp_path / "model")
    with pytest.raises(RuntimeError, match='Missing key.s. in state_dict: "0.weight"'):
        other.load_state_dict({"0._extra_state": {"calls": 3}})
    assert other[0].calls == 0  # all, or none at all
    assert other.load_state_dict(tinyconv.load(tmp_path / "model")) == ([], []) and other[0].calls == 3
    assert other.load_state_dict({}, strict=False) == (["0.weight", "0._extra_state"], [])
    keys = nn.Linear(1, 1).load_state_dict({"_extra_state": 1}, strict=False)
    assert keys.unexpected_keys == ["_extra_state"]
    for call in nn.Linear(1, 1).get_extra_state, lambda: nn.Linear(1, 1).set_extra_state(1):
        with pytest.raises(RuntimeError, match="Linear.[gs]et_extra_state: the class has no extra state"):
            call()


def test_a_class_saves_in_its_own_way():
    class Half(nn.Linear):
        def _save_to_state_dict(self, destination, prefix, keep_vars):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "weight"] = destination[prefix + "weight"].half()

    state = nn.Sequential(Half(1, 1)).state_dict()
    assert state["0.weight"].dtype is tinyconv.float16 and state["0.bias"].dtype is tinyconv.float32


def test_hooks_under_the_names_that_older_networks_know():
    class Older(nn.Linear):
        def __init__(self):
            super().__init__(1, 1)
            self._register_load_state_dict_pre_hook(self.present)
            self._register_load_state_dict_pre_hook(Older.noted, with_module=True)
            self._register_state_dict_hook(Older.stamped)

        def present(self, state_dict, prefix, *rest):
            state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")

        def noted(self, state_dict, prefix, *rest):
            self.prefix = prefix

        def stamped(self, state_dict, prefix, local_metadata):
            state_dict[prefix + "w"] = state_dict.pop(prefix + "weight")

    model = nn.Sequential(Older())
    state = model.state_dict()
    assert list(state) == ["0.bias", "0.w"]
    assert model.load_state_dict(state) == ([], []) and model[0].prefix == "0."
