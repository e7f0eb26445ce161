"""The mistakes that learners make: each is an error that says what to do instead."""

import contextlib
import inspect
import pickle
import re

import numpy as np
import pytest

import tinyconv
from tinyconv import nn


def leaf():
    return tinyconv.ones(2, requires_grad=True)


def backward_twice():
    y = (leaf() ** 3).sum()
    y.backward()
    y.backward()


def not_a_number():
    (leaf() * 2).backward()


def no_graph():
    tinyconv.ones(1).backward()


def under_no_grad():
    with tinyconv.no_grad():
        y = leaf().sum()
    y.backward()


def leaf_in_place():
    x = leaf()
    x += 1


def saved_and_changed():
    y = leaf().exp()
    y += 1
    y.sum().backward()


def integers_with_gradients():
    tinyconv.tensor([1, 2], requires_grad=True)


def a_frozen_result():
    (leaf() * 2).requires_grad_(False)


def shapes():
    return tinyconv.ones(2, 3) + tinyconv.ones(4)


def inner_sizes():
    return tinyconv.ones(2, 3) @ tinyconv.ones(4, 5)


def features():
    nn.Linear(3, 2)(tinyconv.ones(5, 4))


def channels():
    nn.Conv2d(6, 1, 3)(tinyconv.ones(1, 3, 8, 8))


def types():
    nn.Linear(3, 2)(tinyconv.ones(5, 3, dtype=tinyconv.float64))


def floats_as_index():
    tinyconv.ones(3)[tinyconv.tensor([0.5])]


def floats_as_classes():
    nn.CrossEntropyLoss()(tinyconv.ones(2, 3), tinyconv.tensor([0.0, 1.0]))


def a_class_too_many():
    nn.CrossEntropyLoss()(tinyconv.ones(2, 3), tinyconv.tensor([0, 3]))


def the_old_way_to_a_number():
    (leaf() ** 2).sum().data[0]


def a_numbers_first_element():
    tinyconv.tensor(1.0)[0] = 2.0


def numpy_with_gradient():
    leaf().numpy()


def an_unknown_device():
    tinyconv.ones(2).to("tpu")


def truth_of_many():
    if leaf() > 0:
        pass


def not_used():
    tinyconv.autograd.grad(leaf().sum(), leaf())


