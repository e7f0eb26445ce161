"""PyTorch's files: what they hold comes out, equal and sharing memory as it did, and nothing in them is executed."""

import collections
import io
import os
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinyconv
from tinyconv import Tensor, nn
from tinyconv.serialization import CheckpointError, load, save
from tinyconv.serialization.checks import from_bfloat16

FORMATS = [False, True]  # legacy?


def write(torch, obj, path, legacy, **options):
    torch.save(obj, path, _use_new_zipfile_serialization=not legacy, **options)
    return load(path)


# ------------------------------------------------------------------------------------------ what PyTorch itself writes


@pytest.mark.parametrize("legacy", FORMATS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"])
def test_every_dtype(tmp_path, dtype, legacy):
    torch = pytest.importorskip("torch")
    x = torch.arange(-2, 4).to(getattr(torch, dtype)).reshape(2, 3)
    y = write(torch, x, tmp_path / "f.pt", legacy)
    assert str(y.dtype) == f"tinyconv.{dtype}"
    np.testing.assert_array_equal(y.numpy(), x.numpy())


@pytest.mark.parametrize("legacy", FORMATS)
def test_bfloat16_becomes_float32(tmp_path, legacy):
    torch = pytest.importorskip("torch")
    x = torch.tensor([1.0, -3.14159, 1e30, float("inf"), float("nan")]).to(torch.bfloat16)
    y = write(torch, x, tmp_path / "f.pt", legacy)
    assert y.dtype == tinyconv.float32
    np.testing.assert_array_equal(y.numpy(), x.float().numpy())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("legacy", FORMATS)
def test_containers_and_numbers(tmp_path, legacy, protocol):
    torch = pytest.importorskip("torch")
    obj = {
        "epoch": 3, "big": 2**70, "negative": -5, "loss": 0.25, "name": "résumé", "none": None, "yes": True,
        "no": False, "list": [1, [2, (3,)]], "tuple": (1, 2, 3, 4), "pair": (1, 2), "empty": ((), [], {}),
        7: "seven", 1.5: "key", "ordered": OrderedDict(b=1, a=2), "counter": Counter("abca"),
        "set": {1, 2}, "frozen": frozenset("ab"),
        "bytes": b"\x00\xff", "long": "x" * 300, "many": list(range(2000)),
    }  # fmt: skip
    y = write(torch, {**obj, "size": torch.Size([2, 3])}, tmp_path / "f.pt", legacy, pickle_protocol=protocol)
    assert tuple(y.pop("size")) == (2, 3)
    assert y == obj
    assert list(y["ordered"]) == ["b", "a"]
    assert type(y["ordered"]) is OrderedDict


@pytest.mark.parametrize("legacy", FORMATS)
def test_types_and_devices(tmp_path, legacy):
    torch = pytest.importorskip("torch")
    y = write(torch, [torch.float16, torch.int64, torch.bool, torch.device("cpu")], tmp_path / "f.pt", legacy)
    assert y == [tinyconv.float16, tinyconv.int64, tinyconv.bool, tinyconv.device("cpu")]


@pytest.mark.parametrize("legacy", FORMATS)
def test_views_keep_their_strides_and_share_memory(tmp_path, legacy):
    torch = pytest.importorskip("torch")
    x = torch.arange(24.0).reshape(4, 6)
    views = {"all": x, "t": x.t(), "part": x[1:, ::2], "scalar": x[2, 3], "row": x[1].expand(3, 6), "none": x[:0]}
    y = write(torch, views, tmp_path / "f.pt", legacy)
    for name, view in views.items():
        np.testing.assert_array_equal(y[name].numpy(), view.numpy())
        assert tuple(y[name].shape) == tuple(view.shape)
    y["all"][1, 2] = -1.0
    assert y["t"][2, 1].item() == -1
    assert y["part"][0, 1].item() == -1
    assert y["row"][2, 2].item() == -1


@pytest.mark.parametrize("legacy", FORMATS)
def test_requires_grad_and_parameters(tmp_path, legacy):
    torch = pytest.importorskip("torch")
    obj = [torch.nn.Parameter(torch.ones(2)), torch.ones(2, requires_grad=True), torch.ones(2), torch.arange(2)]
    assert [x.requires_grad for x in write(torch, obj, tmp_path / "f.pt", legacy)] == [True, True, False, False]


@pytest.mark.parametrize("legacy", FORMATS)
def test_a_state_dict_fits(tmp_path, legacy):
    torch = pytest.importorskip("torch")

    def net(nn):
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 10))

    theirs, ours = net(torch.nn).eval(), net(nn).eval()
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    theirs(torch.randn(2, 1, 8, 8)).sum().backward()
    optimizer.step()
    checkpoint = {"model": theirs.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}
    y = write(torch, checkpoint, tmp_path / "f.pth", legacy)
    ours.load_state_dict(y["model"])
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 8)).astype(np.float32)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(tinyconv.from_numpy(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    restored = tinyconv.optim.SGD(ours.parameters(), lr=1)
    restored.load_state_dict(y["optimizer"])
    assert restored.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize("legacy", FORMATS)
@pytest.mark.parametrize("name, options", [
    ("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {"lr": 0.01}), ("AdamW", {"lr": 0.01, "amsgrad": True}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5}),
])  # fmt: skip
def test_a_training_that_pytorch_began_goes_on(tmp_path, name, options, legacy):
    """Model, optimizer and scheduler: three steps there, saved, then three more there and here come to the same."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x = torch.randn(4, 3)

    def training(library, model):
        optimizer = getattr(library.optim, name)(model.parameters(), **options)
        return model, optimizer, library.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7)

    def steps(model, optimizer, scheduler, x):
        for _ in range(3):
            optimizer.zero_grad()
            (model(x) ** 2).sum().backward()
            optimizer.step()
            scheduler.step()

    theirs = training(torch, torch.nn.Linear(3, 2))
    steps(*theirs, x)
    states = write(torch, [part.state_dict() for part in theirs], tmp_path / "f.pt", legacy)
    ours = training(tinyconv, nn.Linear(3, 2))
    for part, state in zip(ours, states, strict=True):
        part.load_state_dict(state)
    steps(*theirs, x)
    steps(*ours, tinyconv.tensor(x.numpy()))
    assert ours[2].get_last_lr() == pytest.approx(theirs[2].get_last_lr())
    np.testing.assert_allclose(ours[0].weight.detach().numpy(), theirs[0].weight.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("legacy", FORMATS)
def test_a_whole_model_is_refused_by_name(tmp_path, legacy):
    torch = pytest.importorskip("torch")
    path = tmp_path / "model.pth"
    torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match=r"model.pth: holds a pickle that names 'torch.nn.modules.linear.Linear'"):
        load(path)
    with pytest.raises(CheckpointError, match="names 'torch.nn.modules.linear.Linear'"):
        load(path, weights_only=False)


def test_sparse_and_complex_tensors_are_refused_by_name(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.eye(2).to_sparse(), tmp_path / "f")
    with pytest.raises(CheckpointError, match="_rebuild_sparse_tensor"):
        load(tmp_path / "f")
    torch.save(torch.ones(2, dtype=torch.complex64), tmp_path / "f")
    with pytest.raises(CheckpointError, match="ComplexFloatStorage"):
        load(tmp_path / "f")


def test_a_published_checkpoint():
    """ResNet-20 as its author saved it in 2018."""
    path = Path(os.environ.get("TINYCONV_DATA", "")) / "weights" / "resnet20-12fca82f.th"
    if not path.is_file():
        pytest.skip("no resnet20-12fca82f.th in $TINYCONV_DATA/weights")
    checkpoint = load(path)
    assert checkpoint["best_prec1"] == pytest.approx(91.78)
    assert len(checkpoint["state_dict"]) == 97
    w = checkpoint["state_dict"]["module.conv1.weight"]
    assert tuple(w.shape) == (16, 3, 3, 3)
    assert 0.05 < np.std(w.numpy()) < 1


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@pytest.mark.parametrize("legacy", FORMATS)
def test_damaged_files_never_surprise(tmp_path, legacy, data):
    content = bytearray(sample_file(legacy))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "f"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        load(path)
    except CheckpointError as error:
        assert str(error).startswith(f"{path}: ")


# --------------------------------------------------------------------- files written by hand, as PyTorch or a foe would


class Name:
    """What pickles as the bare name ``module.name``."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """What pickles as a call of a function by its name."""

    def __init__(self, name, *arguments):
        self.name, self.arguments = name, arguments


class Storage:
    def __init__(self, *request):
        self.request = request


class Writer(pickle._Pickler):
    """The standard library's pickler (the one in Python), which also writes names of what is not there."""

    def save(self, obj, *args):
        if isinstance(obj, Name):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(Name(*obj.name.rsplit(".", 1)))
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        elif isinstance(obj, Storage):
            self.save(obj.request)
            self.write(pickle.BINPERSID)
        else:
            super().save(obj, *args)


DOUBLED: tuple = ()  # a pair of one pair of one pair ...: short to write down, and too long to print or to hash
for _ in range(60):
    DOUBLED = (DOUBLED, DOUBLED)


def pickled(obj, protocol=2):
    file = io.BytesIO()
    Writer(file, protocol).dump(obj)
    return file.getvalue()


FLOATS = np.arange(6, dtype="<f4").tobytes()


def tensor(offset=0, shape=(2, 3), strides=(3, 1), kind="FloatStorage", key="0", numel=6, more=()):
    storage = Storage("storage", Name("torch", kind), key, "cpu", numel, *more)
    return Call("torch._utils._rebuild_tensor_v2", storage, offset, shape, strides, False, OrderedDict())


def zip_file(obj, members=None, content=None, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("m/data.pkl", pickled(obj) if content is None else content)
        for name, data in ({"data/0": FLOATS} if members is None else members).items():
            archive.writestr(f"m/{name}", data)
    return file.getvalue()


MAGIC = 0x1950A86A20F9469CFC6C
MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def legacy_file(obj, keys=("0",), storages=None, magic=MAGIC, version=1001, machine=MACHINE):
    parts = [pickled(magic), pickled(version), pickled(machine), pickled(obj), pickled(list(keys))]
    return b"".join(parts) + (struct.pack("<q", 6) + FLOATS if storages is None else storages)


def sample_file(legacy):
    obj = OrderedDict(w=tensor(), v=tensor(1, (2,), (2,)), epoch=3, name="x", more=[1.5, None, (1, 2)])
    return legacy_file(obj) if legacy else zip_file(obj)


@pytest.mark.parametrize("legacy", FORMATS)
def test_a_file_written_by_hand(legacy):
    """So that the format is tested without PyTorch too."""
    y = load(io.BytesIO(sample_file(legacy)))
    assert isinstance(y, OrderedDict)
    assert y["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert y["v"].tolist() == [1, 3]
    assert (y["epoch"], y["name"], y["more"]) == (3, "x", [1.5, None, (1, 2)])
    y["w"][0, 1] = 9.0
    assert y["v"].tolist() == [9, 3]


def test_big_endian_files():
    big = np.arange(6, dtype=">f4").tobytes()
    assert load(io.BytesIO(zip_file(tensor(), {"data/0": big, "byteorder": "big"}))).sum().item() == 15
    machine = {**MACHINE, "little_endian": False}
    file = legacy_file(tensor(), storages=struct.pack(">q", 6) + big, machine=machine)
    assert load(io.BytesIO(file)).sum().item() == 15


def test_shared_keys_of_a_state_dict_and_its_versions():
    content = pickle.PROTO + b"\x02" + b"ccollections\nOrderedDict\n)R" + pickled({"_metadata": {"": 1}})[2:-1] + b"b."
    y = load(io.BytesIO(zip_file(None, content=content)))
    assert y._metadata == {"": 1}


@pytest.mark.parametrize("obj, match", [
    (Call("os.system", "true"), "names 'os.system'.*nothing is executed"),
    (Call("builtins.eval", "1"), "names 'builtins.eval'"),
    (Call("builtins.getattr", 1, "real"), "names 'builtins.getattr'"),
    (Call("torch.storage._load_from_bytes", b""), "names 'torch.storage._load_from_bytes'"),
    (Call("tinyconv.serialization.files.atomic_write", "x", "y"), "names 'tinyconv"),
    ([Name("torch.nn.modules.linear", "Linear")], "names 'torch.nn.modules.linear.Linear'"),
    (Call("_codecs.encode", "x", "rot13"), "encodes a string as 'rot13'"),
    (Call("torch._utils._rebuild_tensor_v2"), "damaged pickle"),
    (Call("torch._utils._rebuild_parameter", 3, True, None), "parameter that is no tensor"),
    (Call("torch.device", "warp"), "damaged pickle.*'warp'"),
    (Call("torch.float32"), "damaged pickle.*a call of"),
    (Call("collections.Counter", 5), "damaged pickle.*'int' object has no attribute 'items'"),
    (Call("torch.device", "cuda", "0"), "malformed device"),
    (Call("torch.device", DOUBLED), "malformed device"),
    (tensor(shape=DOUBLED), "malformed tensor"),
    (tensor(offset=DOUBLED), "malformed tensor"),
    (Storage(*DOUBLED), "unknown kind of storage"),
    ({((1, 2), 3): 4}, "tuple as a key"),
    (tensor(offset=1), "reaches element 6 of a storage of 6"),
    (tensor(strides=(3, 2)), "reaches element 7"),
    (tensor(offset=-1), "malformed tensor"),
    (tensor(shape=(-2, 3)), "malformed tensor"),
    (tensor(strides=(3, -1)), "malformed tensor"),
    (tensor(shape=(6,)), "malformed tensor"),
    (tensor(shape=(2.0, 3.0)), "malformed tensor"),
    (tensor(shape=(2**40, 2**40), strides=(0, 0)), "absurd shape"),
    (tensor(shape=(1,) * 100, strides=(1,) * 100), "100 dimensions"),
    (tensor(numel=7), "truncated.*"),
    (tensor(numel=2**59), "truncated.*"),
    (tensor(numel=2**80), "unknown kind of storage"),
    (tensor(numel=-6), "unknown kind of storage"),
    (tensor(kind="ComplexFloatStorage"), "names 'torch.ComplexFloatStorage'"),
    ([tensor(), tensor(kind="IntStorage")], "as two types"),
    (Storage("module", Name("torch", "FloatStorage"), "0", "cpu", 6), "unknown kind of storage"),
    (Storage("storage", 3, "0", "cpu", 6), "unknown kind of storage"),
])  # fmt: skip
@pytest.mark.parametrize("legacy", FORMATS)
def test_hostile_objects(obj, match, legacy):
    if legacy:
        match = match.replace("truncated.*", "elements in storage")
        file = legacy_file(obj) if b"Storage\n" in pickled(obj) else legacy_file(obj, (), b"")
    with pytest.raises(CheckpointError, match=f"the file: .*{match}"):
        load(io.BytesIO(file if legacy else zip_file(obj)))


@pytest.mark.parametrize("content, match", [
    (zip_file(tensor(key="../0")), "lacks its member 'data/../0'"),
    (zip_file(tensor(), {}), "lacks its member 'data/0'"),
    (zip_file(tensor(), {"data/0": FLOATS, "code/x.py": "1"}), "TorchScript program"),
    (zip_file(tensor(), {"data/0": FLOATS, "n/data.pkl": b""}), "several members"),
    (zip_file(tensor(), {"data/0": b"\0" * 10**6}, compression=zipfile.ZIP_DEFLATED), "compressed member"),
    (zip_file(tensor(kind="BoolStorage", strides=(1, 1)), {"data/0": b"\0\1\2\1\0\0"}), "bytes other than 0 and 1"),
    (zip_file(None, content=b"\x80\x02]q\x00h\x05."), "damaged pickle"),  # a memo that is not there
    (zip_file(None, content=b"\x80\x02."), "damaged pickle"),  # an empty stack
    (zip_file(None, content=b"\x80\x02(."), "damaged pickle"),  # a mark for a result
    (zip_file(None, content=b"\x80\x02NN."), "damaged pickle"),  # two results
    (zip_file(None, content=b"\x80\x02N"), "damaged pickle"),  # no end
    (zip_file(None, content=b"\x80\x02Na."), "damaged pickle"),  # append to None
    (zip_file(None, content=b"\x80\x02}K\x01s."), "damaged pickle"),  # a key without a value
    (zip_file(None, content=b"\x80\x02}b."), "damaged pickle|sets the attributes"),
    (zip_file(None, content=b"\x80\x02]}b."), "sets the attributes of a list"),
    (zip_file(None, content=b"\x80\x02\x82\x01."), "instruction EXT1"),
    (zip_file(None, content=b"\x80\x02(i__builtin__\neval\n."), "instruction INST"),
    (zip_file(None, content=b"\x80\x02c__builtin__\nobject\n)\x81."), "names '__builtin__.object'"),
    (zip_file(None, content=b"\x80\x04\x8c\x02os\x8c\x06system\x93."), "names 'os.system'"),
    (zip_file(None, content=b"\x80\x02X\xff\xff\xff\x7fabc."), "damaged pickle"),  # a string of 2 GB
    (zip_file(None, content=b"\x80\x02\x8b\xff\xff\xff\x7fabc."), "damaged pickle"),  # an integer of 2 GB
    (legacy_file(1, magic=5), "none of PyTorch's"),
    (legacy_file(1, version=1), "version 1 of PyTorch's legacy format"),
    (legacy_file(1), "nothing refers to"),
    (legacy_file(tensor(), keys=()), "lacks storage 0"),
    (legacy_file(tensor(), storages=struct.pack("<q", 6) + FLOATS[:-1]), "truncated"),
    (legacy_file(tensor(), storages=struct.pack("<q", 5) + FLOATS), "has 5 elements in storage 0"),
    (legacy_file(tensor(more=(("0", 0, 6),))), "views of others"),
    (pickle.dumps(collections.deque([1])), "names 'collections.deque'"),
    (pickle.dumps([1, 2]), "none of PyTorch's"),
])  # fmt: skip
def test_hostile_files(content, match):
    with pytest.raises(CheckpointError, match=f"the file: .*({match})"):
        load(io.BytesIO(content))


def test_nothing_is_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "boom"),)

    for protocol in range(6):
        content = pickle.dumps({"a": Bomb()}, protocol)
        for file in (content, zip_file(None, content=content), legacy_file(1)[:60] + content):
            with pytest.raises(CheckpointError):
                load(io.BytesIO(file))
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("keys", [([1],), (DOUBLED,), (0,)])
def test_keys_of_storages_are_strings(keys):
    with pytest.raises(CheckpointError, match="that nothing refers to"):
        load(io.BytesIO(legacy_file(tensor(), keys)))


@pytest.mark.parametrize("version", [DOUBLED, 7])
def test_another_version_is_refused(version):
    with pytest.raises(CheckpointError, match="of PyTorch's legacy format; expected 1001"):
        load(io.BytesIO(legacy_file(tensor(), version=version)))


def test_a_small_file_makes_no_large_heap():
    """Nested lists that double a hundred times are built once each and referred to."""
    content = b"\x80\x02]q\x00" + b"".join(b"]r" + struct.pack("<I", i + 1) + b"(j" + struct.pack("<I", i) + b"j"
                                          + struct.pack("<I", i) + b"e" for i in range(100)) + b"."  # fmt: skip
    with pytest.raises(CheckpointError, match="more or less than one object"):
        load(io.BytesIO(zip_file(None, content=content)))
    depth = 100_000
    nested = load(io.BytesIO(zip_file(None, content=b"\x80\x02N" + b"\x85" * depth + b".")))
    while nested is not None:
        (nested,), depth = nested, depth - 1
    assert depth == 0


def test_from_bfloat16():
    bits = np.array([0x3F80, 0xC049, 0x7F80], np.uint16)
    np.testing.assert_array_equal(from_bfloat16(bits), np.array([1, -3.140625, np.inf], np.float32))


def test_what_is_loaded_can_be_saved(tmp_path):
    save(load(io.BytesIO(sample_file(False))), tmp_path / "f")
    assert isinstance(load(tmp_path / "f")["w"], Tensor)
