"""``summarize``: shapes, parameters and multiply-adds, which agree with the published ones."""

import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn import functional as F
from tinyconv.training import ModuleSummary, summarize
from tinyconv.vision.models import get_model


# torchvision's documentation lists them as "GFLOPS", in billions with three digits.
@pytest.mark.parametrize(
    "name, published",
    [
        ("squeezenet1_1", 0.349),
        ("mobilenet_v2", 0.301),
        ("resnet18", 1.814),
        ("googlenet", 1.498),
        pytest.param("alexnet", 0.714, marks=pytest.mark.slow),
        pytest.param("inception_v3", 5.713, marks=pytest.mark.slow),
        pytest.param("resnet50", 4.089, marks=pytest.mark.slow),
        pytest.param("vgg16", 15.47, marks=pytest.mark.slow),
    ],
)
def test_multiply_adds_are_the_published_ones(name, published):
    size = 299 if name == "inception_v3" else 224
    options = {"init_weights": False} if name in ("googlenet", "inception_v3", "vgg16") else {}
    model = get_model(name, **options)
    total = summarize(model, (3, size, size))[0]
    assert round(total.macs / 1e9, 3) == published
    assert total.parameters == sum(p.numel() for p in model.parameters())


def test_callers_come_before_the_called_and_hold_their_sums():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(48, 5, bias=False)))
    assert summarize(model, (2, 6, 6)) == [
        ModuleSummary("", "Sequential", 0, (5,), 57 + 240, 3 * 16 * 18 + 240),
        ModuleSummary("0", "Conv2d", 1, (3, 4, 4), 57, 3 * 16 * 18),
        ModuleSummary("1", "Sequential", 1, (5,), 240, 240),
        ModuleSummary("1.0", "ReLU", 2, (3, 4, 4), 0, 0),
        ModuleSummary("1.1", "Flatten", 2, (48,), 0, 0),
        ModuleSummary("1.2", "Linear", 2, (5,), 240, 240),
    ]


def test_a_layer_used_twice_is_two_rows_and_its_parameters_count_once():
    layer = nn.Linear(3, 3)
    total, *rows = summarize(nn.Sequential(layer, nn.ReLU(), layer), (3,))
    twice = ModuleSummary("0", "Linear", 1, (3,), 12, 9)
    assert rows == [twice, ModuleSummary("1", "ReLU", 1, (3,), 0, 0), twice]
    assert (total.parameters, total.macs) == (12, 18)


class Functional(nn.Module):
    """Multiplies outside of any layer, and returns more than one tensor."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(tinyconv.zeros(4, 2, 3, 3))

    def forward(self, x):
        y = F.conv2d(x, self.w, stride=2, padding=1)  # (N, 4, 3, 3)
        return {"y": y @ y.transpose(-1, -2), "x": F.max_pool2d(F.relu(x), 2)}


def test_what_is_called_by_name_counts_too():
    assert summarize(Functional(), (2, 6, 6)) == [
        ModuleSummary("", "Functional", 0, (4, 3, 3), 72, 4 * 9 * 18 + 4 * 9 * 3)
    ]


@pytest.mark.parametrize(
    "layer, size, macs",
    [
        (nn.Conv2d(4, 6, 3, groups=2, padding=1), (4, 5, 5), 6 * 25 * 2 * 9),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (4, 5, 5), 4 * 25 * 3 * 9),
        (nn.Conv1d(4, 6, 3), (4, 5), 6 * 3 * 4 * 3),
        (nn.Linear(8, 3), (7, 8), 7 * 8 * 3),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2)), (1, 6, 6), 2 * 16 * 9),
    ],
)
def test_multiply_adds_of_a_layer(layer, size, macs):
    assert summarize(layer, size)[0].macs == macs


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    model[1].eval()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    summarize(model, (1, 4, 4))
    with pytest.raises(RuntimeError, match="expects 1 input channels"):
        summarize(model, (2, 4, 4))
    assert all((before[name] == x).all() for name, x in model.state_dict().items())
    assert [m.training for m in model] == [True, False, True]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
