"""Numbers, pictures and texts of a training for TensorBoard: ``tensorboard --logdir runs``.

TensorBoard reads files of records in TFRecord's format, each a message of protocol buffers. Both are simple enough to
be written here, so nothing needs to be installed for it.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..tensor import Tensor

__all__ = ["EventFile", "SummaryWriter"]


# ------------------------------------------------------------------------------------------------------ the file format


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, data: bytes) -> bytes:
    """A field of bytes in protocol buffers' wire format: the number, the length, the bytes."""
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _integer(number: int, value: int) -> bytes:
    return bytes([number << 3]) + _varint(value % 2**64)


def _double(number: int, value: float) -> bytes:
    return bytes([number << 3 | 1]) + struct.pack("<d", value)


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC = [_crc_of_byte(byte) for byte in range(256)]


def _masked_crc(data: bytes) -> bytes:
    """CRC-32C (Castagnoli), rotated and shifted as TFRecord wants it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


class EventFile:
    """A new file of events in a folder, which is made if it is not there.

    Args:
        folder: where to. TensorBoard reads several files in one as one.
        suffix: of the file's name.
    """

    def __init__(self, folder: str | os.PathLike[str], suffix: str = ""):
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        path, more = Path(folder) / (name + suffix), 0
        while path.exists():  # two writers in one microsecond
            more += 1
            path = Path(folder) / f"{name}.{more}{suffix}"
        self._file = open(path, "xb")  # noqa: SIM115 (open as long as the writer lives)
        self._write(_field(3, b"brain.Event:2"), None)

    def _write(self, event: bytes, walltime: float | None) -> None:
        """A record: the length and the bytes, each with its checksum."""
        data = _double(1, time.time() if walltime is None else walltime) + event  # Event: wall_time = 1
        length = struct.pack("<Q", len(data))
        self._file.write(length + _masked_crc(length) + data + _masked_crc(data))

    def add(self, tag: str, value: bytes, step: int, walltime: float | None = None) -> None:
        """A value, which is a field of the message ``Summary.Value``."""
        summary = _field(1, _field(1, tag.encode()) + value)  # Summary: value = 1; Value: tag = 1
        self._write(_integer(2, step) + _field(5, summary), walltime)  # Event: step = 2, summary = 5

    def scalar(self, tag: str, value: float, step: int, walltime: float | None = None) -> None:
        """A number."""
        self.add(tag, b"\x15" + struct.pack("<f", value), step, walltime)  # Value: simple_value = 2

    def flush(self) -> None:
        """Write what is still in memory."""
        self._file.flush()

    def close(self) -> None:
        """Write all, and close the file."""
        self._file.close()


# ----------------------------------------------------------------------------------------------------------- the writer


def _array(x: Any) -> np.ndarray:
    return x.numpy(force=True) if isinstance(x, Tensor) else np.asarray(x)


def _png(image: np.ndarray) -> bytes:
    """The message ``Image`` of an array ``(H, W, C)``: uint8, or floats from 0 to 1."""
    from PIL import Image

    if image.dtype != np.uint8:
        image = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    if image.shape[2] == 1:
        image = image.repeat(3, 2)
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return _image(image.shape[0], image.shape[1], image.shape[2], data.getvalue())


def _image(height: int, width: int, channels: int, png: bytes) -> bytes:
    return _field(4, _integer(1, height) + _integer(2, width) + _integer(3, channels) + _field(4, png))


def _arranged(tag: str, image: Any, dataformats: str, wanted: str) -> np.ndarray:
    """An image or a batch of them with the axes ``wanted``; those that it does not have are of size 1."""
    array, axes = _array(image), dataformats.upper()
    if array.ndim != len(axes) or set(axes) - set(wanted):
        raise ValueError(f"{tag}: dataformats {dataformats!r} do not fit an image of shape {array.shape}")
    for axis in wanted:
        if axis not in axes:
            array, axes = array[..., None], axes + axis
    return array.transpose([axes.index(axis) for axis in wanted])


def _buckets() -> np.ndarray:
    """TensorFlow's limits for histograms: each 1.1 times the one before, from 1e-12 on, and the same below 0."""
    positive, limit = [], 1e-12
    while limit < 1e20:
        positive.append(limit)
        limit *= 1.1
    return np.array([*[-v for v in reversed(positive)], 0.0, *positive])


