"""Data sets, samplers and the loader that turns them into batches, with ``torch.utils.data``'s names and behaviour.

A :class:`Dataset` says what sample ``i`` is, a :class:`Sampler` in which order to take them, and :class:`DataLoader`
puts them together. What differs from PyTorch:

* **Batches without a loop.** A data set in memory can hand out a whole batch at once, by ``batch(indices)``; see
  :class:`Dataset`. The loader then runs no Python for a single sample.
* **Workers are threads**, unless ``multiprocessing_context`` asks for processes: decoding and the kernels release the
  interpreter's lock. No script needs a guard, and a lambda will do. What a worker draws depends on the batch alone; see
  ``worker.py``.
* **Epochs that resume.** ``loader.epoch(skip=k)`` goes on in the middle of an epoch without reading what was seen; see
  :meth:`DataLoader.epoch`.
"""

from .collate import default_collate, default_convert
from .dataloader import DataLoader
from .dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .distributed import DistributedSampler
from .sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from .worker import get_worker_info

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]
