"""Files plain or compressed: the first bytes decide, damage is an error that names the file, memory has a limit."""

import gzip
import lzma
import zlib

import pytest

from tinyconv.vision.datasets.compressed import find_plain_or_compressed, open_plain_or_compressed, read_up_to

CONTENT = bytes(range(256)) * 1000


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
@pytest.mark.parametrize("size", [1, 4, 1000, 70_000, 256_000, 300_000])
def test_whatever_the_name_the_content_counts(tmp_path, pack, size):
    path = tmp_path / "misleading.gz"
    path.write_bytes(pack(CONTENT))
    with open_plain_or_compressed(path) as file:
        assert file.read(3) == CONTENT[:3]
        assert read_up_to(file, size) == CONTENT[3 : size + 4]


def test_the_plain_file_is_found_first(tmp_path):
    assert find_plain_or_compressed(tmp_path, "a") is None
    for name in ("a.xz", "a.gz", "a"):
        (tmp_path / name).touch()
        assert find_plain_or_compressed(tmp_path, "a") == tmp_path / name


@pytest.mark.parametrize("pack, name", [(gzip.compress, "gzip"), (lzma.compress, "xz")])
def test_damage(tmp_path, pack, name):
    whole = pack(CONTENT)
    for content in (whole[:-5], whole[:30], whole[: len(whole) // 2] + b"??" + whole[len(whole) // 2 + 2 :]):
        (tmp_path / "a").write_bytes(content)
        with (
            pytest.raises(ValueError, match=f"a: damaged {name} file"),
            open_plain_or_compressed(tmp_path / "a") as file,
        ):
            read_up_to(file, len(CONTENT))


def test_an_xz_file_that_wants_gigabytes(tmp_path):
    content = bytearray(lzma.compress(b"x"))
    header = slice(12, 12 + 4 * (content[12] + 1))  # of the first block; it ends in a checksum
    dictionary = content.index(b"\x21\x01", 12) + 2
    content[dictionary] = 38  # 2 GiB
    content[header.stop - 4 : header.stop] = zlib.crc32(content[header.start : header.stop - 4]).to_bytes(4, "little")
    assert lzma.decompress(content) == b"x"
    (tmp_path / "a").write_bytes(content)
    refused = pytest.raises(ValueError, match="a: damaged xz file: Memory usage limit")
    with refused, open_plain_or_compressed(tmp_path / "a") as file:
        file.read(1)
