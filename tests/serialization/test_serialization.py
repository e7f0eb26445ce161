"""save and load: round trips, the format others read, files whole or absent, and input that means harm."""

import io
import itertools
import json
import os
import resource
import signal
import stat
import struct
import tempfile
import time
import warnings
import zipfile
from collections import OrderedDict, namedtuple
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyconv import Tensor
from tinyconv.serialization import CheckpointError, atomic_write, load, save
from tinyconv.tensor import wrap

ARRAY_DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
ARRAY_DTYPES += ["float16", "float32", "float64", "complex64"]
TENSOR_DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def assert_same(a, b):
    """Equal, of the same types, in the same order, bit by bit."""
    assert type(a) is type(b)
    if isinstance(a, Tensor):
        a, b = a.array, b.array
    if isinstance(a, np.ndarray | np.generic):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes()
    elif isinstance(a, dict):
        for x, y in itertools.zip_longest(a.items(), b.items()):
            assert_same(x, y)
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b or (a != a and b != b)


def in_child(function):
    """``function()`` in a forked process; returns the string that it returned. Limits that it sets die with it."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads about: the child only writes files
        pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, function().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        result = pipe.read()
    os.waitpid(pid, 0)
    return result


# -------------------------------------------------------------------------------------------------------- round trips

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)) | st.binary(max_size=8)
)
arrays = st.sampled_from(ARRAY_DTYPES).flatmap(
    lambda t: hnp.arrays(t, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
)
tensors = st.sampled_from(TENSOR_DTYPES).flatmap(
    lambda t: hnp.arrays(t, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)).map(Tensor)
)
numpy_scalars = st.sampled_from([np.float32(1.5), np.float64(-0.0), np.int64(3), np.bool_(True), np.uint64(2**63)])
keys = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None))
objects = st.recursive(
    scalars | arrays | tensors | numpy_scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4).map(OrderedDict)
    ),
    max_leaves=12,
)


@given(objects)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_round_trip(tmp_path, obj):
    save(obj, tmp_path / "a")
    assert_same(load(tmp_path / "a"), obj)
    first = (tmp_path / "a").read_bytes()
    save(obj, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == first


LAYOUTS = {
    "C": lambda x: x,
    "Fortran": np.asfortranarray,
    "transposed": lambda x: x.T,
    "reversed": lambda x: x[::-1, ::-1],
    "strided": lambda x: x[::2, 1::2],
    "broadcast": lambda x: np.broadcast_to(x[0], x.shape),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("dtype", TENSOR_DTYPES)
def test_layouts(tmp_path, layout, dtype):
    x = layout(np.arange(24).reshape(4, 6).astype(dtype))
    save({"t": wrap(x), "a": x}, tmp_path / "f")
    out = load(tmp_path / "f")
    np.testing.assert_array_equal(out["t"].array, x)
    np.testing.assert_array_equal(out["a"], x)
    assert out["t"].array.dtype == out["a"].dtype == x.dtype
    assert out["t"].array.flags.c_contiguous
    assert out["t"].array.flags.writeable


def test_big_endian_array(tmp_path):
    save(np.array([1, 2, 3], ">i4"), tmp_path / "f")
    assert_same(load(tmp_path / "f"), np.array([1, 2, 3], np.int32))


def test_a_tensor_that_requires_grad_is_stored_as_data(tmp_path):
    save(wrap(np.ones(2, np.float32), requires_grad=True), tmp_path / "f")
    out = load(tmp_path / "f")
    assert out.tolist() == [1, 1]
    assert not out.requires_grad


def test_shared_tensors_stay_shared(tmp_path):
    w = wrap(np.arange(6, dtype=np.float32).reshape(2, 3))
    a = np.arange(3)
    save({"encoder": w, "decoder": w.detach(), "transposed": wrap(w.array.T), "a": a, "b": [a]}, tmp_path / "f")
    out = load(tmp_path / "f")
    out["encoder"].array[0, 0] = 7
    assert out["decoder"].array[0, 0] == 7
    assert out["transposed"].array[0, 0] == 0  # another shape of the same memory is another tensor
    assert out["a"] is out["b"][0]
    assert safetensors.numpy.load_file(tmp_path / "f")["decoder"].tolist() == w.tolist()


def test_equal_tensors_stay_apart(tmp_path):
    save([wrap(np.zeros(2)), wrap(np.zeros(2))], tmp_path / "f")
    a, b = load(tmp_path / "f")
    assert not np.shares_memory(a.array, b.array)


def test_a_training_checkpoint(tmp_path):
    checkpoint = {
        "model": OrderedDict({"conv1.weight": wrap(np.ones((2, 1, 3, 3), np.float32))}),
        "optimizer": {
            "state": {0: {"momentum_buffer": wrap(np.zeros((2, 1, 3, 3), np.float32)), "step": 7}, 1: {}},
            "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0], "nesterov": False, "foreach": None}],
        },
        "generator": (67280421310721, 2**64 - 1),
        "best": float("-inf"),
        "blob": b"\x00\xff",
    }
    save(checkpoint, tmp_path / "f")
    assert_same(load(tmp_path / "f"), checkpoint)


def test_empty_tensors_share_nothing(tmp_path):
    x = np.zeros(4)
    save([wrap(x[:0]), wrap(x[:0])], tmp_path / "a")
    save([wrap(x[:0]), wrap(x[1:1])], tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# --------------------------------------------------------------------------------------------------------- the format


def test_a_state_dict_is_a_plain_safetensors_file(tmp_path):
    state = {"fc.weight": wrap(np.asfortranarray(np.arange(6.0).reshape(2, 3))), "bias": wrap(np.array(3))}
    save(state, tmp_path / "f")
    out = safetensors.numpy.load_file(tmp_path / "f")
    assert out.keys() == state.keys()
    for name in state:
        np.testing.assert_array_equal(out[name], state[name].array)


def test_the_metadata_is_one_entry_of_sorted_json(tmp_path):
    w = wrap(np.zeros(1, np.float32))
    save({"model": {"w": w, "tied": w}, 0: (float("nan"), b"ab")}, tmp_path / "f")
    with safetensors.safe_open(tmp_path / "f", "numpy") as file:
        assert sorted(file.keys()) == ["model.tied", "model.w"]
        assert list(file.metadata()) == ["tinyconv"]
        assert file.metadata()["tinyconv"] == (
            '{"object":{"dict":[["model",{"dict":[["w",{"tensor":"model.w"}],'
            '["tied",{"shares":"model.w","tensor":"model.tied"}]]}],'
            '[0,{"tuple":[{"float":"nan"},{"bytes":"YWI="}]}]]},"version":1}'
        )


def test_names_that_meet_are_told_apart(tmp_path):
    x, y, z = (wrap(np.array(i)) for i in range(3))
    obj = {"a.b": x, "a": {"b": y}, "__metadata__": z, 1: x.detach(), "1": y, "": z, "\ud800": x}
    save(obj, tmp_path / "f")
    assert_same(load(tmp_path / "f"), obj)


def test_foreign_safetensors(tmp_path):
    arrays = {"b": np.arange(3, dtype=np.int64), "a": np.float32(2), "empty": np.zeros((0, 2))}
    safetensors.numpy.save_file({k: np.asarray(v) for k, v in arrays.items()}, tmp_path / "f", {"format": "pt"})
    out = load(tmp_path / "f")
    assert out.keys() == arrays.keys()
    for name, array in arrays.items():
        assert_same(out[name], wrap(np.asarray(array)))


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_npz(tmp_path, write):
    arrays = {"w": np.arange(6.0).reshape(2, 3), "layer.bias": np.zeros(0, np.float32)}
    with open(tmp_path / "f", "wb") as file:
        write(file, **arrays)
    assert_same(load(tmp_path / "f"), {name: wrap(array) for name, array in arrays.items()})


def test_bfloat16_becomes_float32(tmp_path):
    (tmp_path / "f").write_bytes(raw({"a": {**ENTRY, "dtype": "BF16", "shape": [2]}}, b"\x80\x3f\x49\xc0"))
    assert_same(load(tmp_path / "f"), {"a": wrap(np.array([1, -3.140625], np.float32))})


def test_binary_files(tmp_path):
    """Paths and open files alike."""
    file = io.BytesIO()
    save({"a": wrap(np.arange(3))}, file)
    save({"a": wrap(np.arange(3))}, tmp_path / "f")
    assert file.getvalue() == (tmp_path / "f").read_bytes()
    file.seek(0)
    assert_same(load(file), load(tmp_path / "f"))
    with pytest.raises(CheckpointError, match="the file: is no safetensors file"):
        load(io.BytesIO(b"12345678"))


def test_npz_without_arrays(tmp_path):
    np.savez(tmp_path / "f.npz")
    assert load(tmp_path / "f.npz") == {}


@pytest.mark.parametrize("where", [None, "cpu"])
def test_map_location(tmp_path, where):
    save(wrap(np.ones(1)), tmp_path / "f")
    assert load(tmp_path / "f", map_location=where).tolist() == [1]


def test_map_location_elsewhere(tmp_path):
    save(1, tmp_path / "f")
    with pytest.raises(RuntimeError, match="'tpu'"):
        load(tmp_path / "f", map_location="tpu")


# -------------------------------------------------------------------------------------------- what cannot be stored

Point = namedtuple("Point", ["x"])
endless: list = []
endless.append(endless)


@pytest.mark.parametrize("obj, match", [
    ({"a": [0, 1, 2, {3}]}, r"obj\['a'\]\[3\] is a builtins.set, which cannot be stored"),
    ({"m": {4: (object(),)}}, r"obj\['m'\]\[4\]\[0\] is a builtins.object"),
    (lambda: 0, "obj is a builtins.function"),
    ({"p": Point(1)}, r"obj\['p'\] is a test_serialization.Point|obj\['p'\] is a .*Point"),
    ({"a": {(1, 2): 0}}, r"obj\['a'\] has the key \(1, 2\)"),
    ({"s": np.array(["text"])}, r"obj\['s'\] has dtype <U4"),
    ({"o": np.array([None])}, r"obj\['o'\] has dtype object"),
    ([np.zeros(1, complex)], r"obj\[0\] has dtype complex128"),
    ([np.datetime64("2000-01-01")], r"obj\[0\] has dtype datetime64"),
    (endless, "nested more than 100 levels"),
    (1j, "obj is a builtins.complex"),
])  # fmt: skip
def test_type_errors_come_before_anything_is_written(tmp_path, obj, match):
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(TypeError, match=match):
        save(obj, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


# ------------------------------------------------------------------------------------------------------ whole or absent


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_mode_follows_the_umask(tmp_path, umask, mode):
    old = os.umask(umask)
    try:
        save(1, tmp_path / "f")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == mode


def test_order_of_writing(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor):
        events.append(
            "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else f"file of {os.fstat(descriptor).st_size}"
        )
        fsync(descriptor)

    def watched_replace(source, target):
        assert os.path.dirname(source) == os.path.dirname(target)
        events.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    atomic_write(tmp_path / "f", b"12345")
    assert events == ["file of 5", "replace", "folder"]


def test_atomic_write_text_and_bytes(tmp_path):
    atomic_write(tmp_path / "f", "één\r\n")
    assert (tmp_path / "f").read_bytes() == "één\r\n".encode()
    atomic_write(str(tmp_path / "f"), b"")
    assert (tmp_path / "f").read_bytes() == b""
    assert os.listdir(tmp_path) == ["f"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "f")
    atomic_write(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "f").read_text() == "x"
    assert os.listdir(tmp_path / "real") == ["f"]


def test_relative_path_and_longest_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atomic_write("n" * 255, "x")
    assert os.listdir() == ["n" * 255]


@pytest.mark.parametrize("name, error", [
    ("absent/f", FileNotFoundError),
    ("file/f", NotADirectoryError),
    ("folder", OSError),
    ("pipe", OSError),
])  # fmt: skip
def test_bad_places(tmp_path, name, error):
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(error, match="cannot write the file") as caught:
        save({"w": wrap(np.zeros(3))}, tmp_path / name)
    assert caught.value.filename == str(tmp_path / name)
    assert name in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder", "pipe"]
    assert os.listdir(tmp_path / "folder") == []


def test_unwritable_folder():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f")
        path.write_text("old")
        os.chmod(folder, 0o555)

        def write():
            if os.geteuid() == 0:
                os.setuid(65534)  # root may write anywhere
            try:
                save(1, path)
            except PermissionError as error:
                return f"{error.filename}: {error.strerror}"
            return "written"

        assert in_child(write) == f"{path}: cannot write the file: Permission denied"
        os.chmod(folder, 0o755)
        assert path.read_text() == "old"
        assert os.listdir(folder) == ["f"]


def test_full_disk(tmp_path):
    path = tmp_path / "f"
    save({"w": wrap(np.ones(10))}, path)
    old = path.read_bytes()

    def write():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            save({"w": wrap(np.ones(100_000))}, path)
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        return "written"

    assert in_child(write) == f"{path}: cannot write the file: File too large"
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_no_litter_after_a_failure(tmp_path, monkeypatch, step, error):
    def fail(*_):
        raise error

    path = tmp_path / "f"
    path.write_text("old")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        save([1], path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_kill_in_the_middle(tmp_path, kills):
    """A process that saves without pause dies by SIGKILL; what it leaves is some checkpoint, whole."""
    path = tmp_path / "f"

    def checkpoint(n):
        return {"n": n, "w": wrap(np.full(200_000, n)), "v": wrap(np.full(200_000, n, np.float32))}

    save(checkpoint(0), path)
    for kill in range(kills):
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            try:
                os.write(writer, b"!")
                for n in itertools.count(1):
                    save(checkpoint(n), path)
            finally:
                os._exit(1)
        os.close(writer)
        assert os.read(reader, 1) == b"!"
        os.close(reader)
        time.sleep(0.002 + 0.0007 * (kill % 40))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        out = load(path)
        assert (out["w"].array == out["n"]).all()
        assert (out["v"].array == out["n"]).all()
    # All that a killed writer can leave is its hidden temporary file.
    assert all(p.name == "f" or (p.name.startswith(".tinyconv-") and p.suffix == ".tmp") for p in tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------------------- bad input


def raw(header, body=b"", length=None):
    """A safetensors file with this header (JSON, or the bytes in its place)."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + body


ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
TWICE = b'{"a":%s,"a":%s}' % (json.dumps(ENTRY).encode(), json.dumps(ENTRY).encode())


