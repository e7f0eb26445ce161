"""What the logs hold is the history; TensorBoard's own reader reads its files."""

import csv
import json
import struct

import pytest

from tinyconv.training import CSVLog, JSONLLog, TensorBoardLog, resume
from tinyconv.utils.tensorboard import _masked_crc


def test_csv_and_jsonl(problem, tmp_path):
    state, loader, val = problem.start(callbacks=[CSVLog(tmp_path / "log.csv"), JSONLLog(tmp_path / "log.jsonl")])
    history = resume(state, loader, val)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert rows == [{key: float(value) for key, value in row.items()} for row in history]
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == history


def records(path):
    """The records of a TFRecord file."""
    content, start = path.read_bytes(), 0
    while start < len(content):
        length = struct.unpack_from("<Q", content, start)[0]
        data = content[start + 12 : start + 12 + length]
        assert content[start + 8 : start + 12] == _masked_crc(content[start : start + 8])
        assert content[start + 12 + length : start + 16 + length] == _masked_crc(data)
        yield data
        start += 16 + length


def test_tensorboard_records(problem, tmp_path):
    state, loader, val = problem.start(callbacks=[TensorBoardLog(tmp_path / "tb", steps=5)])
    history = resume(state, loader, val)
    (path,) = (tmp_path / "tb").iterdir()
    found = list(records(path))
    assert found[0].endswith(b"brain.Event:2")
    assert sum(b"loss/step" in record for record in found) == 21 // 5
    losses = [struct.unpack("<f", record[-4:])[0] for record in found if b"loss/train" in record]
    assert losses == pytest.approx([row["train_loss"] for row in history], rel=1e-6)


def test_tensorboard_reads_it(problem, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    state, loader, val = problem.start(callbacks=[TensorBoardLog(tmp_path)])
    history = resume(state, loader, val)
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    assert {"loss/train", "loss/val", "accuracy/train", "accuracy/val", "lr"} <= set(events.Tags()["scalars"])
    found = [(event.step, event.value) for event in events.Scalars("accuracy/val")]
    assert found == [(row["epoch"], pytest.approx(row["val_accuracy"])) for row in history]
