"""Saving and loading: PyTorch's calls on a safe format, with no pickle ever executed.

:func:`save` writes a plain `safetensors <https://github.com/huggingface/safetensors>`_ file. Each tensor is stored
under its path inside the object, joined by dots, so a flat ``state_dict`` reads anywhere under its own parameter names.
:func:`load` reads that, and what others wrote:

==================  =====================================================================================
``safetensors.py``  tensors and a JSON header, ours with the object's structure in it (``structure.py``)
``npz.py``          NumPy's archives
``torch_files.py``  PyTorch's ``.pth``, ``.pt`` and ``.th``, old and new
``pickles.py``      the interpreter that reads their pickles and executes nothing
``files.py``        files appear whole or not at all
==================  =====================================================================================

Loading trusts nothing: every complaint is a :class:`CheckpointError` with the file's name.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

from ..tensor import Tensor, device
from .checks import CheckpointError
from .files import atomic_write
from .npz import DAMAGE, read_npz
from .safetensors import read_safetensors, write_safetensors
from .torch_files import is_torch_zip, read_torch_legacy, read_torch_zip

__all__ = ["CheckpointError", "atomic_write", "load", "save"]


def save(obj: Any, f: str | os.PathLike[str] | Any) -> None:
    """Write ``obj`` to a file, whole or not at all.

    Args:
        obj: nested dict, ``OrderedDict``, list, tuple of Tensors, NumPy arrays and scalars, numbers, strings, bytes,
            booleans and None: a ``state_dict``, say, or a checkpoint with an optimizer's state. Dict keys are strings,
            numbers, booleans or None. Tensors are stored as data: dtype, shape and values, without ``requires_grad``
            or strides. Names that share one tensor's memory share it again after :func:`load`.
        f: a path (an existing file is replaced), or a binary file, which is written to.

    Raises:
        TypeError: ``obj`` holds something else; the message names its path inside ``obj``. Nothing is written.
        OSError: the file cannot be written; a file that was there before is untouched.
    """
    data = write_safetensors(obj)
    if hasattr(f, "write"):
        f.write(data)
    else:
        atomic_write(f, data)


def load(
    f: str | os.PathLike[str] | Any,
    map_location: str | device | Callable | dict | None = None,
    *,
    weights_only: bool = True,
    mmap: bool | None = None,
) -> Any:
    """Read what :func:`save` wrote, any other ``.safetensors`` file, an ``.npz``, or a file of PyTorch's.

    The content decides, not the file's name. PyTorch's files are pickles, which can run any code; here they are read
    and never executed: tensors, numbers, strings and plain containers come out, and everything else (a whole model,
    say) is refused by name.

    Args:
        f: a path, or a binary file, which is read to its end.
        map_location: the device for the tensors. None, a function or a dict (PyTorch's other forms, which send tensors
            from the devices they were on to others) leave them on the host.
        weights_only: accepted as in PyTorch. False does not make pickles run either.
        mmap: accepted and ignored.

    Returns:
        The object that was saved; from foreign safetensors files and ``.npz`` a flat dict of name to Tensor. PyTorch's
        bfloat16 tensors become float32.

    Raises:
        CheckpointError: the file is damaged, or is something else.
        OSError: the file cannot be read.
        RuntimeError: ``map_location`` is no device, or not there.
    """
    target = device(map_location) if isinstance(map_location, (str, device)) else device("cpu")
    if hasattr(f, "read"):
        name, data = str(getattr(f, "name", "the file")), f.read()
    else:
        name = os.fspath(f)
        with open(name, "rb") as file:
            data = file.read()
    try:
        obj = _read(data)
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from error.__cause__
    return obj if target.type == "cpu" else _moved(obj, target, {})


def _read(data: bytes) -> Any:
    if data[8:9] == b"{":
        return read_safetensors(data)
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        try:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                names = archive.namelist()
        except DAMAGE as error:
            raise CheckpointError(f"is a damaged or truncated zip archive, .npz or .pth ({error})") from error
        return read_torch_zip(data) if is_torch_zip(names) else read_npz(data)
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return read_torch_legacy(data)
    raise CheckpointError(
        f"is no safetensors file, no .npz and none of PyTorch's ({len(data)} bytes, starts {data[:8]!r})"
    )


def _moved(obj: Any, target: device, done: dict[int, Tensor]) -> Any:
    """``obj`` with its tensors on another device; one tensor that stood in two places stays one."""
    if isinstance(obj, Tensor):
        if id(obj) not in done:
            done[id(obj)] = obj.to(target).detach()
            done[id(obj)].requires_grad = obj.requires_grad
        return done[id(obj)]
    if isinstance(obj, dict):
        moved = type(obj)((key, _moved(value, target, done)) for key, value in obj.items())
        moved.__dict__.update(vars(obj)) if hasattr(obj, "__dict__") else None
        return moved
    if type(obj) in (list, tuple):
        return type(obj)(_moved(item, target, done) for item in obj)
    return obj
