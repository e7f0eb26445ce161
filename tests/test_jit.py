"""What a program gets that turns TorchScript on: the model it had."""

import pytest

import tinyconv
from tinyconv import jit, nn


def test_script_and_trace_return_what_they_are_given():
    model = nn.Linear(2, 1)
    assert jit.script(model) is model and jit.freeze(jit.optimize_for_inference(model)) is model
    assert jit.trace(model, tinyconv.ones(1, 2)) is model and jit.trace(model, (tinyconv.ones(1, 2),)) is model

    @jit.script
    def double(x):
        return 2 * x

    assert double(3) == 6 and not jit.is_scripting() and not jit.is_tracing()

    class Net(nn.Module):
        @jit.ignore
        def helper(self):
            return 1

        @jit.unused
        def other(self):
            return 2

        @jit.export
        def forward(self, x):
            return x + self.helper() + self.other()

        @jit.ignore(drop=True)
        def dropped(self):
            return 3

    assert Net()(1) == 4 and Net().dropped() == 3


def test_what_cannot_be():
    with pytest.raises(RuntimeError):
        jit.trace(nn.Linear(2, 1), tinyconv.ones(1, 3))
    for call in (jit.script, jit.trace):
        with pytest.raises(TypeError, match="expected a model or a function"):
            call(3)
    with pytest.raises(NotImplementedError, match="model.state_dict"):
        jit.save(nn.Linear(1, 1), "m.pt")
    with pytest.raises(NotImplementedError, match="load_state_dict"):
        jit.load("m.pt")


def test_types_are_for_readers():
    class Net(nn.Module):
        size: jit.Final[int] = 3

        @jit.script_if_tracing
        def forward(self, x):
            return jit.annotate(list[int], [x] * self.size)

    assert Net()(1) == [1, 1, 1]


def test_nothing_is_scripted():
    model = jit.script(nn.Linear(1, 1))
    assert not isinstance(model, jit.ScriptModule)
    assert not isinstance(jit.script(len), jit.ScriptFunction)
    assert issubclass(jit.ScriptModule, nn.Module)
