"""The pictures: the numbers in them are right, and they are drawn."""

import io

import numpy as np
import pytest
from PIL import Image

import tinyconv
from tinyconv import nn
from tinyconv.nn import functional as F
from tinyconv.training import metrics, pictures


def pixels(picture):
    png = picture.png()
    assert png.startswith(b"\x89PNG")
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert (image < 250).any()  # something is drawn
    return image


@pytest.fixture
def model():
    tinyconv.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True), nn.Conv2d(5, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3)
    )


@pytest.fixture
def x(model):
    return tinyconv.randn(2, 3, 12, 12)


def row(epoch, loss, **more):
    return {"epoch": epoch, "train_loss": loss, "val_loss": loss / 2, **more}


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("more", [{}, {"train_accuracy": 0.9, "val_accuracy": 0.95}])
def test_curves(epochs, more):
    picture = pictures.curves([row(i + 1, 1.0 / (i + 1), **more) for i in range(epochs)])
    assert picture.data["train_loss"] == [1.0, 0.5, 1 / 3][:epochs]
    assert picture.data["val_loss"] == [0.5, 0.25, 1 / 6][:epochs]
    assert ("val_accuracy" in picture.data) == bool(more)
    pixels(picture)


def test_no_curves():
    with pytest.raises(ValueError, match="history is empty"):
        pictures.curves([])


def test_confusion():
    wrong = np.diag([5, 6, 7])
    wrong[0, 2] = 4
    picture = pictures.confusion(wrong, ["a", "b", "a long name"])
    np.testing.assert_array_equal(picture.data["matrix"], wrong)
    assert not np.array_equal(pixels(pictures.confusion(np.diag([5, 6, 7]))), pixels(pictures.confusion(wrong)))


def test_roc():
    rng = np.random.default_rng(0)
    target, scores = rng.integers(0, 3, 50), rng.normal(size=(50, 3))
    picture = pictures.roc(target, scores, ["a", "b", "c"])
    assert list(picture.data) == ["a", "b", "c"]
    assert picture.data["b"]["auc"] == pytest.approx(metrics.roc_auc((target == 1).astype(int), scores[:, 1]))
    pixels(picture)
    two = (target > 0).astype(int)
    assert list(pictures.roc(two, scores[:, :2]).data) == ["1"]
    assert pictures.roc(two, scores[:, 0]).data["1"]["auc"] == pytest.approx(metrics.roc_auc(two, scores[:, 0]))


def test_calibration():
    target, probability = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.6, 0.55])
    picture = pictures.calibration(target, probability)
    np.testing.assert_allclose(picture.data["probability"], [0.1, 0.575, 0.9])
    assert picture.data["ece"] == metrics.expected_calibration_error(target, probability, bins=10)
    pixels(picture)


def test_wrongest():
    scores = np.log([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.01, 0.99]])
    images = np.random.default_rng(0).random((4, 1, 5, 5))
    target = np.array([1, 1, 1, 0])
    for given in (images, [(tinyconv.tensor(image), 0) for image in images]):
        picture = pictures.wrongest(given, target, scores, ["ant", "bee"], count=2)
        assert picture.data["index"].tolist() == [3, 0]
        assert picture.data["prediction"].tolist() == [1, 0]
        np.testing.assert_allclose(picture.data["probability"], [0.01, 0.1])
        pixels(picture)
    assert pictures.wrongest(images, np.array([0, 0, 1, 1]), scores).data["index"].tolist() == []


def test_filters(model):
    picture = pictures.filters(model, count=4)
    assert picture.data["layer"] == "0"
    np.testing.assert_array_equal(picture.data["weight"], model[0].weight.detach().numpy()[:4])
    pixels(picture)
    pixels(pictures.filters(model, "2"))
    with pytest.raises(ValueError, match=r"no convolution '5'; it has \['0', '2'\]"):
        pictures.filters(model, "5")


def test_feature_maps(model, x):
    picture = pictures.feature_maps(model, x)
    assert list(picture.data) == ["0", "1", "2", "3"]
    np.testing.assert_array_equal(picture.data["0"], model[0](x[:1]).detach().numpy())  # before the ReLU in place
    np.testing.assert_array_equal(picture.data["1"], picture.data["0"].clip(0))
    pixels(picture)
    assert list(pictures.feature_maps(model, x, ["2"]).data) == ["2"]
    with pytest.raises(ValueError, match="has no layer 'x'"):
        pictures.feature_maps(model, x, ["x"])
    with pytest.raises(ValueError, match="layer '5' gave no feature maps"):
        pictures.feature_maps(model, x, ["5"])
    assert not any(module._forward_hooks for module in model.modules())


def test_distributions(model, x):
    picture = pictures.distributions(model)
    assert list(picture.data) == ["0.weight", "2.weight", "5.weight"]
    assert "gradient" not in picture.data["0.weight"]
    F.cross_entropy(model(x), tinyconv.tensor([0, 1])).backward()
    picture = pictures.distributions(model, biases=True, bins=7)
    gradient = model[2].bias.grad.numpy().astype(np.float64)
    assert picture.data["2.bias"]["gradient"]["std"] == pytest.approx(gradient.std())
    assert picture.data["2.weight"]["weight"]["counts"].sum() == 5 * 4 * 9
    pixels(picture)


@pytest.mark.parametrize("draw", [pictures.saliency, pictures.grad_cam, pictures.occlusion])
def test_what_it_looks_at(model, x, draw):
    options = {"size": 4, "stride": 2} if draw is pictures.occlusion else {}
    picture = draw(model, x, mean=0.5, std=0.2, **options)
    assert picture.data["map"].shape == ((2, 5, 5) if options else (2, 12, 12))
    pixels(picture)


def test_save(tmp_path):
    picture = pictures.confusion(np.eye(2, dtype=int))
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    assert picture._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="xyz"):
        picture.save(tmp_path / "a.xyz")


def test_images_that_are_none():
    with pytest.raises(ValueError, match=r"expected images .* got \(1, 5, 3, 3\)"):
        pictures.wrongest(np.zeros((2, 5, 3, 3)), np.array([0, 0]), np.array([[0.0, 1], [0, 1]]))
