"""The examples and the README's twelve lines run, in a short form."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinyconv
from tinyconv.vision import models
from tinyconv.vision.datasets import strokes, write_idx

ROOT = Path(__file__).parents[1]


def run(name, *arguments, cwd, **environment):
    """An example's output; it runs on the package that is tested, installed or not."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    env = {**os.environ, "PYTHONPATH": path, **environment}
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Drawn data in the places of the real ones: digits, colour squares, red and blue photographs, random weights."""
    from matplotlib import font_manager  # its list of fonts, made when it is first loaded, is announced on stderr
    from PIL import Image

    assert font_manager.fontManager is not None
    place, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    drawn = {"train": strokes.draw_digits(1000), "t10k": strokes.draw_digits(200, split=1)}
    for dataset in ("MNIST", "FashionMNIST"):
        (place / dataset / "raw").mkdir(parents=True)
        for name, (images, labels) in drawn.items():
            write_idx(place / dataset / "raw" / f"{name}-images-idx3-ubyte", images)
            write_idx(place / dataset / "raw" / f"{name}-labels-idx1-ubyte", labels.astype("uint8"))
    (place / "cifar-10-batches-bin").mkdir()
    for name in ("data_batch_1", "test_batch"):
        records = random.integers(0, 256, (10_000, 3073), dtype=np.uint8)
        records[:, 0] %= 10
        records.tofile(place / "cifar-10-batches-bin" / f"{name}.bin")
    for half, count in (("train", 12), ("val", 5)):
        for name, colour in (("ants", (200, 40, 40)), ("bees", (40, 40, 200))):
            folder = place / "hymenoptera_data" / half / name
            folder.mkdir(parents=True)
            for i in range(count):
                noise = random.integers(-40, 41, (60, 80, 3)) + colour
                Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.jpg")
    (place / "weights").mkdir()
    tinyconv.manual_seed(0)
    tinyconv.save(models.squeezenet1_1().state_dict(), place / "weights" / "squeezenet1_1-b8a52dc0.pth")
    return place


def quick(name, data, folder, *arguments):
    """An example's output on drawn data, and what its pictures are."""
    out = run(name, "--quick", *arguments, cwd=folder, TINYCONV_DATA=str(data))
    return out, sorted(
        path.name for path in (folder / "runs").rglob("*.png") if path.read_bytes().startswith(b"\x89PNG")
    )


def test_edges_sobel(data, tmp_path):
    out, pictures = quick("edges_sobel.py", data, tmp_path)
    assert float(re.search(r"largest difference from Sobel's: (\S+)", out)[1]) < 0.01
    assert pictures == ["edges_sobel.png"]


def test_weight_init(data, tmp_path):
    out, pictures = quick("weight_init.py", data, tmp_path, "--epochs", "8")
    table = re.findall(r"^(.{24}) +(\S+) +(\S+) +(\S+) +\S+%$", out, re.MULTILINE)
    rows = {name.strip(): [float(x) for x in numbers] for name, *numbers in table}
    spread, first, last = rows["Kaiming"]
    assert 0.2 < spread < 5
    assert last < 2 < first
    spread, first, last = rows["all 0"]
    assert spread == 0
    assert first == pytest.approx(last, abs=0.02)  # the last biases alone learn how frequent each class is
    assert pictures == ["weight_init.png"]


def test_batchnorm_and_depth(data, tmp_path):
    out, pictures = quick("batchnorm_and_depth.py", data, tmp_path)
    first = {name.strip(): float(row.split()[0]) for name, row in re.findall(r"^(.{26}) (.*%)$", out, re.MULTILINE)}
    assert first["plain, 20 layers"] < 1e-4 * first["plain, 4 layers"]
    assert min(first["batch norm, 20 layers"], first["residuals, 20 layers"], first["both, 20 layers"]) > 0.01
    assert pictures == ["batchnorm_and_depth.png"]


