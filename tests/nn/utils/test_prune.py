"""Pruning: masks, hooks and what is removed again, by PyTorch's rules."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn.utils import prune


def layer(weight) -> nn.Linear:
    made = nn.Linear(len(weight[0]), len(weight))
    with tinyconv.no_grad():
        made.weight.copy_(tinyconv.tensor(weight))
    return made


WEIGHT = [[3.0, -1.0, 0.5], [-0.25, 4.0, -6.0]]


def test_the_smallest_weights_go_and_the_original_is_trained():
    made = layer(WEIGHT)
    original = made.weight
    assert prune.l1_unstructured(made, "weight", 2) is made
    assert made.weight.tolist() == [[3, -1, 0], [0, 4, -6]]
    assert made.weight_mask.tolist() == [[1, 1, 0], [0, 1, 1]] and made.weight_orig is original
    assert [n for n, _ in made.named_parameters()] == ["bias", "weight_orig"]
    assert list(made.state_dict()) == ["bias", "weight_orig", "weight_mask"]
    made(tinyconv.ones(1, 3)).sum().backward()
    assert made.weight_orig.grad.tolist() == [[1, 1, 0], [0, 1, 1]]
    with tinyconv.no_grad():
        made.weight_orig.add_(10)
    made(tinyconv.ones(1, 3))
    assert made.weight.tolist() == [[13, 9, 0], [0, 14, 4]]


def test_removing_makes_it_permanent():
    made = prune.l1_unstructured(layer(WEIGHT), "weight", 0.5)
    original = made.weight_orig
    assert prune.is_pruned(made) and prune.is_pruned(nn.Sequential(made))
    assert prune.remove(made, "weight") is made and not prune.is_pruned(made)
    assert made.weight is original and isinstance(made.weight, nn.Parameter)
    assert made.weight.tolist() == [[3, 0, 0], [0, 4, -6]]
    assert sorted(made.state_dict()) == ["bias", "weight"] and not made._forward_pre_hooks
    with pytest.raises(ValueError, match="has to be pruned before"):
        prune.remove(made, "weight")


def test_pruning_again_takes_from_what_is_left():
    made = prune.l1_unstructured(layer(WEIGHT), "weight", 2)
    prune.l1_unstructured(made, "weight", 0.5)
    assert made.weight_mask.tolist() == [[0, 0, 0], [0, 1, 1]]
    prune.ln_structured(made, "weight", 1, n=2, dim=1)
    assert made.weight_mask.tolist() == [[0, 0, 0], [0, 0, 1]]
    (hook,) = made._forward_pre_hooks.values()
    assert hook._tensor_name == "weight"
    assert [type(h).__name__ for h in hook] == ["L1Unstructured", "L1Unstructured", "LnStructured"] and len(hook) == 3


def test_slices_by_norm():
    made = prune.ln_structured(layer(WEIGHT), "weight", 1, n=1, dim=0)
    assert made.weight_mask.tolist() == [[0, 0, 0], [1, 1, 1]]
    made = prune.ln_structured(layer(WEIGHT), "weight", 1 / 3, n=float("inf"), dim=-1)
    assert made.weight_mask.tolist() == [[0, 1, 1]] * 2


@pytest.mark.parametrize("amount, kept", [(7, 13), (0.25, 15), (0, 20), (1.0, 0)])
def test_by_chance_the_number_is_right(amount, kept):
    made = prune.random_unstructured(nn.Linear(5, 4), "weight", amount)
    assert made.weight_mask.sum() == kept
    sliced = prune.random_structured(nn.Conv2d(4, 5, 3), "weight", 2, dim=0)
    assert sorted(sliced.weight_mask.sum((1, 2, 3)).tolist()) == [0, 0, 36, 36, 36]


def test_all_layers_as_one():
    a, b = layer([[1.0, 2.0]]), layer([[0.5, 5.0], [6.0, 1.5]])
    prune.l1_unstructured(a, "weight", 1)
    prune.global_unstructured([(a, "weight"), (b, "weight")], pruning_method=prune.L1Unstructured, amount=2)
    assert a.weight_mask.tolist() == [[0, 1]] and b.weight_mask.tolist() == [[0, 1], [1, 0]]
    with pytest.raises(TypeError, match="unstructured"):
        prune.global_unstructured([(a, "weight")], pruning_method=prune.LnStructured, amount=1, n=2)


def test_masks_scores_and_criteria_of_ones_own():
    made = prune.custom_from_mask(layer(WEIGHT), "weight", tinyconv.tensor([[1, 0, 1], [0, 1, 0]]))
    assert made.weight.tolist() == [[3, 0, 0.5], [0, 4, 0]]
    scores = tinyconv.tensor([[1.0, 2, 3], [4, 5, 6]])
    made = prune.l1_unstructured(layer(WEIGHT), "weight", 4, importance_scores=scores)
    assert made.weight_mask.tolist() == [[0, 0, 0], [0, 1, 1]]

    class EverySecond(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    made = layer(WEIGHT)
    EverySecond.apply(made, "weight")
    assert made.weight_mask.tolist() == [[0, 1, 0], [1, 0, 1]]
    assert prune.L1Unstructured(1).prune(tinyconv.tensor([3.0, 1.0])).tolist() == [3, 0]
    assert prune.identity(layer(WEIGHT), "bias").bias_mask.tolist() == [1, 1]


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda m: prune.l1_unstructured(m, "weight", 1.5), ValueError, "float in the range"),
        (lambda m: prune.l1_unstructured(m, "weight", -1), ValueError, "non-negative int"),
        (lambda m: prune.l1_unstructured(m, "weight", "1"), TypeError, "Must be int or float"),
        (lambda m: prune.l1_unstructured(m, "weight", 7), ValueError, "smaller than the number of parameters"),
        (lambda m: prune.ln_structured(m, "bias", 1, 2, 0), ValueError, "multidimensional"),
        (lambda m: prune.ln_structured(m, "weight", 1, 2, 2), IndexError, "Invalid index 2"),
        (lambda m: prune.l1_unstructured(m, "weights", 1), AttributeError, "weights"),
    ],
)
def test_misuse(call, error, message):
    with pytest.raises(error, match=message):
        call(layer(WEIGHT))


def test_as_pytorch():
    torch = pytest.importorskip("torch")
    theirs_of = pytest.importorskip("torch.nn.utils.prune")
    rng = np.random.default_rng(0)
    w = rng.normal(size=(6, 4, 3, 3)).astype("float32")
    states = []
    for library, p in ((tinyconv, prune), (torch, theirs_of)):
        made = library.nn.Conv2d(4, 6, 3)
        with library.no_grad():
            made.weight.copy_(library.from_numpy(w))
            made.bias.copy_(library.arange(6) + 0.5)
        p.l1_unstructured(made, "weight", 0.3)
        p.ln_structured(made, name="weight", amount=0.5, n=2, dim=0)
        p.l1_unstructured(made, "weight", 0.2)
        p.l1_unstructured(made, "bias", 2)
        p.global_unstructured([(made, "weight"), (made, "bias")], p.L1Unstructured, amount=0.2)
        states.append({k: v.numpy() for k, v in made.state_dict().items()})
    ours, theirs = states
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key], value, err_msg=key)
