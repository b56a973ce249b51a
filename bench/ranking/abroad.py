"""Crack IoU at home and abroad: models trained on one dataset, tested on it and on the others."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.errors import UserError
from bench.formats.transfer import CLEAN, Transfer
from bench.metrics.ratios import iou, ratio

Array = npt.NDArray[np.float64]
Seeds = dict[str, list[int]]


@dataclass(frozen=True)
class Abroad:
    """Pooled crack IoU of M models, each trained on D datasets and tested on all of them; means over seeds.

    Attributes:
        datasets: D ids. models: M ids.
        corruptions: C names.
        values: by model, training and test dataset, (M, D, D); NaN where the test images left have no crack.
        corrupted: by model, dataset and corruption of its own test images, (M, D, C).
        draws: mean over datasets at home, and abroad, in each resample, (R, M, 2).
        left_out: number of test images left out, their source image being in the training set, (D, D).
        images: number of test images of each dataset, (D,).
        alarms: of images without crack, at home and abroad, (M, 2, 4): number predicted, of these with any
            false-positive pixel, pixels, false-positive pixels; summed over runs.
        crackless: number of these images themselves, by dataset, (D,).
        seeds: number of seeds that all of a model's runs share, (M,).
        incomplete: models left out, as no seed has a run on every dataset.
        absent: datasets with scores that were not transferred, neither as training nor as test set.
    """

    datasets: list[str]
    models: list[str]
    corruptions: list[str]
    values: Array
    corrupted: Array
    draws: Array
    left_out: npt.NDArray[np.int64]
    images: npt.NDArray[np.int64]
    alarms: Array
    crackless: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.int64]
    incomplete: list[str]
    absent: list[str] = field(default_factory=list)

    @property
    def home(self) -> Array:
        """Mean at home of each model, (M,)."""
        return mean_of_defined(np.diagonal(self.values, axis1=1, axis2=2))

    @property
    def abroad(self) -> Array:
        """Mean over all defined pairs of different datasets of each model, (M,)."""
        return mean_of_defined(self.values[:, ~np.eye(len(self.datasets), dtype=bool)])


def mean_of_defined(values: Array) -> Array:
    """Return the mean over the last axis of the values that are not NaN; NaN where there is none.

    >>> mean_of_defined(np.array([[1.0, np.nan, 3], [np.nan] * 3])).tolist()
    [2.0, nan]
    """
    return ratio(np.nansum(values, -1), np.isfinite(values).sum(-1))


def measure(transfers: Mapping[str, Transfer], models: Sequence[str], resamples: int = 2000, seed: int = 0) -> Abroad:
    """Return how models do at home and abroad.

    Each resample draws source images of each test dataset, the same for all models, and seeds of each model and
    training dataset, the same at home and abroad.

    Args:
        transfers: training dataset -> its results; at least two.
        models: ids; those without a seed that has a run on every dataset are left out.
        resamples: number of bootstrap resamples.
        seed: of the bootstrap.

    Raises:
        UserError: a dataset was not predicted by the runs of another, or its test images changed in between, or no
            model has runs on every dataset.
    """
    datasets = list(transfers)
    _require_same_images(transfers)
    common = _common_seeds(transfers, models)
    ranked = [m for m in models if common[m]]
    if not ranked:
        raise UserError("no model has runs of one seed on every dataset: run `bench transfer` for the others.")
    corruptions = list(dict.fromkeys(next(iter(transfers.values())).targets["condition"]))[1:]
    values, corrupted, draws, alarms = [], [], [], []
    for model in ranked:
        tables = {(a, b): _counts(transfers[a], b, CLEAN, model, common[model]) for a in datasets for b in datasets}
        values.append([[_pooled(tables[a, b]) for b in datasets] for a in datasets])
        corrupted.append(
            [[_pooled(_counts(transfers[d], d, c, model, common[model])) for c in corruptions] for d in datasets]
        )
        draws.append(_resampled(transfers, tables, resamples, seed))
        alarms.append(_alarms(transfers, tables))
    first = {d: transfers[d].targets for d in datasets}
    seen = [[int(_part(first[a], b, CLEAN)["seen"].sum()) for b in datasets] for a in datasets]
    return Abroad(
        datasets, ranked, corruptions, np.array(values), np.array(corrupted).reshape(len(ranked), len(datasets), -1),
        np.stack(draws, 1), np.array(seen), np.array([len(_part(first[d], d, CLEAN)) for d in datasets]),
        np.array(alarms), np.array([int((_part(first[d], d, CLEAN)["crack"] == 0).sum()) for d in datasets]),
        np.array([len(common[m]) for m in ranked]), [m for m in models if not common[m]],
    )  # fmt: skip


def _part(targets: pd.DataFrame, dataset: str, condition: str) -> pd.DataFrame:
    return targets[(targets["target"] == dataset) & (targets["condition"] == condition)]


def _require_same_images(transfers: Mapping[str, Transfer]) -> None:
    """Refuse results that lack a dataset, or were computed on different test images."""
    columns = ["item", "photo", "pixels", "crack"]
    for trained, transfer in transfers.items():
        for dataset in transfers:
            found, own = (_part(t.targets, dataset, CLEAN)[columns] for t in (transfer, transfers[dataset]))
            if not found.reset_index(drop=True).equals(own.reset_index(drop=True)):
                raise UserError(
                    f"transfer/{trained} was computed with other test images of {dataset} than transfer/{dataset}: run "
                    f"`bench transfer` for {trained} and {dataset} again."
                )


def _common_seeds(transfers: Mapping[str, Transfer], models: Sequence[str]) -> Seeds:
    """Return the seeds of each model that have a run on every dataset."""
    runs = [{(run["model"], run["seed"]) for run in transfer.runs} for transfer in transfers.values()]
    everywhere = set.intersection(*runs)
    return {model: sorted(seed for name, seed in everywhere if name == model) for model in models}


def _counts(transfer: Transfer, dataset: str, condition: str, model: str, seeds: Sequence[int]) -> Array:
    """Return tp, fp and fn of each seed and test image, (S, N, 3); 0 for the images left out."""
    number = {(run["model"], run["seed"]): i for i, run in enumerate(transfer.runs)}
    part = _part(transfer.targets, dataset, condition)
    runs = [number[model, seed] for seed in seeds]
    tp, fp = np.moveaxis(transfer.counts[runs][:, part.index.to_numpy()].astype(float), -1, 0)
    table: Array = np.stack([tp, fp, part["crack"].to_numpy(float) - tp], -1)
    table[:, part["seen"].to_numpy() == 1] = 0
    return table


def _pooled(table: Array) -> float:
    """Return the IoU of the summed counts, mean over seeds."""
    return float(iou(*np.moveaxis(table.sum(1), -1, 0)).mean())


def _resampled(
    transfers: Mapping[str, Transfer], tables: Mapping[tuple[str, str], Array], resamples: int, seed: int
) -> Array:
    """Return the mean over datasets at home, and abroad, in each resample, (R, 2)."""
    datasets, seeds = list(transfers), next(iter(tables.values())).shape[0]
    values = np.empty((resamples, len(datasets), len(datasets), seeds))
    for b, dataset in enumerate(datasets):
        generator = np.random.default_rng([seed, zlib.crc32(dataset.encode())])
        photo = pd.factorize(_part(transfers[dataset].targets, dataset, CLEAN)["photo"])[0]
        count = int(photo.max()) + 1
        weights = generator.multinomial(count, np.full(count, 1 / count), resamples).astype(float)
        for a, trained in enumerate(datasets):
            of_photo = np.zeros((count, seeds, 3))
            np.add.at(of_photo, photo, np.moveaxis(tables[trained, dataset], 1, 0))
            sums = (weights @ of_photo.reshape(count, -1)).reshape(resamples, seeds, 3)
            values[:, a, b] = iou(*np.moveaxis(sums, -1, 0))
    generator = np.random.default_rng([seed, seeds])
    chosen = generator.multinomial(seeds, np.full(seeds, 1 / seeds), (resamples, len(datasets))) / seeds
    means = np.einsum("rabs,ras->rab", values, chosen)
    same = np.eye(len(datasets), dtype=bool)
    return np.stack([mean_of_defined(means[:, same]), mean_of_defined(means[:, ~same])], 1)


def _alarms(transfers: Mapping[str, Transfer], tables: Mapping[tuple[str, str], Array]) -> Array:
    """Return the false alarms at home and abroad, (2, 4), as in ``Abroad``."""
    result = np.zeros((2, 4))
    for (trained, dataset), table in tables.items():
        part = _part(transfers[trained].targets, dataset, CLEAN)
        chosen = ((part["crack"] == 0) & (part["seen"] == 0)).to_numpy()
        false = table[:, chosen, 1]
        pixels = len(table) * int(part["pixels"].to_numpy()[chosen].sum())
        result[int(trained != dataset)] += [false.size, (false > 0).sum(), pixels, false.sum()]
    return result