def test_autoencoders(data, tmp_path):
    out, pictures = quick("autoencoders.py", data, tmp_path, "--epochs", "6")
    error = dict(re.findall(r"^(.{24}) +\d+ +(\S+) +\d+$", out, re.MULTILINE))
    assert [name.strip() for name in error] == ["linear", "transposed convolution", "upsampling", "denoising"]
    assert max(float(e) for e in error.values()) < 0.11  # all black has more
    assert pictures == ["autoencoders.png"]


def test_style_transfer(data, tmp_path):
    style = data / "hymenoptera_data" / "val" / "bees" / "0.jpg"
    out, pictures = quick("style_transfer.py", data, tmp_path, "--style", str(style))
    now, before = re.search(r"in the end: content \S+, style (\S+) \(at first (\S+)\)", out).groups()
    assert float(now) < float(before)
    assert pictures == ["style_transfer.png"]


def test_cats_and_dogs(data, tmp_path):
    out, pictures = quick("cats_and_dogs.py", data, tmp_path)
    assert "24 photographs to train on, 10 to validate on, of ants, bees" in out
    assert re.search(r"best epoch: [12] of 2; \d+.\d\d% of 10 right", out)
    assert pictures == ["cats_and_dogs.png"]


def test_cifar10_cnn(data, tmp_path):
    out, pictures = quick("cifar10_cnn.py", data, tmp_path)
    assert "10,000 images to train on (data_batch_1.bin), 10,000 to test on" in out
    assert re.search(r"\d+.\d\d% of 100 right after \d+ seconds", out)
    assert pictures == ["confusion.png", "curves.png", "wrongest.png"]


def test_transfer_learning(data, tmp_path):
    out, pictures = quick("transfer_learning.py", data, tmp_path)
    right = dict(re.findall(r"^(.*): (\S+)% of 10 right", out, re.MULTILINE))
    assert list(right) == ["frozen features", "fine-tuned", "from scratch"]
    assert float(right["frozen features"]) == 100  # what is red and what is blue, any features tell
    assert pictures == ["transfer_learning.png"]


