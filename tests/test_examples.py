"""The examples and the README's twelve lines run, in a short form."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_readmes_twelve_lines(monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(code.splitlines()) == 12
    draw = strokes.draw_digits
    monkeypatch.setattr(strokes, "draw_digits", lambda count, **options: draw(1500, **options))
    exec(compile(code, "README.md", "exec"), {})
    loss = float(re.fullmatch(r"loss of the last batch: (\S+)\n", capsys.readouterr().out)[1])
    assert 0 < loss < 2.2  # 2.3 is guessing
