"""What a SummaryWriter wrote is what TensorBoard's own reader reads."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

import tinyconv
from tinyconv.utils.tensorboard import SummaryWriter, _masked_crc


def test_the_checksum_is_crc_32c():
    """RFC 3720, appendix B.4: 32 bytes of zeros give 8a9136aa."""
    crc = 0x8A9136AA
    assert _masked_crc(bytes(32)) == struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def reader(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder), {"images": 0, "histograms": 0, "tensors": 0, "scalars": 0})
    return events.Reload()


def pixels(event):
    from PIL import Image

    image = np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))
    assert image.shape[:2] == (event.height, event.width)
    return image


def test_numbers(tmp_path):
    with SummaryWriter(tmp_path, flush_secs=30) as writer:
        for step in range(3):
            writer.add_scalar("Loss/train", tinyconv.tensor(1.0 / (step + 1)), step)
        writer.add_scalar("Loss/train", np.float32(7), global_step=3, walltime=12.5)
        writer.add_scalars("both sides/loss", {"train": 1, "val": 2.0}, 5)
        assert writer.get_logdir() == writer.log_dir == str(tmp_path)
    events = reader(tmp_path).Scalars("Loss/train")
    assert [(e.step, e.value) for e in events[:3]] == [(0, 1), (1, 0.5), (2, pytest.approx(1 / 3))]
    assert (events[3].wall_time, events[3].step, events[3].value) == (12.5, 3, 7)
    for name, value in (("train", 1), ("val", 2)):
        (event,) = reader(tmp_path / f"both sides_loss_{name}").Scalars("both sides/loss")
        assert (event.step, event.value) == (5, value)


def test_pictures(tmp_path):
    rng = np.random.default_rng(0)
    color, gray = rng.random((3, 4, 5), "float32"), rng.integers(0, 256, (4, 5)).astype("uint8")
    batch = rng.integers(0, 256, (9, 1, 2, 3)).astype("uint8")
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("color", tinyconv.from_numpy(color), 2)
        writer.add_image("gray", gray, dataformats="HW")
        writer.add_image("last", color.transpose(1, 2, 0), dataformats="HWC")
        writer.add_images("batch", tinyconv.from_numpy(batch))
        with pytest.raises(ValueError, match="do not fit an image of shape"):
            writer.add_image("gray", gray)
    events = reader(tmp_path)
    np.testing.assert_array_equal(pixels(events.Images("color")[0]), (color.transpose(1, 2, 0) * 255).astype("uint8"))
    np.testing.assert_array_equal(pixels(events.Images("last")[0]), pixels(events.Images("color")[0]))
    np.testing.assert_array_equal(pixels(events.Images("gray")[0]), np.stack([gray] * 3, 2))
    grid = pixels(events.Images("batch")[0])
    assert grid.shape == (4, 24, 3) and not grid[2:, 3:].any() and events.Images("color")[0].step == 2
    np.testing.assert_array_equal(grid[:2, 3:6, 0], batch[1, 0])
    np.testing.assert_array_equal(grid[2:, :3, 0], batch[8, 0])


def test_histograms_and_texts(tmp_path):
    values = np.array([-1.0, 0.0, 0.5, 0.5, 3.0])
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("weights", tinyconv.from_numpy(values), 4)
        writer.add_histogram("counts", [1, 2, 2, 3], bins=3)
        writer.add_text("notes", "A **word**, ümlaut", 1)
        writer.add_graph(tinyconv.nn.Linear(1, 1), tinyconv.ones(1, 1))
        with pytest.raises(ValueError, match="no values"):
            writer.add_histogram("weights", [])
    events = reader(tmp_path)
    (event,) = events.Histograms("weights")
    found = event.histogram_value
    assert (event.step, found.min, found.max, found.num, found.sum, found.sum_squares) == (4, -1, 3, 5, 3, 10.5)
    limits, counts = np.array(found.bucket_limit), np.array(found.bucket)
    assert counts.sum() == 5 and counts[0] == counts[-1] == 1 and counts.max() == 2
    assert limits[0] >= -1 and limits[-1] >= 3 > limits[-2]
    coarse = events.Histograms("counts")[0].histogram_value
    assert list(coarse.bucket) == [1, 2, 1] and coarse.bucket_limit[-1] == 3
    (text,) = events.Tensors("notes/text_summary")
    assert text.tensor_proto.string_val[0].decode() == "A **word**, ümlaut" and text.step == 1
    assert events.SummaryMetadata("notes/text_summary").plugin_data.plugin_name == "text"


def test_figures(tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = pyplot.figure(figsize=(2, 1), dpi=50)
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("plot", figure, 3, close=False)
        assert pyplot.fignum_exists(figure.number)
        writer.add_figure("plot", [figure])
    assert not pyplot.fignum_exists(figure.number)
    assert [pixels(e).shape for e in reader(tmp_path).Images("plot")] == [(50, 100, 4)] * 2


def test_where_it_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = SummaryWriter(comment="_lr0.1", filename_suffix=".mine")
    writer.add_scalar("a", 1)
    writer.flush()
    (folder,) = (tmp_path / "runs").iterdir()
    (path,) = folder.iterdir()
    assert folder.name.endswith("_lr0.1") and path.name.endswith(".mine") and str(folder).endswith(writer.log_dir)
    size = path.stat().st_size
    writer.close()
    assert path.stat().st_size == size > 0
    writer.add_scalar("a", 2)  # opens a new file
    writer.close()
    assert len(list(folder.iterdir())) == 2
