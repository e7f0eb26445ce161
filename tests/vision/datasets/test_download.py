"""fetch: what arrives whole is kept, what does not leaves nothing, and silence is not waited for. (Loopback only.)"""

import gzip
import hashlib
import subprocess
import sys
import threading

import pytest

from tinyconv.vision.datasets import MNIST, DatasetNotFound, Offline, WrongChecksum
from tinyconv.vision.datasets.download import fetch

FILES = {name: name.encode() * 1000 for name, _ in MNIST.resources}
CHECKSUMS = {name: hashlib.md5(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def mirrors(mirrors):
    mirrors.files = FILES
    return mirrors


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_files_arrive(tmp_path, mirrors):
    fetch(tmp_path / "a" / "b", CHECKSUMS, mirrors("good"))
    assert contents(tmp_path) == FILES


def test_what_is_there_is_not_fetched(tmp_path, mirrors):
    first, *rest = FILES
    (tmp_path / first).write_bytes(b"mine")
    fetch(tmp_path, CHECKSUMS, mirrors("good"))
    assert contents(tmp_path)[first] == b"mine"
    assert mirrors.asked == [f"/good/{name}" for name in rest]


def test_content_is_kept_as_published(tmp_path, mirrors):
    fetch(tmp_path, CHECKSUMS, mirrors("packed"))
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("bad", ["wrong", "dying", "missing", "silent", "stalling", "trickling"])
def test_a_bad_mirror_is_left_for_a_good_one(tmp_path, mirrors, bad):
    fetch(tmp_path, CHECKSUMS, mirrors(bad, "good"), patience=0.6)
    assert contents(tmp_path) == FILES
    assert len([path for path in mirrors.asked if bad in path]) == 1


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("wrong", WrongChecksum),
        ("dying", Offline),
        ("missing", DatasetNotFound),
        ("silent", Offline),  # the server is released only after the test: to wait for it would be for ever
        ("stalling", Offline),
        ("trickling", Offline),
    ],
)
def test_a_failed_download_leaves_nothing(tmp_path, mirrors, bad, error):
    with pytest.raises(error, match=f"^{next(iter(FILES))}: .*127.0.0.1") as raised:
        fetch(tmp_path, CHECKSUMS, mirrors(bad), patience=0.3)
    assert type(raised.value) is error
    assert contents(tmp_path) == {}
    assert len(mirrors.asked) == 1


def test_a_wrong_checksum_is_a_value_error_that_names_the_file(tmp_path, mirrors):
    with pytest.raises(ValueError, match="train-images-idx3-ubyte.gz: the downloaded file has the wrong checksum"):
        fetch(tmp_path, CHECKSUMS, mirrors("wrong"))


def test_two_processes_at_once(tmp_path, mirrors):
    """Each waits until both are ready, so that neither finds the other's files."""
    code = (
        "import pathlib, sys\n"
        "from tinyconv.vision.datasets.download import fetch\n"
        "import pooch, requests\n"
        "print(flush=True); sys.stdin.readline()\n"
        f"fetch(pathlib.Path({str(tmp_path)!r}), {CHECKSUMS!r}, {mirrors('good')!r})\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(2)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert contents(tmp_path) == FILES


def test_a_name_server_that_never_answers(tmp_path, monkeypatch):
    released = threading.Event()

    def getaddrinfo(*_, **__):
        released.wait()
        raise OSError("no such host")

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    try:
        with pytest.raises(Offline, match="no answer within 0.1 seconds"):
            fetch(tmp_path, CHECKSUMS, ["http://one.invalid/", "http://two.invalid/"], patience=0.2)
    finally:
        released.set()
    assert contents(tmp_path) == {}


def test_a_folder_that_cannot_be_made(tmp_path, mirrors):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetNotFound, match="cannot write"):
        fetch(tmp_path / "file" / "raw", CHECKSUMS, mirrors("good"))


def test_mnist_downloads_what_is_missing_to_root(tmp_path, mirrors, write, monkeypatch):
    images, labels = write(tmp_path / "origin", suffix=".gz")
    write(tmp_path / "origin", suffix=".gz", train=False)
    published = contents(tmp_path / "origin")
    for name, content in published.items():
        monkeypatch.setitem(FILES, name, content)
    monkeypatch.setattr(MNIST, "mirrors", mirrors("good"))
    monkeypatch.setattr(MNIST, "resources", [(name, hashlib.md5(published[name]).hexdigest()) for name in FILES])

    folder = tmp_path / "root" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    here = "train-labels-idx1-ubyte"
    (folder / here).write_bytes(gzip.decompress(published[f"{here}.gz"]))  # plain counts as well
    dataset = MNIST(tmp_path / "root", download=True)
    assert (dataset.data.numpy() == images).all()
    assert (dataset.targets.numpy() == labels).all()
    assert sorted(contents(folder)) == sorted([here, *(name for name in FILES if here not in name)])

    asked = len(mirrors.asked)
    MNIST(tmp_path / "root", train=False, download=True)
    assert len(mirrors.asked) == asked == 3


def test_without_root_the_cache_is_filled(tmp_path, mirrors, write, monkeypatch):
    write(tmp_path / "origin", suffix=".gz")
    write(tmp_path / "origin", suffix=".gz", train=False)
    published = contents(tmp_path / "origin")
    for name, content in published.items():
        monkeypatch.setitem(FILES, name, content)
    monkeypatch.setattr(MNIST, "mirrors", mirrors("good"))
    monkeypatch.setattr(MNIST, "resources", [(name, hashlib.md5(published[name]).hexdigest()) for name in FILES])
    assert MNIST.find(download=True) == tmp_path / "cache" / "tinyconv"
    assert len(MNIST()) == 5
