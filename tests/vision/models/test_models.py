"""The networks: as many parameters as published, and PyTorch's numbers for the same weights.

The networks are written down a second time here, as functions of PyTorch's operations and of weights by name, from the
papers' tables and torchvision's names.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.vision import models

# As torchvision's documentation lists them ("num_params").
PARAMETERS = {
    "densenet121": 7_978_856, "densenet161": 28_681_000, "densenet169": 14_149_480, "densenet201": 20_013_928,
    "alexnet": 61_100_840, "googlenet": 13_004_888, "inception_v3": 27_161_264, "mobilenet_v2": 3_504_872,
    "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160,
    "resnet152": 60_192_808, "resnext50_32x4d": 25_028_904, "wide_resnet50_2": 68_883_240,
    "squeezenet1_0": 1_248_424, "squeezenet1_1": 1_235_496,
    "vgg11": 132_863_336, "vgg11_bn": 132_868_840, "vgg13": 133_047_848, "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544, "vgg16_bn": 138_365_992, "vgg19": 143_667_240, "vgg19_bn": 143_678_248,
    "lenet5": 61_706, "lenet5_tanh": 61_706,
    "resnet20": 269_722, "resnet32": 464_154, "resnet44": 658_586, "resnet56": 853_018, "resnet110": 1_727_962,
}  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    """Weights are left as they lie in memory: drawing 140 million numbers takes seconds."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "trunc_normal_", "uniform_", "bias_uniform_"):
        monkeypatch.setattr(nn.init, name, lambda tensor, *args, **options: tensor)


@pytest.mark.parametrize("name", models.list_models())
def test_parameters(name, quick):
    model = models.get_model(name)
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name]
    smaller = models.get_model(name, num_classes=7)
    assert list(smaller.parameters())[-1].shape[0] == 7


def test_unknown_models():
    with pytest.raises(ValueError, match="got 'resnet19'"):
        models.get_model("resnet19")
    with pytest.raises(ValueError, match="version must be '1_0' or '1_1', got '2'"):
        models.SqueezeNet("2")
    with pytest.raises(ValueError, match="form must be 'relu' or 'tanh', got 'gelu'"):
        models.LeNet5(form="gelu")


