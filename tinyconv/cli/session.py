"""A training run from its first line to its last: the folder, the signals, the results. What ``train`` and ``finetune``
have in common."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from .. import cuda, get_num_threads
from ..nn import Module
from ..serialization import atomic_write, save
from ..training import (
    Callback,
    CheckpointEvery,
    ConsoleProgress,
    Interrupted,
    RunDirectory,
    StopSignals,
    TrainingState,
    evaluate,
    resume,
)
from ..utils.data import DataLoader
from .config import run_toml
from .recipe import make_callbacks, make_optimizer, make_schedule

__all__ = ["Session", "threads_used"]


class Session:
    """One run into one folder.

    Args:
        directory: the folder.
        command: which subcommand it is.
        options: what decides the run's result; kept in the checkpoint and in ``run.toml``.
        val_name: what the history calls the test images.
    """

    def __init__(self, directory: RunDirectory, command: str, options: dict[str, Any], val_name: str = "test") -> None:
        self.directory, self.command, self.options, self.val_name = directory, command, options, val_name

    def train(
        self,
        model: Module,
        loader: DataLoader,
        test_loader: DataLoader,
        title: str,
        checkpoint: dict[str, Any] | None,
        whole: Callable[[], Module] | None = None,
    ) -> dict[str, Any]:
        """Train, say how it goes, and write the folder.

        Args:
            model: what is trained.
            loader, test_loader: its images.
            title: the images' name.
            checkpoint: what to go on from; None for a new run.
            whole: gives the network whose weights ``model.safetensors`` shall have in the end, if that is more than
                what is trained.

        Returns:
            The metrics.

        Raises:
            Interrupted: a signal came; the state is saved.
        """
        directory, options = self.directory, self.options
        optimizer = make_optimizer(options, [p for p in model.parameters() if p.requires_grad])
        scheduler, schedule = make_schedule(options, optimizer, -(-len(loader) // options["accumulate"]))
        stop = StopSignals()
        callbacks: list[Callback] = [
            ConsoleProgress(len(loader.dataset)),  # type: ignore[arg-type]
            *make_callbacks(options, self.val_name),
            CheckpointEvery(directory, options),
            stop,
        ]
        state = TrainingState(
            model,
            optimizer,
            scheduler,
            options["epochs"],
            schedule=schedule,
            accumulate=options["accumulate"],
            callbacks=callbacks,
            val_name=self.val_name,
        )
        with stop:
            directory.create()
            with directory.lock():
                if checkpoint is None:
                    if aside := directory.put_aside():
                        print(f"{directory.path} held an earlier run; it is in {aside} now", flush=True)
                    directory.save(state, options)  # a full disk is better found now than after an hour
                    given = {key: value for key, value in options.items() if key != "classes"}
                    atomic_write(directory.config, run_toml(self.command, given))
                else:
                    directory.restore(state, checkpoint)
                    print(f"going on after {state.epoch} of {state.epochs} epochs and {state.step} steps", flush=True)
                try:
                    resume(state, loader, test_loader)
                except Interrupted as interruption:
                    print(
                        f"{interruption}: stopped after {state.epoch} of {state.epochs} epochs and {state.step} steps; "
                        f"saved in {directory.path}, --resume goes on from there",
                        flush=True,
                    )
                    raise
                if options["early_stopping"] is not None or whole is not None:
                    save((model if whole is None else whole()).state_dict(), directory.model)
                metrics = self._finish(state, test_loader)
        epochs = f"{state.epoch} epoch" + "s" * (state.epoch != 1)
        if state.epoch != state.epochs:
            epochs += f" of {state.epochs} (then it got no better)"
        written = sorted(file.name for file in directory.files if file.exists())
        print(
            f"{self.val_name} accuracy {metrics['test_accuracy']:.2%} on {title} after {epochs}, "
            f"{metrics['seconds']:.0f} seconds, {metrics['images_per_second']:,.0f} images/s\n"
            f"written to {directory.path}: {', '.join(written)}"
        )
        return metrics

    def _finish(self, state: TrainingState, test_loader: DataLoader) -> dict[str, Any]:
        """Test the finished model, write the results, and return the metrics."""
        evaluation = evaluate(state.model, test_loader)
        metrics = {
            "test_accuracy": evaluation.accuracy,
            "test_loss": evaluation.loss,
            "seconds": sum(row["train_seconds"] + row[f"{self.val_name}_seconds"] for row in state.history),
            # The median epoch's: the first one may have compiled kernels.
            "images_per_second": statistics.median(row["images_per_second"] for row in state.history),
            "threads": get_num_threads(),
            **{name: value for name, value in self.options.items() if name != "classes"},
        }
        self.directory.finish(state, evaluation, metrics, self.options.get("classes"))
        return metrics


def threads_used(options: dict[str, Any]) -> str:
    """Where a run computes, in words."""
    if options["device"] == "cuda":
        return f"on {cuda.get_device_name()}"
    threads = get_num_threads()
    return f"{options['kernels']} kernels, {threads} thread{'s' if threads > 1 else ''}"
