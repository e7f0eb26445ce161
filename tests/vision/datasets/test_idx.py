"""read_idx: right on what is right, a ValueError that names the file on all else, and no memory for claims."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tinyconv.vision.datasets import read_idx, write_idx

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def header(code, *shape):
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


def save(path, content, compress):
    path.write_bytes(gzip.compress(content) if compress else content)
    return path


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def compress(request):
    return request.param


@pytest.mark.parametrize("code", TYPES)
def test_every_type_is_read_into_native_byte_order(tmp_path, code, compress):
    values = np.array([[1, 2, 100], [4, 5, 0]])
    path = save(tmp_path / "a", header(code, 2, 3) + values.astype(TYPES[code]).tobytes(), compress)
    array = read_idx(path)
    assert array.dtype == np.dtype(TYPES[code]).newbyteorder("=")
    assert array.dtype.isnative
    assert array.flags.c_contiguous
    assert array.flags.writeable
    np.testing.assert_array_equal(array, values)


@pytest.mark.parametrize("name", ["a-idx", "a-idx.gz"])
@given(
    array=st.sampled_from(["u1", "i1", "<i2", ">i4", "f4", "f8"]).flatmap(
        lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    )
)
def test_round_trip(tmp_path_factory, name, array):
    path = tmp_path_factory.mktemp("idx") / name
    write_idx(path, array)
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")
    again = read_idx(path)
    assert again.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(again, array)


def test_write_refuses_what_idx_has_not(tmp_path):
    with pytest.raises(ValueError, match="int64"):
        write_idx(tmp_path / "a", np.zeros(3, np.int64))


def test_every_truncation_is_an_error(tmp_path, compress):
    content = header(0x08, 2, 3) + bytes(6)
    for length in range(len(content)):
        path = save(tmp_path / "short-idx", content[:length], compress)
        with pytest.raises(ValueError, match="short-idx"):
            read_idx(path)


def test_every_truncation_of_the_compressed_file_is_an_error(tmp_path):
    content = gzip.compress(header(0x08, 2, 3) + bytes(6))
    for length in range(len(content)):
        path = save(tmp_path / "short-idx", content[:length], compress=False)
        with pytest.raises(ValueError, match="short-idx"):
            read_idx(path)


def test_a_damaged_byte_in_a_gzip_file_is_an_error(tmp_path):
    rng = np.random.default_rng(0)
    content = gzip.compress(header(0x08, 300) + rng.integers(0, 256, 300, np.uint8).tobytes())
    for byte in (0, 2, *range(10, len(content))):  # the rest of gzip's header is a date and the like
        damaged = bytearray(content)
        damaged[byte] ^= 0xFF
        path = save(tmp_path / "damaged-idx", bytes(damaged), compress=False)
        with pytest.raises(ValueError, match="damaged-idx"):
            read_idx(path)


def test_more_than_the_header_says_is_an_error(tmp_path, compress):
    path = save(tmp_path / "long-idx", header(0x0C, 2) + bytes(9), compress)
    with pytest.raises(ValueError, match=r"long-idx: .*\(2,\).* 8 bytes; the file holds more"):
        read_idx(path)


@pytest.mark.parametrize("magic", [b"\x89PNG", b"\0\0\x07\1", b"\0\1\x08\1", b"<htm"])
def test_another_format_is_an_error(tmp_path, magic, compress):
    path = save(tmp_path / "other", magic + bytes(40), compress)
    with pytest.raises(ValueError, match="other: not an IDX file"):
        read_idx(path)


def peak_bytes(path):
    """The most memory that a failing read_idx takes at any time."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=path.name):
            read_idx(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("shape", "length"),
    [
        ((2**32 - 1,), 100),
        ((2**31,), 100),
        ((2**32 - 1,) * 3, 100),
        ((2**16, 2**15), 100),
        ((0, 2**32 - 1, 2**32 - 1), 0),  # of the right length, but more than an array's shape may be
        ((1,) * 65, 1),
    ],
)
def test_giant_claims_cost_nothing(tmp_path, shape, length, compress):
    path = save(tmp_path / "giant-idx", header(0x08, *shape) + bytes(length), compress)
    assert peak_bytes(path) < 2**21


def test_a_gzip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb-idx"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header(0x08, 10, 28, 28))
        for _ in range(64):
            file.write(bytes(2**20))
    assert peak_bytes(path) < 2**21


def test_the_limit_counts_bytes(tmp_path, compress):
    path = save(tmp_path / "a-idx", header(0x0E, 4) + bytes(32), compress)
    assert read_idx(path, limit=32).shape == (4,)
    with pytest.raises(ValueError, match="limit of 31 bytes"):
        read_idx(path, limit=31)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")