class Definition:
    """A network as a function, in PyTorch: ``weights`` by name, and the few things that all of them do."""

    def __init__(self, torch, weights):
        self.torch, self.f, self.weights = torch, torch.nn.functional, weights

    def conv(self, name, x, **options):
        return self.f.conv2d(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"), **options)

    def bn(self, name, x, eps=1e-5):
        mean, var = self.weights[f"{name}.running_mean"], self.weights[f"{name}.running_var"]
        return self.f.batch_norm(x, mean, var, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], eps=eps)

    def linear(self, name, x):
        return self.f.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def cbr(self, name, x, **options):
        """Inception's convolution, batch norm and ReLU."""
        return self.bn(f"{name}.bn", self.conv(f"{name}.conv", x, **options), 1e-3).relu()

    def has(self, prefix):
        return any(name.startswith(prefix) for name in self.weights)

    def resnet(self, x, counts, bottleneck, groups=1):
        x = self.bn("bn1", self.conv("conv1", x, stride=2, padding=3)).relu()
        x = self.f.max_pool2d(x, 3, 2, 1)
        for stage, count in enumerate(counts, 1):
            for block in range(count):
                name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
                if bottleneck:
                    y = self.bn(f"{name}.bn1", self.conv(f"{name}.conv1", x)).relu()
                    y = self.conv(f"{name}.conv2", y, stride=stride, padding=1, groups=groups)
                    y = self.bn(f"{name}.bn3", self.conv(f"{name}.conv3", self.bn(f"{name}.bn2", y).relu()))
                else:
                    y = self.bn(f"{name}.bn1", self.conv(f"{name}.conv1", x, stride=stride, padding=1)).relu()
                    y = self.bn(f"{name}.bn2", self.conv(f"{name}.conv2", y, padding=1))
                if self.has(f"{name}.downsample"):
                    x = self.bn(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, stride=stride))
                x = (x + y).relu()
        return self.linear("fc", x.mean((2, 3)))

    def vgg(self, x, plan, batch_norm):
        place = 0
        for n in plan:
            for _ in range(n):
                x = self.conv(f"features.{place}", x, padding=1)
                if batch_norm:
                    x = self.bn(f"features.{place + 1}", x)
                x, place = x.relu(), place + 2 + batch_norm
            x, place = self.f.max_pool2d(x, 2), place + 1
        x = self.f.adaptive_avg_pool2d(x, 7).flatten(1)
        return self.linear("classifier.6", self.linear("classifier.3", self.linear("classifier.0", x).relu()).relu())

    def alexnet(self, x):
        x = self.f.max_pool2d(self.conv("features.0", x, stride=4, padding=2).relu(), 3, 2)
        x = self.f.max_pool2d(self.conv("features.3", x, padding=2).relu(), 3, 2)
        for name in ("features.6", "features.8", "features.10"):
            x = self.conv(name, x, padding=1).relu()
        x = self.f.adaptive_avg_pool2d(self.f.max_pool2d(x, 3, 2), 6).flatten(1)
        return self.linear("classifier.6", self.linear("classifier.4", self.linear("classifier.1", x).relu()).relu())

    def squeezenet(self, x, fires, pools):
        x = self.conv("features.0", x, stride=2).relu()
        for i in range(1, 13):
            name = f"features.{i}"
            if i in pools:
                x = self.f.max_pool2d(x, 3, 2, ceil_mode=True)
            elif i in fires:
                x = self.conv(f"{name}.squeeze", x).relu()
                x = self.torch.cat([self.conv(f"{name}.expand1x1", x), self.conv(f"{name}.expand3x3", x, padding=1)], 1)
                x = x.relu()
        return self.conv("classifier.1", x).relu().mean((2, 3))

    def densenet(self, x, blocks):
        x = self.torch.relu(self.bn("features.norm0", self.conv("features.conv0", x, stride=2, padding=3)))
        x = self.f.max_pool2d(x, 3, 2, 1)
        for b, layers in enumerate(blocks, 1):
            for i in range(1, layers + 1):
                at = f"features.denseblock{b}.denselayer{i}"
                y = self.conv(f"{at}.conv1", self.torch.relu(self.bn(f"{at}.norm1", x)))
                y = self.conv(f"{at}.conv2", self.torch.relu(self.bn(f"{at}.norm2", y)), padding=1)
                x = self.torch.cat([x, y], 1)
            if b < len(blocks):
                at = f"features.transition{b}"
                x = self.f.avg_pool2d(self.conv(f"{at}.conv", self.torch.relu(self.bn(f"{at}.norm", x))), 2)
        x = self.torch.relu(self.bn("features.norm5", x)).mean((2, 3))
        return self.linear("classifier", x)

    def mobilenet(self, x):
        def step(name, x, **options):
            return self.bn(f"{name}.1", self.conv(f"{name}.0", x, **options)).clamp(0, 6)

        x = step("features.0", x, stride=2, padding=1)
        strides = [1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
        for i, stride in enumerate(strides, 1):
            name = f"features.{i}.conv"
            y = step(f"{name}.0", x) if i > 1 else x
            last = 2 if i > 1 else 1
            y = step(f"{name}.{last - 1}", y, stride=stride, padding=1, groups=y.shape[1])
            y = self.bn(f"{name}.{last + 1}", self.conv(f"{name}.{last}", y))
            x = x + y if stride == 1 and x.shape == y.shape else y
        return self.linear("classifier.1", step("features.18", x).mean((2, 3)))

    def googlenet(self, x):
        def module(name, x):
            third = self.cbr(f"{name}.branch3.1", self.cbr(f"{name}.branch3.0", x), padding=1)
            second = self.cbr(f"{name}.branch2.1", self.cbr(f"{name}.branch2.0", x), padding=1)
            fourth = self.cbr(f"{name}.branch4.1", self.f.max_pool2d(x, 3, 1, 1))
            return self.torch.cat([self.cbr(f"{name}.branch1", x), second, third, fourth], 1)

        x = self.f.max_pool2d(self.cbr("conv1", x, stride=2, padding=3), 3, 2, ceil_mode=True)
        x = self.f.max_pool2d(self.cbr("conv3", self.cbr("conv2", x), padding=1), 3, 2, ceil_mode=True)
        for name in ("3a", "3b", "pool3", "4a", "4b", "4c", "4d", "4e", "pool4", "5a", "5b"):
            if name.startswith("pool"):
                x = self.f.max_pool2d(x, 3 if name == "pool3" else 2, 2, ceil_mode=True)
            else:
                x = module(f"inception{name}", x)
        return self.linear("fc", x.mean((2, 3)))

    def inception(self, x):
        def chain(module, x, *steps):
            for name in steps:
                kernel = self.weights[f"{module}.{name}.conv.weight"].shape[2:]
                down = module in ("Mixed_6a", "Mixed_7a") and name in ("branch3x3", "branch3x3dbl_3", "branch3x3_2",
                                                                       "branch7x7x3_4")  # fmt: skip
                options = {"stride": 2} if down else {"padding": tuple(k // 2 for k in kernel)}
                x = self.cbr(f"{module}.{name}", x, **options)
            return x

        def steps(module, prefix):
            names = {name.split(".")[1] for name in self.weights if name.startswith(f"{module}.{prefix}_")}
            return sorted(names)

        x = self.cbr("Conv2d_2a_3x3", self.cbr("Conv2d_1a_3x3", x, stride=2))
        x = self.f.max_pool2d(self.cbr("Conv2d_2b_3x3", x, padding=1), 3, 2)
        x = self.f.max_pool2d(self.cbr("Conv2d_4a_3x3", self.cbr("Conv2d_3b_1x1", x)), 3, 2)
        for module in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"):
            m, parts = f"Mixed_{module}", []
            if module == "6a":
                parts = [chain(m, x, "branch3x3"), chain(m, x, *steps(m, "branch3x3dbl")), self.f.max_pool2d(x, 3, 2)]
            elif module == "7a":
                parts = [chain(m, x, *steps(m, "branch3x3")), chain(m, x, *steps(m, "branch7x7x3"))]
                parts.append(self.f.max_pool2d(x, 3, 2))
            elif module in ("7b", "7c"):
                one, two = chain(m, x, "branch3x3_1"), chain(m, x, "branch3x3dbl_1", "branch3x3dbl_2")
                parts = [chain(m, x, "branch1x1"), chain(m, one, "branch3x3_2a"), chain(m, one, "branch3x3_2b")]
                parts += [chain(m, two, "branch3x3dbl_3a"), chain(m, two, "branch3x3dbl_3b")]
                parts.append(chain(m, self.f.avg_pool2d(x, 3, 1, 1), "branch_pool"))
            else:
                kinds = ("branch5x5", "branch3x3dbl") if module[0] == "5" else ("branch7x7", "branch7x7dbl")
                parts = [chain(m, x, "branch1x1"), *[chain(m, x, *steps(m, kind)) for kind in kinds]]
                parts.append(chain(m, self.f.avg_pool2d(x, 3, 1, 1), "branch_pool"))
            x = self.torch.cat(parts, 1)
        return self.linear("fc", x.mean((2, 3)))

    def lenet(self, x, activation, pool):
        x = pool(activation(self.conv("c1", x, padding=2)), 2)
        x = pool(activation(self.conv("c3", x)), 2).flatten(1)
        return self.linear("output", activation(self.linear("f6", activation(self.linear("c5", x)))))


DEFINITIONS = {
    "resnet18": (64, lambda d, x: d.resnet(x, [2, 2, 2, 2], bottleneck=False)),
    "resnet34": (64, lambda d, x: d.resnet(x, [3, 4, 6, 3], bottleneck=False)),
    "resnet50": (64, lambda d, x: d.resnet(x, [3, 4, 6, 3], bottleneck=True)),
    "resnext50_32x4d": (64, lambda d, x: d.resnet(x, [3, 4, 6, 3], bottleneck=True, groups=32)),
    "vgg11": (32, lambda d, x: d.vgg(x, [1, 1, 2, 2, 2], batch_norm=False)),
    "vgg16_bn": (32, lambda d, x: d.vgg(x, [2, 2, 3, 3, 3], batch_norm=True)),
    "alexnet": (96, lambda d, x: d.alexnet(x)),
    "squeezenet1_0": (65, lambda d, x: d.squeezenet(x, {3, 4, 5, 7, 8, 9, 10, 12}, {2, 6, 11})),
    "squeezenet1_1": (65, lambda d, x: d.squeezenet(x, {3, 4, 6, 7, 9, 10, 11, 12}, {2, 5, 8})),
    "mobilenet_v2": (64, lambda d, x: d.mobilenet(x)),
    "densenet121": (64, lambda d, x: d.densenet(x, [6, 12, 24, 16])),
    "densenet169": (64, lambda d, x: d.densenet(x, [6, 12, 32, 32])),
    "googlenet": (64, lambda d, x: d.googlenet(x)),
    "inception_v3": (96, lambda d, x: d.inception(x)),
    "lenet5": (28, lambda d, x: d.lenet(x, d.torch.relu, d.f.max_pool2d)),
    "lenet5_tanh": (28, lambda d, x: d.lenet(x, d.torch.tanh, d.f.avg_pool2d)),
}


def random_weights(model, rng):
    """Weights that keep the signal's size, biases and statistics that are all different."""
    state = model.state_dict()
    for name, value in state.items():
        shape = tuple(value.shape)
        if name.endswith("num_batches_tracked"):
            continue
        if len(shape) > 1:
            new = rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        elif name.endswith("running_var") or (name.endswith("weight")):
            new = rng.uniform(0.5, 1.5, shape)
        else:
            new = rng.uniform(-0.2, 0.2, shape)
        state[name] = tinyconv.from_numpy(new.astype(np.float32))
    model.load_state_dict(state)
    return state


@pytest.mark.parametrize("name", DEFINITIONS)
def test_scores_as_in_pytorch(name, quick):
    torch = pytest.importorskip("torch")
    size, definition = DEFINITIONS[name]
    rng = np.random.default_rng(0)
    model = models.get_model(name, **({} if name.startswith("lenet") else {"num_classes": 11})).eval()
    weights = {key: torch.from_numpy(value.numpy()) for key, value in random_weights(model, rng).items()}
    x = rng.standard_normal((2, 1 if name.startswith("lenet") else 3, size, size), np.float32)
    with tinyconv.no_grad():
        scores = model(tinyconv.from_numpy(x)).numpy()
    with torch.no_grad():
        expected = definition(Definition(torch, weights), torch.from_numpy(x)).numpy()
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name, size, fields", [
    ("googlenet", 64, ("logits", "aux_logits2", "aux_logits1")), ("inception_v3", 299, ("logits", "aux_logits")),
])  # fmt: skip
def test_auxiliary_classifiers(name, size, fields, quick):
    model = models.get_model(name, num_classes=5)
    random_weights(model, np.random.default_rng(0))
    y = model(tinyconv.randn(2, 3, size, size))
    assert y._fields == fields
    assert all(tuple(scores.shape) == (2, 5) for scores in y)
    assert tuple(model.eval()(tinyconv.randn(1, 3, size, size)).shape) == (1, 5)
    assert tuple(models.get_model(name, num_classes=5, aux_logits=False)(tinyconv.randn(2, 3, size, size)).shape) == (
        2,
        5,
    )


def test_the_input_of_inception():
    """Normalized by ImageNet's mean and deviation in, by 0.5 and 0.5 out."""
    from tinyconv.vision.models.googlenet import to_inception_range

    pixels = np.random.default_rng(0).random((2, 3, 4, 4))
    mean, std = np.array([0.485, 0.456, 0.406])[:, None, None], np.array([0.229, 0.224, 0.225])[:, None, None]
    y = to_inception_range(tinyconv.from_numpy((pixels - mean) / std))
    np.testing.assert_allclose(y.numpy(), (pixels - 0.5) / 0.5, atol=1e-12)


def test_residual_blocks_can_start_as_their_shortcuts():
    model = models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=2, zero_init_residual=True)
    assert all(not model.get_submodule(f"layer{i}.0.bn3").weight.any() for i in (1, 2, 3, 4))


