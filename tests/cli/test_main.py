"""The command as a whole: versions, helps, and how it fails."""

import subprocess
import sys

import pytest

import tinyconv
from tinyconv.cli import main


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"tinyconv {tinyconv.__version__}\n"


@pytest.mark.parametrize("command", ["train", "eval", "finetune", "predict", "export", "summary", "slide", "info"])
def test_help(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: tinyconv {command}")


@pytest.mark.parametrize(
    "argv, message",
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["train", "lenet6"], "invalid choice: 'lenet6'"),
        (["train", "lenet5", "--optimizer", "lion"], "--optimizer: invalid choice: 'lion'"),
        (["train", "lenet5", "--augment", "flip,fold"], "--augment: unknown augmentation 'fold' (choose none, or from"),
        (["finetune", "squeezenet1_1", "--mode", "half"], "--mode: invalid choice: 'half'"),
        (["train", "lenet5", "--epochs", "0"], "--epochs: expected a whole number from 1 to a billion, got '0'"),
        (
            ["train", "lenet5", "--batch-size", "1.5"],
            "--batch-size: expected a whole number from 1 to a billion, got '1.5'",
        ),
        (["train", "lenet5", "--lr", "-1"], "--lr: expected a number above 0, got '-1'"),
        (["train", "lenet5", "--lr", "nan"], "--lr: expected a number above 0, got 'nan'"),
        (["train", "lenet5", "--momentum", "inf"], "--momentum: expected a number from 0 on, got 'inf'"),
        (["train", "lenet5", "--weight-decay", "x"], "--weight-decay: expected a number from 0 on, got 'x'"),
        (["train", "lenet5", "--seed", str(2**64)], f"--seed: expected a whole number of up to 64 bits, got '{2**64}'"),
        (["train", "lenet5", "--threads", "1025"], "--threads: expected at most 1024 threads, got '1025'"),
        (["train", "lenet5", "--limit", str(10**10)], "--limit: expected a whole number from 1 to a billion"),
        (["train", "lenet5", "--threads", "-2"], "--threads: expected a whole number from 1 to a billion, got '-2'"),
        (["train", "lenet5", "--limit", "0"], "--limit: expected a whole number from 1 to a billion, got '0'"),
        (["train", "lenet5", "--kernels", "cuda"], "--kernels: invalid choice: 'cuda'"),
        (["train", "lenet5", "--data", "cifar"], "--data: invalid choice: 'cifar'"),
        (["predict", "run"], "required: IMAGE"),
    ],
)
def test_bad_arguments_end_with_status_2(argv, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    assert message in capsys.readouterr().err


def test_python_m_tinyconv_is_the_command():
    result = subprocess.run([sys.executable, "-m", "tinyconv", "eval", "nowhere"], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("tinyconv eval: error: nowhere: is no folder of a training run")
    assert result.stderr.count("\n") == 1


def test_a_reader_that_leaves_is_no_traceback():
    command = f"{sys.executable} -m tinyconv slide | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert result.stdout.startswith("Convolution")
    assert result.stderr == ""
