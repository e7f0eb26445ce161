"""Unmodified PyTorch programs run on tinyconv, and print what they print under PyTorch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tinyconv
from tinyconv.vision import models
from tinyconv.vision.datasets import strokes, write_idx

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "pytorch"
WITH_TORCHVISION = {
    "mnist", "blitz_classifier", "fashion_quickstart", "spatial_transformer", "transfer_learning", "vae",
}  # fmt: skip
ALONE = sorted(path.stem for path in PROGRAMS.glob("*.py") if path.stem not in WITH_TORCHVISION)


def python(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.run([sys.executable, *map(str, command)], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """A function: what a program printed under a library, with random numbers from NumPy."""
    folders = {}

    def text(library: str, program: str) -> str:
        if library not in folders:
            folders[library] = tmp_path_factory.mktemp(library)
            run = [Path(__file__).parent / "same_numbers.py", library, folders[library]]
            done = python(*run, *(PROGRAMS / f"{name}.py" for name in ALONE), cwd=folders[library])
            assert done.returncode == 0, done.stderr
        return (folders[library] / f"{program}.txt").read_text()

    return text


TOLERANCE = {"regression": 0.05}  # 300 steps of one size amplify rounding: in float64 all digits shown agree
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


def words(text: str) -> str:
    """What a program printed, without the numbers and the library's name; dots align them, so they go, too."""
    return re.sub(r"\s+", " ", NUMBER.sub("#", re.sub(r"\b(torch|tinyconv)\.", "", text)).replace("#.", "#"))


@pytest.mark.parametrize("program", ALONE)
def test_runs(program, printed):
    said = printed("tinyconv", program)
    assert "Traceback" not in said, said
    assert said.strip()


@pytest.mark.parametrize("program", ALONE)
def test_prints_what_it_prints_under_pytorch(program, printed):
    pytest.importorskip("torch")
    ours, theirs = printed("tinyconv", program), printed("torch", program)
    assert words(ours) == words(theirs)
    numbers = [np.array([float(n) for n in NUMBER.findall(text)]) for text in (ours, theirs)]
    np.testing.assert_allclose(*numbers, rtol=TOLERANCE.get(program, 2e-3), atol=2e-4)