def test_every_parameter_of_a_small_resnet_gets_a_gradient():
    model = models.resnet18(num_classes=3)
    nn.functional.cross_entropy(model(tinyconv.randn(2, 3, 32, 32)), tinyconv.tensor([0, 2])).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_a_vgg_of_ones_own():
    """`VGG(make_layers(cfg), ...)` and `cfgs`, which programs for smaller images start from."""
    features = models.vgg.make_layers([8, "M", 512, "M"], batch_norm=True)
    model = models.VGG(features, num_classes=3, init_weights=False)
    assert [type(layer).__name__ for layer in features] == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 2
    assert model(tinyconv.randn(2, 3, 16, 16)).shape == (2, 3)
    assert models.vgg.cfgs["A"].count("M") == 5


def test_a_resnet_that_keeps_its_size(quick):
    plain = models.resnet50(num_classes=2)
    model = models.resnet50(num_classes=2, replace_stride_with_dilation=[False, True, True])
    assert list(model.state_dict()) == list(plain.state_dict())
    assert [(m.conv2.stride, m.conv2.dilation) for m in (model.layer3[0], model.layer3[1], model.layer4[2])] == [
        ((1, 1), (1, 1)), ((1, 1), (2, 2)), ((1, 1), (4, 4)),
    ]  # fmt: skip
    features = nn.Sequential(*list(model.children())[:-2])
    assert features(tinyconv.zeros(1, 3, 64, 64)).shape == (1, 2048, 8, 8)
    with pytest.raises(ValueError, match="3-element tuple, got \\[True\\]"):
        models.resnet50(replace_stride_with_dilation=[True])
    with pytest.raises(NotImplementedError, match="dilation must be 1, got 2"):
        models.resnet18(replace_stride_with_dilation=[False, False, True])


def test_a_resnet_of_other_normalizations(quick):
    model = models.resnet18(num_classes=2, norm_layer=nn.InstanceNorm2d, zero_init_residual=True)
    norms = [m for m in model.modules() if isinstance(m, (nn.BatchNorm2d, nn.InstanceNorm2d))]
    assert len(norms) == 20
    assert all(isinstance(m, nn.InstanceNorm2d) for m in norms)
