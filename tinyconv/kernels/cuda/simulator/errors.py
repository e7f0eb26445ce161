"""What the simulator reports."""


class SimulatorError(RuntimeError):
    """A kernel does what has no defined result on a GPU: a race, a bad index, a barrier that not all threads reach."""
