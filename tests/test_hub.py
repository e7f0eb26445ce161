"""Weights from the web, served here by a server of our own."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading

import pytest

import tinyconv
from tinyconv import hub
from tinyconv.utils import model_zoo


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path):
    """(folder, its URL)"""
    folder = tmp_path / "web"
    folder.mkdir()
    handler = functools.partial(Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(hub, "_dir", None)
    return tmp_path / "home" / "hub" / "checkpoints"


def publish(folder) -> str:
    path = folder / "weights.pt"
    tinyconv.save({"w": tinyconv.arange(3.0)}, path)
    name = f"net-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pt"
    path.rename(folder / name)
    return name


def test_weights_are_fetched_once(web, home):
    folder, url = web
    name = publish(folder)
    assert hub.load_state_dict_from_url(f"{url}/{name}", check_hash=True)["w"].tolist() == [0, 1, 2]
    assert [path.name for path in home.iterdir()] == [name]
    (folder / name).unlink()
    assert model_zoo.load_url(f"{url}/{name}", map_location="cpu")["w"].tolist() == [0, 1, 2]


def test_a_folder_and_a_name_of_ones_own(web, tmp_path):
    folder, url = web
    name = publish(folder)
    hub.load_state_dict_from_url(f"{url}/{name}?raw=true", tmp_path / "mine", file_name="a.pt")
    assert (tmp_path / "mine" / "a.pt").exists()


def test_other_bytes_than_were_published(web, home):
    folder, url = web
    (folder / "net-00000000.pt").write_bytes(b"something else")
    with pytest.raises(RuntimeError, match="expected a SHA-256 that begins with 00000000"):
        hub.load_state_dict_from_url(f"{url}/net-00000000.pt", check_hash=True)
    assert list(home.iterdir()) == []


def test_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert hub.get_dir() == str(tmp_path / "hub")
    hub.set_dir(tmp_path / "other")
    assert hub.get_dir() == str(tmp_path / "other")
