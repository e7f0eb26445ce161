"""The arguments of ``onnx.export``, and the file it writes."""

import sys

import pytest

import tinyconv
from tinyconv import nn, no_grad
from tinyconv.autograd import Function
from tinyconv.vision.models import lenet5

from .conftest import assert_same

X = tinyconv.zeros(1, 1, 28, 28)


class Sum(nn.Module):
    def forward(self, a, b=None, *, scale=1.0, **more):
        return {"sum": (a + b) * scale, "difference": a - b}


def test_inputs_and_outputs_have_names_shapes_and_dynamic_axes(exported):
    a, b = tinyconv.randn(2, 3), tinyconv.randn(2, 1)
    run = exported(
        Sum(), (a,), kwargs={"b": b, "scale": 2.0}, output_names=["s", "d"],
        dynamic_axes={"a": {0: "rows", 1: "columns"}, "b": {0: "rows"}, "d": {0: "n"}},
    )  # fmt: skip
    shapes = {v.name: v.shape for v in (*run.session.get_inputs(), *run.session.get_outputs())}
    assert shapes["a"] == ["rows", "columns"] and shapes["b"] == ["rows", 1] and shapes["d"][0] == "n"
    a, b = tinyconv.randn(4, 5), tinyconv.randn(4, 1)
    assert_same(run(a, b)[0], (a + b) * 2)
    assert_same(run(a, b)[1], a - b)


def test_without_dynamic_axes_all_sizes_are_fixed(exported):
    run = exported(lenet5(), X)
    (x,), (y,) = run.session.get_inputs(), run.session.get_outputs()
    assert (x.name, x.shape, y.name, y.shape) == ("input", [1, 1, 28, 28], "output", [1, 10])


def test_the_model_is_left_as_it_was(exported):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.ReLU(inplace=True))
    model[1].eval()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    state = tinyconv.default_generator.state
    apply = Function.__dict__["apply"]
    with no_grad():
        exported(model, X)
    assert [m.training for m in model] == [True, False, True, True]
    assert all((before[name] == x).all() for name, x in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters()) and not X.requires_grad
    assert tinyconv.default_generator.state == state and Function.__dict__["apply"] is apply


def test_after_an_error_functions_are_not_watched_any_more_and_the_mode_is_back(exported):
    apply, model = Function.__dict__["apply"], nn.Sequential(nn.Conv2d(3, 2, 3))
    with pytest.raises(RuntimeError, match="expects 3 input channels"):
        exported(model, X)
    assert Function.__dict__["apply"] is apply and model.training


def test_the_file_is_the_same_each_time(exported):
    model = lenet5()
    assert exported(model, X).content == exported(model, X).content


def test_a_model_twice_shares_its_weights(exported):
    layer = nn.Linear(4, 4)
    run = exported(nn.Sequential(layer, nn.ReLU(), layer), tinyconv.zeros(1, 4))
    assert len(run.content) < 1000  # 80 bytes of weights, not twice
    graph = pytest.importorskip("onnx").load_from_string(run.content).graph
    assert [w.name for w in graph.initializer] == ["0.weight", "0.bias"]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"opset_version": 12}, "opset_version must be from 13 to 23, got 12"),
        ({"export_params": False}, "export_params"),
        ({"input_names": ["a", "b"]}, "input_names must be 1 different names"),
        ({"output_names": ["a", "b"]}, "output_names must be 1 different names"),
        ({"dynamic_axes": {"x": [0]}}, "dynamic_axes names 'x'"),
        ({"dynamic_axes": {"input": [4]}}, "has no axis 4"),
        ({"dynamic_axes": {"input": {0: "n", 2: "n"}}}, "'n' is the size of axes that have 1 and 28"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(exported, options, words):
    with pytest.raises(ValueError, match=words):
        exported(lenet5(), X, **options)


def test_wrong_models_and_inputs_are_refused(tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(TypeError, match="model must be a Module, got function"):
        tinyconv.onnx.export(lambda x: x, X, tmp_path / "a.onnx")
    with pytest.raises(ValueError, match="at least one tensor"):
        tinyconv.onnx.export(lenet5(), (), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'tinyconv\[onnx\]'"):
        tinyconv.onnx.export(lenet5(), X, tmp_path / "a.onnx")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "lenet5.onnx"
    tinyconv.onnx.export(lenet5(), X, path)
    first = path.read_bytes()
    onnx.checker.check_model(onnx.load(path), full_check=True)
    tinyconv.onnx.export(lenet5(), X, path)
    assert path.read_bytes() != first  # other weights

    second = path.read_bytes()
    monkeypatch.setattr("os.replace", _full_disk)
    with pytest.raises(OSError, match="cannot write the file"):
        tinyconv.onnx.export(lenet5(), X, path)
    assert path.read_bytes() == second and [p.name for p in tmp_path.iterdir()] == ["lenet5.onnx"]


def _full_disk(*_):
    raise OSError(28, "No space left on device")


def test_a_model_may_ask_whether_it_is_exported(exported):
    said = []

    class Asks(nn.Module):
        def forward(self, x):
            said.append(tinyconv.onnx.is_in_onnx_export())
            return x + 1

    exported(Asks(), tinyconv.ones(2))
    assert said and all(said)
    assert not tinyconv.onnx.is_in_onnx_export()