def test_dog_breeds(data, tmp_path):
    out, _ = quick("dog_breeds.py", data, tmp_path)
    assert "24 photographs of 2 classes" in out
    with open(tmp_path / "runs" / "dog_breeds" / "submission.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6  # every fifth of twelve and twelve
    assert {row["id"].split("/")[0] for row in rows} == {"ants", "bees"}
    assert all(float(row["ants"]) + float(row["bees"]) == pytest.approx(1, abs=1e-3) for row in rows)


def test_dog_breeds_takes_a_table(data, tmp_path):
    images = data / "hymenoptera_data" / "train" / "ants"
    lines = ["id,breed", *(f"{i},{'collie' if i % 2 else 'beagle'}" for i in range(12))]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    out, _ = quick("dog_breeds.py", data, tmp_path, "--labels", "labels.csv", "--images", str(images))
    assert "12 photographs of 2 classes" in out
    submission = (tmp_path / "runs" / "dog_breeds" / "submission.csv").read_text().splitlines()
    assert submission[0] == "id,beagle,collie"
    assert [line.split(",")[0] for line in submission[1:]] == ["0", "10", "1", "11"]


def test_classifier_report(data, tmp_path):
    out, pictures = quick("classifier_report.py", data, tmp_path)
    table = re.findall(r"^(always no|threshold \d.*?) +(\S+)% +(\S+)% +(\S+)%$", out, re.MULTILINE)
    (name, accuracy, sensitivity, specificity), half, chosen = table
    assert name == "always no"
    assert (sensitivity, specificity) == ("0.00", "100.00")
    assert 85 < float(accuracy) < 95
    assert float(chosen[2]) >= float(half[2])
    assert float(re.search(r"area under the ROC curve: (\S+)", out)[1]) > 0.7  # 0.5 is guessing
    assert pictures == ["calibration.png", "confusion.png", "roc.png"]


def test_what_it_sees(data, tmp_path):
    photo = data / "hymenoptera_data" / "val" / "bees" / "0.jpg"
    out, pictures = quick("what_it_sees.py", data, tmp_path, str(photo))
    assert re.search(r"0.jpg: class \d+ of ImageNet, \d+.\d%", out)
    assert pictures == ["feature_maps.png", "filters.png", "grad_cam.png", "occlusion.png", "saliency.png"]


def test_slide_6x6(tmp_path):
    out = run("slide_6x6.py", cwd=tmp_path)
    assert "[2.1 2.7 2.5 1.9]" in out
    assert "= 2.1" in out
    assert "Finite differences agree." in out


def test_autograd_by_hand(tmp_path):
    out = run("autograd_by_hand.py", cwd=tmp_path)
    by_hand = re.search(r"g_x = (\S+)\n", out)
    by_engine = re.search(r"backward\(\) says +g_x = (\S+)\n", out)
    assert float(by_engine[1]) == pytest.approx(float(by_hand[1]), abs=1e-3)
    assert "y' = 12,  y'' = 12" in out


def test_watch_a_block(tmp_path):
    out = run("watch_a_block.py", cwd=tmp_path)
    assert "s[t] += s[t + half]\n     |     threads  # # . . . . . ." in out  # the second round: two threads add
    assert "1 + 2 + ... + 8 = 36" in out
    assert re.search(r"race: shared0\[\d\] is read by thread \d of block 0, and written by thread \d of block 0", out)


def test_lenet5_mnist(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in (("train", 700), ("t10k", 100)):
        images, labels = strokes.draw_digits(count)
        write_idx(raw / f"{name}-images-idx3-ubyte", images)
        write_idx(raw / f"{name}-labels-idx1-ubyte", labels.astype("uint8"))
    options = ("--epochs", "2", "--batch-size", "10", "--limit", "600")
    out = run("lenet5_mnist.py", *options, cwd=tmp_path, TINYCONV_DATA=str(tmp_path))
    assert "epoch 2, step 0 of 60: loss " in out
    assert float(re.findall(r"test accuracy (\d+\.\d+)%", out)[-1]) > 30


@pytest.mark.parametrize(
    "name, words", [("cats_and_dogs.py", "hymenoptera_data"), ("cifar10_cnn.py", "cifar-10-batches-bin")]
)
def test_without_data_an_example_says_what_it_needs_and_where(tmp_path, name, words):
    """And shows no traceback. (Port 9 of this machine is a proxy that refuses.)"""
    refuses = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    nowhere = {**refuses, "no_proxy": "", "NO_PROXY": ""}
    env = {**os.environ, **nowhere, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    env.pop("TINYCONV_DATA", None)
    command = [sys.executable, str(ROOT / "examples" / name), "--quick"]
    result = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert result.returncode == 1
    assert "no mirror can be reached" in result.stderr
    assert "Traceback" not in result.stderr
    assert re.search(rf"Put (the folder )?{words} into {tmp_path}\S* or \$TINYCONV_DATA\.\n$", result.stderr)


def test_the_tour_has_every_example_and_its_pictures():
    folder = ROOT / "examples"
    linked = set(re.findall(r"\]\(([^:)]+)\)", (folder / "README.md").read_text()))
    assert {path.name for path in folder.glob("*.py")} <= linked
    for name in linked:
        assert (folder / name).is_file(), name
    assert all(path.stat().st_size < 100_000 for path in (ROOT / "docs" / "examples").iterdir())


def test_the_tours_table_of_first_weights_has_every_way_of_the_example():
    rules = re.findall(r'^    "([^"]+)": ', (ROOT / "examples" / "weight_init.py").read_text(), re.MULTILINE)
    table = (ROOT / "examples" / "README.md").read_text().partition("| first weights |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE) == rules
    assert len(rules) == 9


def test_the_readmes_twelve_lines(monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(code.splitlines()) == 12
    draw = strokes.draw_digits
    monkeypatch.setattr(strokes, "draw_digits", lambda count, **options: draw(1500, **options))
    exec(compile(code, "README.md", "exec"), {})
    loss = float(re.fullmatch(r"loss of the last batch: (\S+)\n", capsys.readouterr().out)[1])
    assert 0 < loss < 2.2  # 2.3 is guessing
