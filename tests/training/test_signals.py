"""SIGINT and SIGTERM are answered between two steps; a second one is not caught."""

import os
import signal

import pytest

from tinyconv.training import Interrupted, StopSignals


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_waits_for_the_step_and_the_second_would_kill(signum):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopSignals() as stop:
        stop.on_step(None)  # nothing has come
        os.kill(os.getpid(), signum)
        assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        for event in (stop.on_step, stop.on_test_step, stop.on_epoch):
            with pytest.raises(Interrupted) as caught:
                event(None)
            assert caught.value.signum == signum
    assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