class SummaryWriter:
    """Writes what TensorBoard shows.

    Args:
        log_dir: the folder; by default a new one in ``runs``, named by the time and the machine.
        comment: added to that name.
        purge_step, max_queue, flush_secs: accepted, without effect: what is added is written at once, and is on disk
            after :meth:`flush`.
        filename_suffix: of the files' names.
    """

    def __init__(self, log_dir: str | os.PathLike[str] | None = None, comment: str = "", purge_step: int | None = None,
                 max_queue: int = 10, flush_secs: int = 120, filename_suffix: str = ""):  # fmt: skip
        if not log_dir:
            log_dir = Path("runs") / f"{time.strftime('%b%d_%H-%M-%S')}_{socket.gethostname()}{comment}"
        self.log_dir = str(log_dir)
        self._suffix = filename_suffix
        self._files: dict[str, EventFile] = {}
        self._file(self.log_dir)

    def _file(self, folder: str) -> EventFile:
        if folder not in self._files:
            self._files[folder] = EventFile(folder, self._suffix)
        return self._files[folder]

    def _add(self, tag: str, value: bytes, step: int | None, walltime: float | None) -> None:
        self._file(self.log_dir).add(tag, value, step or 0, walltime)

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None, walltime: float | None = None,
                   new_style: bool = False, double_precision: bool = False) -> None:  # fmt: skip
        """A number (or a tensor of one element) at a step: a curve for each tag, a chart for each part before a "/"."""
        self._file(self.log_dir).scalar(tag, float(scalar_value), global_step or 0, walltime)

    def add_scalars(self, main_tag: str, tag_scalar_dict: Mapping[str, Any], global_step: int | None = None,
                    walltime: float | None = None) -> None:  # fmt: skip
        """Several numbers in one chart: each is a run of its own, in a folder below."""
        for tag, value in tag_scalar_dict.items():
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            self._file(folder).scalar(main_tag, float(value), global_step or 0, walltime)

    def add_image(self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
                  dataformats: str = "CHW") -> None:  # fmt: skip
        """A picture: uint8, or floats from 0 to 1, with one, three or four channels.

        Raises:
            ValueError: ``dataformats`` that do not fit.
        """
        self._add(tag, _png(_arranged(tag, img_tensor, dataformats, "HWC")), global_step, walltime)

    def add_images(self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
                   dataformats: str = "NCHW") -> None:  # fmt: skip
        """A batch of pictures side by side, eight in a row; as :meth:`add_image`."""
        images = _arranged(tag, img_tensor, dataformats, "NHWC")
        n, height, width, channels = images.shape
        columns = min(n, 8)
        grid = np.zeros((-(-n // columns) * height, columns * width, channels), images.dtype)
        for i, image in enumerate(images):
            row, column = i // columns * height, i % columns * width
            grid[row : row + height, column : column + width] = image
        self._add(tag, _png(grid), global_step, walltime)

    def add_figure(self, tag: str, figure: Any, global_step: int | None = None, close: bool = True,
                   walltime: float | None = None) -> None:  # fmt: skip
        """A figure of matplotlib, or several one after the other; closed afterwards unless ``close`` is False."""
        from matplotlib import pyplot

        for one in figure if isinstance(figure, (list, tuple)) else [figure]:
            data = io.BytesIO()
            one.savefig(data, format="png", dpi=one.dpi)
            width, height = one.canvas.get_width_height()
            self._add(tag, _image(height, width, 4, data.getvalue()), global_step, walltime)
            if close:
                pyplot.close(one)

    def add_histogram(self, tag: str, values: Any, global_step: int | None = None, bins: Any = "tensorflow",
                      walltime: float | None = None, max_bins: int | None = None) -> None:  # fmt: skip
        """How often which values are in a tensor, such as a layer's weights.

        Raises:
            ValueError: no values.
        """
        numbers = _array(values).reshape(-1).astype(np.float64)
        if not numbers.size:
            raise ValueError(f"add_histogram: {tag} has no values")
        counts, limits = np.histogram(numbers, _buckets() if isinstance(bins, str) and bins == "tensorflow" else bins)
        filled = np.flatnonzero(counts)
        first, last = (filled[0], filled[-1] + 1) if filled.size else (0, 1)
        counts, limits = counts[first:last], limits[first + 1 : last + 1]
        facts = [numbers.min(), numbers.max(), float(numbers.size), numbers.sum(), numbers @ numbers]
        message = b"".join([_double(i, value) for i, value in enumerate(facts, 1)])
        for number, row in ((6, limits), (7, counts)):  # HistogramProto: bucket_limit = 6, bucket = 7
            message += _field(number, np.asarray(row, "<f8").tobytes())
        self._add(tag, _field(5, message), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: int | None = None,
                 walltime: float | None = None) -> None:  # fmt: skip
        """A text, which TensorBoard shows as Markdown."""
        plugin = _field(9, _field(1, _field(1, b"text")))  # metadata = 9: plugin_data = 1: plugin_name = 1
        shape = _field(2, _field(2, _integer(1, 1)))  # one axis of size 1
        tensor = _field(8, _integer(1, 7) + shape + _field(8, text_string.encode()))  # dtype = 1: 7 is a string
        self._add(f"{tag}/text_summary", plugin + tensor, global_step, walltime)

    def add_graph(self, model: Any, input_to_model: Any = None, verbose: bool = False,
                  use_strict_trace: bool = True) -> None:  # fmt: skip
        """Accepted, without effect: ``tinyconv.onnx.export`` writes graphs that viewers show."""

    def flush(self) -> None:
        """Have everything on disk."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Write everything and close the files; adding more opens new ones."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
