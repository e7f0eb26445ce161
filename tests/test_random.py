"""The generator: two integers, nothing hidden."""

from __future__ import annotations

import threading

import pytest

import tinyconv
from tinyconv import Generator
from tinyconv.random import substream, use_generator


def test_state_is_seed_and_offset():
    g = Generator().manual_seed(3)
    assert g.state == (3, 0)
    assert g.take(10) == (3, 0)
    assert g.take(1) == (3, 10)
    assert (g.initial_seed(), g.offset) == (3, 11)
    assert repr(g) == "Generator(seed=3, offset=11)"
    assert g.manual_seed(3).offset == 0


def test_a_stream_continues_where_its_state_was_taken():
    g = Generator().manual_seed(3)
    tinyconv.rand(7, generator=g)
    state = g.get_state()
    assert (state.dtype, state.shape) == (tinyconv.uint8, (16,))
    expected = tinyconv.randn(5, generator=g).tolist()
    assert tinyconv.randn(5, generator=Generator().set_state(state)).tolist() == expected
    with pytest.raises(TypeError, match="new_state must be a tensor of uint8 .*, got tuple"):
        g.set_state((3, 0))
    with pytest.raises(TypeError, match="got tinyconv.float32"):
        g.set_state(state.float())
    with pytest.raises(RuntimeError, match="must have 16 bytes, got 15"):
        g.set_state(state[:15])
    assert Generator().set_state(state.reshape(2, 8)).state == (3, 2)
    g.state = 2**64 - 1, 2**63
    assert Generator().set_state(g.get_state().clone()).state == (2**64 - 1, 2**63)


def test_the_default_generator():
    tinyconv.manual_seed(5)
    assert tinyconv.initial_seed() == 5
    state = tinyconv.get_rng_state()
    expected = tinyconv.rand(3).tolist()
    assert not tinyconv.equal(tinyconv.get_rng_state(), state)
    tinyconv.set_rng_state(state.cpu())
    assert tinyconv.rand(3).tolist() == expected
    assert tinyconv.manual_seed(5) is tinyconv.default_generator


def test_a_generator_of_ones_own_leaves_the_default_alone():
    before = tinyconv.default_generator.state
    tinyconv.rand(3, generator=Generator())
    assert tinyconv.default_generator.state == before


def test_programs_that_never_seed_repeat():
    assert Generator().state == Generator().state


def test_seeds():
    assert Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    assert Generator().manual_seed(2**64 - 1).initial_seed() == 2**64 - 1
    assert Generator().manual_seed(tinyconv.tensor(4)).initial_seed() == 4
    assert Generator().seed() != Generator().seed()
    assert tinyconv.seed() == tinyconv.initial_seed()
    for bad in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="seed must fit in 64 bits"):
            Generator().manual_seed(bad)
    for bad in (1.5, "1", None):
        with pytest.raises(TypeError, match="seed must be an int"):
            Generator().manual_seed(bad)


def test_philox():
    """Known answers of Philox4x32-10 (the authors' test vectors): key 0, counter 0; as uniforms of 24 bits."""
    words = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    expected = [(word >> 8) / 2**24 for word in words]
    assert tinyconv.rand(4, generator=Generator().manual_seed(0)).tolist() == expected


# ----------------------------------------------------------------------------------------- streams for one's own thread


def test_use_generator_redirects_the_default_and_leaves_it_alone():
    before = tinyconv.default_generator.state
    with use_generator(Generator().manual_seed(7)) as own:
        drawn = tinyconv.rand(5).tolist() + tinyconv.randperm(5).tolist() + [tinyconv.initial_seed()]
        assert tinyconv.default_generator.state == own.state
    assert tinyconv.default_generator.state == before
    tinyconv.manual_seed(7)
    assert tinyconv.rand(5).tolist() + tinyconv.randperm(5).tolist() + [7] == drawn


def test_seeding_inside_does_not_reach_outside():
    before = tinyconv.default_generator.state
    with use_generator(Generator()) as own:
        tinyconv.manual_seed(3)
        tinyconv.default_generator.state = 3, 9
        assert own.state == (3, 9)
        with use_generator(Generator().manual_seed(4)):
            assert tinyconv.initial_seed() == 4
        assert tinyconv.initial_seed() == 3
    assert tinyconv.default_generator.state == before


def test_a_block_speaks_for_its_own_thread_and_ends_with_an_error():
    seen = []

    def fail():
        with use_generator(Generator().manual_seed(5)):
            thread = threading.Thread(target=lambda: seen.append(tinyconv.initial_seed()))
            thread.start()
            thread.join()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [0]
    assert tinyconv.initial_seed() == 0


def test_substreams_differ_and_begin_where_their_index_says():
    streams = [tinyconv.rand(4, generator=substream(11, index)).tolist() for index in range(50)]
    assert len({tuple(stream) for stream in streams}) == 50
    assert streams[0] == tinyconv.rand(4, generator=Generator().manual_seed(11)).tolist()
    assert tinyconv.rand(4, generator=substream(11, 2**31 - 1)).tolist() not in streams


def test_fork_rng():
    tinyconv.manual_seed(3)
    state = tinyconv.default_generator.state
    with tinyconv.random.fork_rng():
        tinyconv.manual_seed(4)
        tinyconv.rand(3)
    assert tinyconv.default_generator.state == state
    with tinyconv.random.fork_rng(enabled=False):
        tinyconv.rand(3)
    assert tinyconv.default_generator.state != state


def test_a_seed_from_the_clock():
    """Programs say `manual_seed(time.time())`: the function takes any number, a generator an int."""
    assert tinyconv.manual_seed(7.9).initial_seed() == 7


def test_the_device_it_was_made_for():
    assert Generator().device == Generator("cpu").device == tinyconv.default_generator.device == tinyconv.device("cpu")
    assert Generator(device="cuda").device.type == "cuda"
