"""What tinyconv has not, and programs ask for: devices, processes and types."""

from __future__ import annotations

import pickle

import pytest

import tinyconv


def test_devices_that_are_not_used():
    for device in (tinyconv.xpu, tinyconv.mps):
        assert not device.is_available()
        assert device.device_count() == 0
    tinyconv.mps.empty_cache()
    tinyconv.mps.synchronize()
    tinyconv.manual_seed(5)
    tinyconv.mps.manual_seed(0)
    tinyconv.xpu.manual_seed(0)
    tinyconv.xpu.manual_seed_all(0)
    assert tinyconv.initial_seed() == 5


def test_one_process():
    assert not tinyconv.distributed.is_available()
    assert not tinyconv.distributed.is_initialized()
    with pytest.raises(RuntimeError, match="tinyconv trains in one process"):
        tinyconv.distributed.init_process_group("gloo", rank=0, world_size=2)
    with pytest.raises(RuntimeError, match="tinyconv trains in one process"):
        tinyconv.nn.parallel.DistributedDataParallel(tinyconv.nn.Linear(1, 1))
    assert not isinstance(tinyconv.nn.Linear(1, 1), tinyconv.nn.parallel.DistributedDataParallel)


def test_processes_are_pythons_own():
    import multiprocessing

    import tinyconv.multiprocessing as mp

    assert mp.Process is multiprocessing.Process
    assert mp.get_context("spawn").Queue
    assert "Pool" in dir(mp)
    assert tinyconv.__getattr__("multiprocessing") is mp  # no import of its own is needed
    with pytest.raises(AttributeError):
        mp.nothing  # noqa: B018


@pytest.mark.parametrize("name", ["bfloat16", "complex64", "complex128"])
def test_types_that_have_only_a_name(name):
    kind = getattr(tinyconv, name)
    assert repr(kind) == f"tinyconv.{name}"
    assert tinyconv.ones(2).dtype not in (kind,)
    assert kind.is_complex == (not kind.is_floating_point) == name.startswith("complex")
    assert pickle.loads(pickle.dumps(kind)).name == name
    with tinyconv.autocast("cuda", dtype=kind):
        assert not tinyconv.is_autocast_enabled()
        assert tinyconv.get_autocast_dtype("cpu") is tinyconv.float32
    for use in (lambda: tinyconv.ones(2, dtype=kind), lambda: tinyconv.ones(2).to(kind)):
        with pytest.raises(TypeError, match=f"tensors cannot hold {name}"):
            use()


def test_assertions_of_traced_networks():
    tinyconv._assert(True, "fine")
    with pytest.raises(AssertionError, match="wrong size"):
        tinyconv._assert(False, "wrong size")
