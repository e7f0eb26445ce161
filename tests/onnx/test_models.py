"""Every kind of network, exported and computed by ONNX Runtime: the same numbers, for batches of any size."""

import pytest

import tinyconv
from tinyconv import nn, no_grad
from tinyconv.vision.models import get_model

from .conftest import assert_same

SIZES = {"lenet5": 28, "lenet5_tanh": 28, "alexnet": 63, "inception_v3": 75}
OPTIONS = {
    "googlenet": {"transform_input": True, "init_weights": False},
    "inception_v3": {"transform_input": True, "init_weights": False},
}
LARGE = ("alexnet", "vgg11", "vgg11_bn")


def _used(model):
    """The model as after some training: with statistics that are not 0 and 1."""
    tinyconv.manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.2, 0.5)
    return model


@pytest.mark.parametrize(
    "name",
    [
        "googlenet", "inception_v3", "lenet5", "lenet5_tanh", "mobilenet_v2", "resnet18", "resnet20", "resnet50",
        "squeezenet1_0", "squeezenet1_1", *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE),
    ],
)  # fmt: skip
def test_onnx_runtime_computes_the_same(exported, name):
    size, channels = SIZES.get(name, 32), 1 if name.startswith("lenet") else 3
    tinyconv.manual_seed(0)
    model = _used(get_model(name, **OPTIONS.get(name, {})))
    run = exported(
        model, tinyconv.randn(1, channels, size, size), output_names=["scores"], dynamic_axes={"x": {0: "batch"}},
        input_names=["x"],
    )  # fmt: skip
    assert model.training  # as it was
    assert run.session.get_outputs()[0].shape[0] == "batch"
    model.eval()
    for batch in (1, 3):
        x = tinyconv.randn(batch, channels, size, size)
        with no_grad():
            assert_same(run(x)[0], model(x))


def test_weights_keep_their_names_and_batch_norm_stays_one_operator(exported):
    onnx = pytest.importorskip("onnx")
    model = _used(get_model("resnet20"))
    graph = onnx.load_from_string(exported(model, tinyconv.randn(1, 3, 32, 32)).content).graph
    weights = {w.name: w for w in graph.initializer}
    assert set(model.state_dict()) - set(weights) == {n for n in model.state_dict() if n.endswith("batches_tracked")}
    assert (onnx.numpy_helper.to_array(weights["conv1.weight"]) == model.conv1.weight.detach().numpy()).all()
    operators = [node.op_type for node in graph.node]
    assert operators[:4] == ["Conv", "BatchNormalization", "Relu", "Conv"]
    assert operators.count("BatchNormalization") == 19 and operators.count("Reshape") == 1
