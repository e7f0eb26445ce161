"""Published weights: found where they should be, downloaded once, checked, and refused when they do not fit."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from pathlib import Path

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.vision import models
from tinyconv.vision.models.weights import Weights, WeightsNotFound, find_weights, read_weights

DATA = Path(os.environ.get("TINYCONV_DATA", "/nowhere"), "weights")


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No weights on this machine, and no network."""
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for scheme in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")


def put(path, model):
    path.parent.mkdir(parents=True, exist_ok=True)
    tinyconv.save(model.state_dict(), path)
    return model


def same(a, b):
    return all(bool((p == q).all()) for p, q in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize("place", ["folder", "data", "torch"])
def test_where_weights_are_looked_for(tmp_path, monkeypatch, place):
    name, folder = "squeezenet1_1-b8a52dc0.pth", tmp_path / place
    config = {}
    if place == "folder":
        config["weights_dir"] = folder
    elif place == "data":
        monkeypatch.setenv("TINYCONV_DATA", str(folder))
        folder = folder / "weights"
    else:
        folder = folder / "hub" / "checkpoints"
    saved = put(folder / name, models.squeezenet1_1())
    for ways in ({"weights": "DEFAULT"}, {"weights": "IMAGENET1K_V1"}, {"pretrained": True},
                 {"weights": models.SqueezeNet1_1_Weights.DEFAULT}, {"weights": folder / name},
                 {"weights": str(folder / name)}, {"weights": "SqueezeNet1_1_Weights.IMAGENET1K_V1"}):  # fmt: skip
        assert same(models.squeezenet1_1(**ways, **config), saved)
    assert not same(models.squeezenet1_1(weights=None), saved)


def test_nowhere_and_no_network(tmp_path):
    with pytest.raises(WeightsNotFound) as caught:
        models.resnet18(weights="DEFAULT", weights_dir=tmp_path / "mine")
    message = str(caught.value)
    assert "resnet18-f37072fd.pth is in none of" in message
    assert str(tmp_path / "mine") in message and str(tmp_path / "torch" / "hub" / "checkpoints") in message
    assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in message
    assert not any((tmp_path / "torch").rglob("*.pth"))


def test_weights_that_do_not_exist_or_fit(tmp_path):
    with pytest.raises(ValueError, match=r"one of ResNet18_Weights's \['IMAGENET1K_V1', 'DEFAULT'\].*got 'V9'"):
        models.resnet18(weights="V9")
    with pytest.raises(ValueError, match="has 1000 classes, got num_classes=2"):
        models.resnet18(weights="DEFAULT", num_classes=2)
    with pytest.raises(ValueError, match="got <ResNet34_Weights"):
        models.resnet18(weights=models.ResNet34_Weights.DEFAULT)
    tinyconv.save({"epoch": 3}, tmp_path / "f")
    with pytest.raises(ValueError, match="f: holds no state_dict"):
        models.resnet18(weights=tmp_path / "f")


def test_checkpoints_are_taken_apart(tmp_path):
    model = nn.Linear(2, 3)
    prefixed = {f"module.{name}": value for name, value in model.state_dict().items()}
    for checkpoint in (prefixed, {"state_dict": prefixed, "epoch": 1}, {"model": model.state_dict()}):
        tinyconv.save(checkpoint, tmp_path / "f")
        assert list(read_weights(tmp_path / "f")) == ["weight", "bias"]


@pytest.fixture
def server():
    """Serves ``content`` under any name."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(server.content)))
            self.end_headers()
            self.wfile.write(server.content)
            server.asked.append(self.path)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.asked = b"weights" * 1000, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_is_checked_and_kept(tmp_path, server, monkeypatch):
    for scheme in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(scheme)
    url = f"http://127.0.0.1:{server.server_port}/"
    digest = hashlib.sha256(server.content).hexdigest()[:8]
    good, wrong = Weights(f"net-{digest}.pth", url=url), Weights("net-00000000.pth", url=url)
    path = find_weights(good)
    assert path == tmp_path / "torch" / "hub" / "checkpoints" / good.file
    assert path.read_bytes() == server.content
    assert find_weights(good) == path
    assert server.asked == [f"/{good.file}"]
    with pytest.raises(WeightsNotFound, match=f"has the checksum {digest}, not 00000000"):
        find_weights(wrong)
    assert [p.name for p in path.parent.iterdir()] == [good.file]
    with pytest.raises(WeightsNotFound, match="a download was not asked for"):
        find_weights(wrong, download=False)


def test_published_squeezenet_fits():
    path = DATA / "squeezenet1_1_fp16_torchvision_names.npz"
    if not path.exists():
        pytest.skip("TINYCONV_DATA has no weights/squeezenet1_1_fp16_torchvision_names.npz")
    model = models.squeezenet1_1(pretrained=True, weights_dir=DATA)
    w = model.features[0].weight
    assert w.dtype == tinyconv.float32
    np.testing.assert_array_equal(w.detach().numpy(), np.load(path)["features.0.weight"].astype(np.float32))


def test_transforms_of_weights():
    from PIL import Image

    image = Image.new("RGB", (300, 260), (124, 116, 104))
    x = models.ResNet18_Weights.DEFAULT.transforms()(image)
    assert tuple(x.shape) == (3, 224, 224)
    assert float(abs(x).max()) < 0.02  # ImageNet's mean colour
    assert tuple(models.Inception_V3_Weights.DEFAULT.transforms()(image).shape) == (3, 299, 299)
