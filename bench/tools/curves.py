"""Training curves for TensorBoard: history.csv of the runs -> event files, also while the runs are trained."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import signals
from bench.errors import UserError
from bench.formats import files
from bench.formats.run import HISTORY

TAGS = {"lr": "lr", "train_loss": "loss/train", "train_iou": "iou/train", "val_loss": "loss/val", "val_iou": "iou/val"}
"""Column of history.csv -> name of the curve."""

EVENT_FILES = "events.out.tfevents.*"
"""How TensorBoard names its files."""


@dataclass
class Curves:
    """The event files of one run, which hold the epochs of its history.csv.

    Attributes:
        run: folder of the run.
        target: folder of the event files; those of an earlier call are replaced.
        open_writer: folder -> TensorBoard's writer.
    """

    run: Path
    target: Path
    open_writer: Callable[[Path], Any]
    _written: list[tuple[float, ...]] = field(default_factory=list)
    _read_at: int = 0
    _writer: Any = None

    def update(self) -> int:
        """Write the epochs that history.csv has gained and return their number; start again if the training did."""
        path, epochs = self.run / "history.csv", 0
        if (modified := path.stat().st_mtime_ns) != self._read_at:
            rows = list(files.read_csv(path, HISTORY)[HISTORY].astype(float).itertuples(index=False, name=None))
            epochs = self._write(rows)
            self._read_at = modified
        if (self.run / "run.json").is_file():  # the training has ended, and an open writer is a thread
            self.close()
        return epochs

    def _write(self, rows: list[tuple[float, ...]]) -> int:
        if not self._written or self._written != rows[: len(self._written)]:
            self.close()
            self._written = []
            for path in self.target.glob(EVENT_FILES):
                path.unlink()
        self._writer = self._writer or self.open_writer(self.target)
        for row in (new := rows[len(self._written) :]):
            values = dict(zip(HISTORY, row, strict=True))
            for column, tag in TAGS.items():
                self._writer.add_scalar(tag, values[column], int(values["epoch"]))
        self._writer.flush()
        self._written = rows
        return len(new)

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def write_curves(runs: Path, target: Path, follow: bool = False, pause_s: float = 5) -> str:
    """Write the training curves of all runs in a folder as event files of TensorBoard; return what was written.

    Args:
        runs: folder of runs, finished or in training.
        target: folder of the event files, with the same folders as ``runs``.
        follow: look for new epochs until SIGINT or SIGTERM is received.
        pause_s: seconds between two looks.

    Raises:
        UserError: TensorBoard is not installed, a history.csv is damaged, or there is none.
    """
    try:
        from tensorboard.summary import DirectoryOutput, Writer
    except ModuleNotFoundError as error:
        hint = "`pip install '.[tensorboard]'` in the clone of CrackBench."
        raise UserError(f"{error.name} is missing: {hint}") from None

    known: dict[Path, Curves] = {}
    epochs = 0
    with signals.deferred() as received:
        while True:
            for path in sorted(runs.rglob("history.csv")):
                place = path.parent.relative_to(runs)
                if place not in known:
                    known[place] = Curves(path.parent, target / place, lambda to: Writer(DirectoryOutput(str(to))))
                with suppress(FileNotFoundError):  # a run that was removed between two looks
                    epochs += known[place].update()
            if received or not follow:
                break
            time.sleep(pause_s)
    for curves in known.values():
        curves.close()
    if not known:
        raise UserError(f"{runs} holds no history.csv: a training writes it after its first epoch.")
    return f"{epochs} epochs of {len(known)} runs are in {target}: `tensorboard --logdir {target}` shows them."