@pytest.mark.parametrize("content, match", [
    (b"", "is no safetensors file, no .npz"),
    (b"\x10", "is no safetensors file"),
    (b"hello, world, this is text", "is no safetensors file"),
    (raw({"a": ENTRY}, b"0000")[:-1], "damaged or truncated"),
    (raw({"a": ENTRY}, b"0000")[:30], "damaged or truncated"),
    (raw({"a": ENTRY}, b"00000"), "damaged or truncated"),
    (raw({"a": ENTRY}, b"0000", length=2**63), "header too large"),
    (raw({"a": ENTRY}, b"0000", length=2**64 - 1), "damaged or truncated"),
    (raw({"a": ENTRY}, b"0000", length=10_000), "invalid header length"),
    (raw({"a": ENTRY, "b": ENTRY}, b"0000"), "damaged or truncated"),
    (raw({"a": {**ENTRY, "data_offsets": [0, 40], "shape": [10]}}, b"0000"), "damaged or truncated"),
    (raw({"a": {**ENTRY, "data_offsets": [4, 8]}}, b"00000000"), "damaged or truncated"),
    (raw({"a": {**ENTRY, "data_offsets": [4, 0]}}, b"0000"), "damaged or truncated"),
    (raw({"a": {**ENTRY, "shape": [2]}}, b"0000"), "invalid shape"),
    (raw({"a": {**ENTRY, "shape": [2**40, 2**40]}}, b"0000"), "damaged or truncated"),
    (raw({"a": {**ENTRY, "shape": [-1]}}, b"0000"), "damaged or truncated"),
    (raw({"a": {**ENTRY, "dtype": "Q32"}}, b"0000"), "Q32"),
    (raw({"a": {**ENTRY, "dtype": "F8_E4M3", "shape": [4]}}, b"0000"), "'a' has the dtype F8_E4M3, which NumPy does"),
    (raw({"a": {**ENTRY, "dtype": "U16", "shape": [2]}}, b"0000"), "'a': tensors cannot hold NumPy's uint16"),
    (raw({"a": {**ENTRY, "dtype": "BOOL", "shape": [4]}}, b"\0\1\2\1"), "bytes other than 0 and 1"),
    (raw(b'{"\xff":1}'), "invalid UTF-8"),
    (raw(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "recursion limit"),
    (raw(TWICE, b"0000"), "key 'a' twice"),
    (raw(b'{"__metadata__":{"tinyconv":"1","tinyconv":"2"}}'), "key 'tinyconv' twice"),
    (raw(b'{"__metadata__":{"tinyconv":1}}'), "damaged or truncated"),
    (raw(b"{nonsense}"), "damaged or truncated"),
])  # fmt: skip
def test_bad_files(tmp_path, content, match):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=match) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("text, match", [
    ("{", "structure is not valid JSON"),
    ("[1]", "version None"),
    ('{"version": 2, "object": 1}', "version 2"),
    ('{"version": 1}', "version 1"),
    ('{"version": 1, "object": {"tensor": "b"}}', "names a tensor 'b' that the file does not hold"),
    ('{"version": 1, "object": {"array": ["a"]}}', "no known kind"),
    ('{"version": 1, "object": {"tensor": "a", "shares": "b"}}', "names a tensor 'b'"),
    ('{"version": 1, "object": {"tensor": "a", "shares": ["a"]}}', "names a tensor"),
    ('{"version": 1, "object": {"tensor": "a", "shares": "c"}}', "share memory, but they differ"),
    ('{"version": 1, "object": {"pickle": "gA=="}}', "no known kind"),
    ('{"version": 1, "object": {}}', "no known kind"),
    ('{"version": 1, "object": {"dict": {"a": 1}}}', "no known kind"),
    ('{"version": 1, "object": {"dict": [[[1], 2]]}}', "malformed dict entry"),
    ('{"version": 1, "object": {"dict": [[1, 2, 3]]}}', "malformed dict entry"),
    ('{"version": 1, "object": {"dict": ["ab"]}}', "malformed dict entry"),
    ('{"version": 1, "object": {"bytes": "?"}}', "malformed bytes"),
    ('{"version": 1, "object": {"bytes": "\\u00e9"}}', "malformed bytes"),
    ('{"version": 1, "object": {"float": "1e5"}}', "no known kind"),
    ('{"version": 1, "version": 1, "object": 1}', "key 'version' twice"),
    ('{"version": 1, "object": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    ('{"version": 1, "object": ' + '{"tuple":[' * 900 + "]}" * 900 + "}", "nested too deeply"),
    ('{"version": 1, "object": ' + "9" * 10_000 + "}", "not valid JSON"),
])  # fmt: skip
def test_bad_structures(tmp_path, text, match):
    arrays = {"a": np.zeros(1, np.float32), "c": np.zeros(2, np.float32)}
    safetensors.numpy.save_file(arrays, tmp_path / "f", {"tinyconv": text})
    with pytest.raises(CheckpointError, match=match) as caught:
        load(tmp_path / "f")
    assert str(caught.value).startswith(f"{tmp_path / 'f'}: ")


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_damaged_files_never_surprise(tmp_path, kind, data):
    path = tmp_path / "f"
    if kind == "safetensors":
        save({"a": wrap(np.arange(3)), "b": [np.zeros(2, bool), 1.5, b"xy", {"k": None}]}, path)
    else:
        with open(path, "wb") as file:
            np.savez_compressed(file, a=np.arange(3), b=np.zeros(2, bool))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        load(path)
    except CheckpointError as error:
        assert str(error).startswith(f"{path}: ")


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_an_npz_with_a_pickle_is_not_executed(tmp_path):
    np.savez(tmp_path / "f.npz", a=np.array([Bomb(tmp_path / "boom")], dtype=object))
    with pytest.raises(CheckpointError, match="pickled objects"):
        load(tmp_path / "f.npz")
    assert not (tmp_path / "boom").exists()


def test_bad_zips(tmp_path):
    with zipfile.ZipFile(tmp_path / "f", "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match=r"no .npz: it holds \['readme.txt'\]"):
        load(tmp_path / "f")
    np.savez(tmp_path / "f.npz", a=np.array(["text"]))
    with pytest.raises(CheckpointError, match="'a': tensors cannot hold"):
        load(tmp_path / "f.npz")
    content = (tmp_path / "f.npz").read_bytes()
    (tmp_path / "f.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="damaged or truncated zip archive, .npz or .pth"):
        load(tmp_path / "f.npz")


NPY_HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }\n"


@pytest.mark.parametrize("member", [
    b"",
    b"no array",
    b"\x93NUMPY\x01\x00" + struct.pack("<H", 3) + b"{(\n",
    b"\x93NUMPY\x01\x00" + struct.pack("<H", 3) + b"0)\n",
    b"\x93NUMPY\x01\x00" + struct.pack("<H", len(NPY_HEADER % b"3,")) + NPY_HEADER % b"3," + bytes(23),
    b"\x93NUMPY\x01\x00" + struct.pack("<H", len(NPY_HEADER % b"1099511627776,")) + NPY_HEADER % b"1099511627776,",
])  # fmt: skip
def test_an_npz_of_bad_arrays(tmp_path, member):
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as file:
        file.writestr("a.npy", member)
    with pytest.raises(CheckpointError, match="damaged .npz"):
        load(tmp_path / "f.npz")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_npz_of_two_arrays_of_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as file:
        file.writestr("a.npy", b"")
        file.writestr("a.npy", b"")
    with pytest.raises(CheckpointError, match="two arrays of one name"):
        load(tmp_path / "f.npz")


def test_an_npz_of_the_future(tmp_path):
    np.savez(tmp_path / "f.npz", a=np.zeros(1))
    content = bytearray((tmp_path / "f.npz").read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99  # the zip version needed to extract
    (tmp_path / "f.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match="zip file version 9.9"):
        load(tmp_path / "f.npz")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        load(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
