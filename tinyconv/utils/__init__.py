"""What surrounds training: ``data`` feeds it, ``checkpoint`` saves memory for time, ``tensorboard`` and ``benchmark``
look on, ``dlpack`` shares memory with other libraries."""

from importlib import import_module as _import_module


def __getattr__(name):
    """What is in this folder needs no import of its own, and costs one only where used."""
    if name in ("benchmark", "checkpoint", "data", "dlpack", "hooks", "model_zoo", "tensorboard"):
        return _import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
