"""Archives: what is right is unpacked; what is not leaves nothing, inside the folder or outside."""

import hashlib
import io
import stat
import tarfile
import threading
import zipfile

import pytest

from tinyconv.vision.datasets import WrongChecksum, download_and_extract_archive, extract_archive

FILES = {"a.txt": b"a", "sub/b.bin": bytes(range(256)) * 20, "sub/deeper/c": b""}


def tar(path, entries, mode="w"):
    """``entries``: (name, bytes), or a ready TarInfo."""
    with tarfile.open(path, mode) as file:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                file.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                file.addfile(info, io.BytesIO(entry[1]))
    return path


def zip_(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make(kind, path, entries):
    return zip_(path, entries) if kind == "zip" else tar(path, entries, kind)


KINDS = pytest.mark.parametrize("kind", ["w", "w:gz", "w:xz", "w:bz2", "zip"])


@KINDS
def test_what_is_in_it_arrives(tmp_path, kind):
    archive = make(kind, tmp_path / "archive", FILES.items())
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a.txt").write_text("older")
    (tmp_path / "to" / "mine").write_text("stays")
    assert extract_archive(archive, tmp_path / "to") == str(tmp_path / "to")
    assert contents(tmp_path / "to") == {**FILES, "mine": b"stays"}
    assert archive.exists()
    extract_archive(archive, remove_finished=True)
    assert contents(tmp_path)["sub/b.bin"] == FILES["sub/b.bin"]
    assert not archive.exists()


@KINDS
@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "sub/../../evil", "a\\..\\evil", "C:evil"])
def test_names_that_lead_outside(tmp_path, kind, name):
    archive = make(kind, tmp_path / "archive", [("good", b"1"), (name, b"2")])
    with pytest.raises(ValueError, match=r"archive: the name .*evil.* leads outside"):
        extract_archive(archive, tmp_path / "to")
    assert contents(tmp_path) == {"archive": archive.read_bytes()}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices(tmp_path, kind):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, "/etc"
    archive = tar(tmp_path / "archive", [link, ("link/passwd", b"evil")])
    with pytest.raises(ValueError, match="archive: 'link' is a link or device, not a file"):
        extract_archive(archive, tmp_path / "to")
    assert contents(tmp_path / "to") == {}


def test_links_in_a_zip(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = zip_(tmp_path / "archive", [(info, "/etc")])
    with pytest.raises(ValueError, match="'link' is a link, not a file"):
        extract_archive(archive, tmp_path / "to")


@KINDS
def test_a_bomb(tmp_path, kind):
    archive = make(kind, tmp_path / "archive", [("zeros", bytes(5_000_000)), ("more", bytes(5_000_000))])
    with pytest.raises(ValueError, match="archive: unpacks to more than 9000000 bytes"):
        extract_archive(archive, tmp_path / "to", limit=9_000_000)
    assert contents(tmp_path / "to") == {}
    extract_archive(archive, tmp_path / "to", limit=10_000_000)


@KINDS
def test_damage(tmp_path, kind):
    archive = make(kind, tmp_path / "archive", [("a", bytes(range(256)) * 400), ("b", b"x" * 5000)])
    whole = archive.read_bytes()
    for content in (b"", b"no archive at all", whole[: len(whole) // 2], whole[:300]):
        archive.write_bytes(content)
        with pytest.raises(ValueError, match="archive: damaged archive"):
            extract_archive(archive, tmp_path / "to")
        assert contents(tmp_path / "to") == {}


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(tmp_path, names):
    for kind in ("w", "zip"):
        archive = make(kind, tmp_path / f"archive{kind}", [(name, b"1") for name in names])
        with pytest.raises(ValueError, match="stands there twice"):
            extract_archive(archive, tmp_path / "to")


def test_an_encrypted_zip(tmp_path):
    archive = zip_(tmp_path / "archive", [("a", b"1")])
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="'a' is encrypted"):
        extract_archive(archive, tmp_path / "to")


def test_download_and_extract(tmp_path, mirrors):
    content = zip_(tmp_path / "origin.zip", FILES.items()).read_bytes()
    mirrors.files["photos.zip"] = content
    (url,) = mirrors("good")
    md5 = hashlib.md5(content).hexdigest()
    download_and_extract_archive(url + "photos.zip", tmp_path / "down", tmp_path / "to", md5=md5)
    assert contents(tmp_path / "to") == FILES
    assert contents(tmp_path / "down") == {"photos.zip": content}
    download_and_extract_archive(url + "photos.zip", tmp_path / "down", tmp_path / "again")
    assert len(mirrors.asked) == 1
    download_and_extract_archive(url + "photos.zip", tmp_path / "named", filename="x.zip", remove_finished=True)
    assert contents(tmp_path / "named") == FILES
    with pytest.raises(WrongChecksum, match="photos.zip"):
        download_and_extract_archive(url + "photos.zip", tmp_path / "wrong", md5="0" * 32)
    assert contents(tmp_path / "wrong") == {}


def test_several_at_once_end_with_all_files_whole(tmp_path, mirrors):
    content = zip_(tmp_path / "origin.zip", FILES.items()).read_bytes()
    mirrors.files["photos.zip"] = content
    (url,) = mirrors("good")
    failures = []

    def work():
        try:
            download_and_extract_archive(url + "photos.zip", tmp_path / "down", md5=hashlib.md5(content).hexdigest())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert contents(tmp_path / "down") == {**FILES, "photos.zip": content}