# -------------------------------------------------------------------------------------------- programs with torchvision


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a few hundred drawn digits where the programs look for their data, and two kinds of pictures."""
    place = tmp_path_factory.mktemp("programs")
    for name in ("MNIST", "FashionMNIST"):
        raw = place / "data" / name / "raw"
        raw.mkdir(parents=True)
        for part, count in (("train", 640), ("t10k", 100)):
            images, labels = strokes.draw_digits(count)
            write_idx(raw / f"{part}-images-idx3-ubyte", images)
            write_idx(raw / f"{part}-labels-idx1-ubyte", labels.astype("uint8"))
    rng = np.random.default_rng(0)
    for part, count in (("train", 6), ("val", 3)):
        for kind, colour in (("ants", 0), ("bees", 2)):
            folder = place / "run" / "hymenoptera_data" / part / kind
            folder.mkdir(parents=True)
            for k in range(count):
                picture = rng.integers(0, 80, (50, 60, 3), dtype=np.uint8)
                picture[..., colour] += 150
                Image.fromarray(picture).save(folder / f"{k}.jpg")
    return place


def run(program: Path, *arguments: object, place: Path) -> str:
    done = python(
        ROOT / "examples" / "run_as_torch.py", program, *arguments, cwd=place / "run", TINYCONV_DATA=str(place / "data")
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(text: str, pattern: str) -> list[float]:
    return [float(loss) for loss in re.findall(pattern, text)]


def test_mnist(place):
    options = ("--epochs", "2", "--log-interval", "1", "--save-model", "--no-accel")
    said = run(PROGRAMS / "mnist.py", *options, place=place)
    found = losses(said, r"Loss: (\d+\.\d+)")
    assert len(found) == 20
    assert np.mean(found[-5:]) < np.mean(found[:5])
    assert (place / "run" / "mnist_cnn.pt").exists()
    assert "Test set: Average loss" in said


def test_blitz_classifier(place):
    said = run(PROGRAMS / "blitz_classifier.py", place=place)
    assert len(losses(said, r"loss: (\d+\.\d+)")) == 4
    assert "Finished Training" in said
    assert "Accuracy of the network on the 40 test images" in said


def test_fashion_quickstart(place):
    said = run(PROGRAMS / "fashion_quickstart.py", place=place)
    averages = losses(said, r"Avg loss: (\d+\.\d+)")
    assert averages[-1] < averages[0]
    assert "<All keys matched successfully>" in said


def test_spatial_transformer(place):
    pytest.importorskip("matplotlib")
    said = run(PROGRAMS / "spatial_transformer.py", place=place)
    averages = losses(said, r"Average loss: (\d+\.\d+)")
    assert len(averages) == 5 and averages[-1] < averages[0]
    assert losses(said, r"moved by (\d+\.\d+)")[0] > 0
    assert (place / "run" / "transformed.png").exists()


def test_vae(place):
    said = run(PROGRAMS / "vae.py", "--epochs", "2", "--batch-size", "64", place=place)
    averages = losses(said, r"Average loss: (\d+\.\d+)")
    assert averages[1] < averages[0]
    assert (place / "run" / "results" / "sample_2.png").exists()


@pytest.mark.skipif(not hasattr(models, "resnet18"), reason="needs vision.models.resnet18")
def test_transfer_learning(place):
    said = run(PROGRAMS / "transfer_learning.py", place=place)
    assert "['ants', 'bees']" in said
    assert said.count("Training complete") == 2
    assert said.splitlines()[-1] == "2"  # only the new layer's weight and bias


# ------------------------------------------------------------------------------------------------------ what is lacking


@pytest.mark.parametrize(
    "code, message",
    [
        ("import torch\ntorch.nonsense(1)", "tinyconv has no nonsense, and program.py needs it"),
        ("from torch.nn import Nonsense", "tinyconv.nn has no Nonsense, and program.py needs it"),
        ("import torch.nonsense", "tinyconv has no tinyconv.nonsense to stand for torch.nonsense"),
        ("import torch\ntorch.ones(1).nonsense()", "tinyconv.Tensor has no nonsense, and program.py needs it"),
    ],
)
def test_a_name_that_is_lacking_is_named(code, message, tmp_path):
    (tmp_path / "program.py").write_text(code)
    done = python(ROOT / "examples" / "run_as_torch.py", "program.py", cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr


def test_the_program_sees_its_arguments_and_neighbours(tmp_path):
    (tmp_path / "neighbour.py").write_text("import torch.nn.functional as F\nfrom torchvision import transforms")
    (tmp_path / "program.py").write_text(
        "import sys, neighbour, torch, tinyconv\nprint(sys.argv, torch is tinyconv, __name__, neighbour.F.relu)"
    )
    done = python(ROOT / "examples" / "run_as_torch.py", "program.py", "--lr", "1", cwd=tmp_path)
    assert done.stdout.startswith("['program.py', '--lr', '1'] True __main__ <function relu"), done.stderr


def test_a_library_that_asks_for_a_version_is_told_pytorchs(tmp_path):
    (tmp_path / "program.py").write_text("import torch\nimport torch.nn\nprint(torch.__version__)")
    done = python(ROOT / "examples" / "run_as_torch.py", "program.py", cwd=tmp_path)
    assert done.stdout == f"2.13.0+tinyconv.{tinyconv.__version__}\n"


def test_no_program_is_a_usage_message(tmp_path):
    assert "Run a PyTorch program on tinyconv" in python(ROOT / "examples" / "run_as_torch.py", cwd=tmp_path).stdout
    done = python(ROOT / "examples" / "run_as_torch.py", "missing.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "missing.py is not a file" in done.stderr
