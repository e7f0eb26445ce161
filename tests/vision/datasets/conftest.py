"""A small data set on disk, places that hold nothing else, and mirrors on this machine."""

import http.server
import threading

import numpy as np
import pytest

from tinyconv.vision.datasets import write_idx

NAMES = {
    True: ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    False: ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    """No data set of the machine's is in sight."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def write():
    """write(place, first_pixel=0, n=5, train=True, suffix="", name="MNIST"): n images and labels below ``place``."""

    def write(place, first_pixel=0, n=5, train=True, suffix="", name="MNIST"):
        images = np.random.default_rng(n).integers(0, 256, (n, 28, 28), np.uint8)
        images[:, 0, 0] = first_pixel
        labels = (np.arange(n) * 3 % 10).astype(np.uint8)
        folder = place / name / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        for array, file in zip((images, labels), NAMES[train], strict=True):
            write_idx(folder / (file + suffix), array)
        return images, labels

    return write


class Mirrors:
    """A server whose first path component says how it behaves; ``asked`` is what it was asked for,
    ``files`` what it has."""

    def __init__(self):
        self.asked = []
        self.files = {}
        self.released = threading.Event()  # ends all waiting
        mirrors = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                mirrors.asked.append(self.path)
                _, behaviour, name = self.path.split("/")
                getattr(mirrors, behaviour)(self, mirrors.files[name])

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def __call__(self, *behaviours):
        """The URLs of mirrors that behave so."""
        return [f"http://127.0.0.1:{self.server.server_port}/{behaviour}/" for behaviour in behaviours]

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def _start(self, request, length):
        request.send_response(200)
        request.send_header("Content-Length", str(length))
        request.end_headers()

    def good(self, request, content):
        self._start(request, len(content))
        request.wfile.write(content)

    def packed(self, request, content):
        """Names its content's compression, as servers do that know the suffix .gz; to unpack it would be wrong."""
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        request.end_headers()
        request.wfile.write(content)

    def wrong(self, request, content):
        self.good(request, content[:-1] + b"?")

    def dying(self, request, content):
        self._start(request, len(content))
        request.wfile.write(content[:5000])

    def missing(self, request, content):
        request.send_error(404)

    def silent(self, request, content):
        self.released.wait()

    def stalling(self, request, content):
        self._start(request, len(content))
        request.wfile.write(content[:5000])
        self.released.wait()

    def trickling(self, request, content):
        self._start(request, len(content))
        for i in range(len(content)):
            request.wfile.write(content[i : i + 1])
            if self.released.wait(0.02):
                break


@pytest.fixture
def mirrors():
    mirrors = Mirrors()
    yield mirrors
    mirrors.close()
