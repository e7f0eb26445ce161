"""``tinyconv export``: files for other programs."""

import numpy as np
import pytest

import tinyconv
from tinyconv.vision.models import lenet5, resnet20


@pytest.fixture
def weights(tmp_path):
    """A model, and its weights in a file."""
    tinyconv.manual_seed(0)
    model = resnet20().eval()
    tinyconv.save(model.state_dict(), tmp_path / "weights.safetensors")
    return model, tmp_path / "weights.safetensors"


def test_a_run_as_onnx(tiny, trained, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    result = tiny("export", trained, tmp_path / "digits.onnx")
    assert result.status == 0 and "digits.onnx: lenet5, 248," in result.out
    session = onnxruntime.InferenceSession(tmp_path / "digits.onnx")
    model, x = lenet5().eval(), tinyconv.randn(3, 1, 28, 28)
    model.load_state_dict(tinyconv.load(trained / "model.safetensors"))
    (scores,) = session.run(["scores"], {"image": x.numpy()})
    np.testing.assert_allclose(scores, model(x).detach().numpy(), atol=1e-4)


def test_a_network_with_weights_as_onnx(tiny, weights, tmp_path):
    onnx, out = pytest.importorskip("onnx"), tmp_path / "a.onnx"
    result = tiny("export", "resnet20", out, "--weights", weights[1], "--opset", 18, "--input-size", "3x40x40")
    assert result.status == 0, result.err
    graph = onnx.load(out).graph
    assert [d.dim_value or d.dim_param for d in graph.input[0].type.tensor_type.shape.dim] == ["batch", 3, 40, 40]


def test_weights_alone(tiny, weights, tmp_path):
    model, file = weights
    assert tiny("export", "resnet20", tmp_path / "a.safetensors", "--weights", file).status == 0
    state = tinyconv.load(tmp_path / "a.safetensors")
    assert all((state[name] == x).all() for name, x in model.state_dict().items())


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["resnet20", "a.pt", "--weights", "w"], "a.pt: FILE must end in .onnx or .safetensors"),
        (["resnet20", "a.onnx"], "resnet20: say which weights by --weights"),
        (["resnet20", "a.safetensors", "--weights", "nothing"], "--weights nothing: weights: expected one of"),
        (["nowhere", "a.safetensors"], "nowhere: is no folder of a training run"),
        (["nowhere", "a.safetensors", "--weights", "w"], "goes with a network's name"),
        (["lenet5", "a.safetensors", "--weights", "DEFAULT"], "this model has no published weights"),
        (
            ["lenet5", "a.safetensors", "--weights", "weights.safetensors"],
            "Missing key",
        ),
        (["resnet20", "no/a.safetensors", "--weights", "weights.safetensors"], "no/a.safetensors: cannot write"),
    ],
)
def test_mistakes_are_one_line(tiny, weights, arguments, words):
    result = tiny("export", *arguments)
    assert result.status == 1 and words in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("options, words", [(["--opset", "5"], "opset_version"), (["--input-size", "1x8x8"], "conv2d")])
def test_what_onnx_refuses_is_one_line(tiny, weights, tmp_path, options, words):
    pytest.importorskip("onnx")
    result = tiny("export", "resnet20", tmp_path / "a.onnx", "--weights", weights[1], *options)
    assert result.status == 1 and words in result.err and not (tmp_path / "a.onnx").exists()


def test_without_the_package_it_says_what_to_install(tiny, weights, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    result = tiny("export", "resnet20", "a.onnx", "--weights", weights[1])
    assert result.status == 1 and "pip install 'tinyconv[onnx]'" in result.err