def no_super_init():
    class Net(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    Net()


def no_forward():
    class Net(nn.Module):
        def fordward(self, x):
            return x

    Net()(1)


def a_model_to_optimize():
    tinyconv.optim.SGD(nn.Linear(1, 1), lr=0.1)


def a_word_as_rate():
    tinyconv.optim.Adam(nn.Linear(1, 1).parameters(), lr="0.1")


def a_class_as_layer():
    nn.Sequential(nn.Linear(1, 1), nn.ReLU)


def frozen_parameters():
    tinyconv.optim.SGD([leaf() * 2], lr=0.1)


def numpy_into_a_layer():
    nn.Linear(3, 2)(np.ones((1, 3)))


def a_list_as_classes():
    nn.CrossEntropyLoss()(tinyconv.ones(2, 3), [0, 1])


def numpy_as_target():
    nn.MSELoss()(tinyconv.ones(2), np.ones(2))


def a_list_to_sum():
    tinyconv.sum([1.0, 2.0])


def nothing_into_a_layer():
    nn.Conv2d(1, 1, 1)(None)


def numpy_to_flatten():
    tinyconv.flatten(np.ones((2, 2)))


def a_list_to_average():
    tinyconv.mean([1.0, 2.0], axis=0)


def a_list_of_places():
    tinyconv.gather(tinyconv.ones(2, 2), 0, [[0, 1]])


def whole_numbers_one_hot():
    nn.CrossEntropyLoss()(tinyconv.ones(2, 3), nn.functional.one_hot(tinyconv.tensor([0, 1]), 3))


def a_state_without_cell():
    nn.LSTM(3, 2)(tinyconv.ones(4, 1, 3), tinyconv.zeros(1, 1, 2))


def a_function_called():
    class Double(tinyconv.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    Double()(leaf())


MISTAKES = {
    numpy_into_a_layer: (TypeError, "linear: input must be a tensor, got ndarray"),
    a_list_as_classes: (TypeError, "cross_entropy: target must be a tensor, got list"),
    numpy_as_target: (TypeError, "mse_loss: target must be a tensor, got ndarray"),
    a_list_to_sum: (TypeError, "sum: input must be a tensor, got list"),
    nothing_into_a_layer: (TypeError, "conv2d: input must be a tensor, got NoneType"),
    numpy_to_flatten: (TypeError, "flatten: input must be a tensor, got ndarray"),
    a_list_to_average: (TypeError, "mean: input must be a tensor, got list"),
    a_list_of_places: (TypeError, "gather: index must be a tensor, got list"),
    whole_numbers_one_hot: (RuntimeError, r"holds probabilities and must be floating point, .*int64; .* shape \(2,\)"),
    a_state_without_cell: (TypeError, r"LSTM: hx must be a tuple \(h_0, c_0\) of two tensors, got Tensor"),
    a_function_called: (RuntimeError, r"Double: a Function is not called: say Double.apply\(x\)"),
    backward_twice: (RuntimeError, "backward through the graph a second time.*retain_graph=True"),
    not_a_number: (RuntimeError, r"only for scalar outputs, this one has shape \(2,\): reduce it \(loss.mean\(\)\)"),
    no_graph: (RuntimeError, "does not require grad and has no grad_fn"),
    under_no_grad: (RuntimeError, "or it was computed under no_grad"),
    leaf_in_place: (RuntimeError, r"a leaf tensor that requires grad cannot be changed in place.*with no_grad\(\)"),
    saved_and_changed: (RuntimeError, r"Exp: .*changed in place: it is at version 1, version 0 was saved.*clone\(\)"),
    integers_with_gradients: (RuntimeError, "only tensors of floating point dtype.*got tinyconv.int64"),
    a_frozen_result: (RuntimeError, r"requires_grad of leaf tensors; use y = x.detach\(\)"),
    shapes: (
        RuntimeError,
        r"\(2, 3\) and \(4,\) cannot be broadcast: .* -1 is 3 in one and 4 in the other, and neither",
    ),
    inner_sizes: (RuntimeError, "input has 3 columns, other 4 rows"),
    features: (RuntimeError, "expects 3 input features, x has 4"),
    channels: (RuntimeError, "expects 6 input channels, .*has 3"),
    types: (RuntimeError, "input is tinyconv.float64, weight is tinyconv.float32"),
    floats_as_index: (IndexError, "an index must be int64, int32 or bool, got tinyconv.float32"),
    floats_as_classes: (RuntimeError, r"cross_entropy: .*\(2, 3\), got \(2,\)"),
    a_class_too_many: (IndexError, "3"),
    the_old_way_to_a_number: (IndexError, r"0-dim tensor: write tensor.item\(\).*loss.item\(\), not loss.data\[0\]"),
    a_numbers_first_element: (IndexError, r"0-dim tensor: write tensor.item\(\)"),
    numpy_with_gradient: (RuntimeError, r"use x.detach\(\).numpy\(\)"),
    an_unknown_device: (RuntimeError, "expected 'cpu' or 'cuda'.*got 'tpu'"),
    truth_of_many: (RuntimeError, r"ambiguous: use \(x > 0\).all\(\) or .any\(\)"),
    not_used: (RuntimeError, "do not depend on input 0.*allow_unused=True"),
    no_super_init: (AttributeError, r"before Module.__init__\(\) call"),
    no_forward: (NotImplementedError, r'Module \[Net\] is missing the required "forward" function'),
    a_model_to_optimize: (TypeError, r"params must be an iterable of tensors, got Linear; say model.parameters\(\)"),
    a_word_as_rate: (TypeError, "lr must be a number or a one-element Tensor, got '0.1'"),
    a_class_as_layer: (TypeError, r"a module is expected, got the class ReLU: say ReLU\(\)"),
    frozen_parameters: (ValueError, "can't optimize a non-leaf Tensor"),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda f: f.__name__)
def test_it_is_an_error_that_teaches(mistake):
    error, message = MISTAKES[mistake]
    with pytest.raises(error) as caught:
        mistake()
    assert re.search(message, str(caught.value)), str(caught.value)


@pytest.mark.parametrize("room", [tinyconv, nn.functional, tinyconv.linalg, tinyconv.special])
@pytest.mark.parametrize("given", [None, "x", [1.0, 2.0]])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_no_tensor_is_never_asked_for_what_tensors_have(room, given):
    for name, function in vars(room).items():
        arguments = getattr(function, "__annotations__", {})
        if name.startswith("_") or not inspect.isfunction(function) or "Tensor" not in arguments.values():
            continue
        needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind == 1]
        if needed and needed[0].annotation == "Tensor":
            with contextlib.suppress(TypeError, ValueError, RuntimeError, IndexError):  # but no AttributeError
                function(given, *[tinyconv.ones(2, 2)] * (len(needed) - 1))


def test_functions_are_pickled_by_their_public_names():
    for function in tinyconv.flatten, tinyconv.sum, nn.functional.gelu, nn.functional.relu, tinyconv.linalg.solve:
        assert pickle.loads(pickle.dumps(function)) is function


def test_gradients_accumulate_and_the_readers_place_says_so():
    x = leaf()
    for _ in range(3):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    for text in (tinyconv.Tensor.backward.__doc__, tinyconv.optim.Optimizer.zero_grad.__doc__):
        assert "accumulate" in text and "zero_grad" in text


def test_a_weight_bound_to_a_new_tensor_has_no_gradient_and_is_told_why():
    w = leaf()
    (w * 3).sum().backward()
    w = w - 0.1 * w.grad
    with pytest.warns(UserWarning, match=r"backward\(\) fills it for leaves only.*w -= lr"):
        assert w.grad is None
    w.retain_grad()
    assert w.grad is None  # no warning: pytest makes one an error here
    w.sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_a_function_without_staticmethod():
    class Triple(tinyconv.autograd.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * 3

        def backward(self, gy):
            (x,) = self.saved_tensors
            return gy * 3 * x

    x = leaf()
    Triple.apply(x * 2).sum().backward()
    assert x.grad.tolist() == [12.0, 12.0]
