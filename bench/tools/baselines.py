"""Classical detectors without training, the floor of a leaderboard: tuned on validation images, scored like models."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage import filters
from tqdm import tqdm

from bench.data.views import View, views, whole
from bench.errors import UserError
from bench.formats import predictions, prepared, scores
from bench.ranking.results import BASELINES, EXTERNAL, UNTRAINED
from bench.tools.score import score_folder
from bench.training.settings import TrainSettings

Real = npt.NDArray[np.float64]
_FILTERS: Any = filters  # without types


@dataclass(frozen=True)
class Baseline:
    """A detector of dark thin structures.

    Attributes:
        name: display name.
        respond: grey image (H, W) in [0, 1] and width in px -> response (H, W), higher where crack is more likely.
        widths_px: widths to choose from on the validation images.
    """

    name: str
    respond: Callable[[Real, int], Real]
    widths_px: tuple[int, ...]


def _ridges(grey: Real, width_px: int) -> Real:
    """Return Sato's ridge filter for dark lines. **Source:** Sato et al. 1998, Medical Image Analysis 2(2)."""
    return np.asarray(_FILTERS.sato(grey, sigmas=[width_px / 2], black_ridges=True), np.float64)


def _vessels(grey: Real, width_px: int) -> Real:
    """Return Frangi's filter for dark lines. **Source:** Frangi et al. 1998, MICCAI."""
    return np.asarray(_FILTERS.frangi(grey, sigmas=[width_px / 2], black_ridges=True), np.float64)


def _black_top_hat(grey: Real, width_px: int) -> Real:
    """Return how much darker a pixel is than the closing by a disc: structures narrower than it are left."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width_px + 1, 2 * width_px + 1))
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    return np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, disc), np.float64)


def _otsu(grey: Real, width_px: int) -> Real:
    """Return how far the smoothed image lies below Otsu's threshold. **Source:** Otsu 1979, IEEE T-SMC 9(1)."""
    smooth = cv2.GaussianBlur(grey, (0, 0), width_px / 2)
    return np.asarray(_FILTERS.threshold_otsu(smooth) - smooth, np.float64)


BASELINED = {
    "black_top_hat": Baseline("Black top-hat", _black_top_hat, (2, 4, 8, 16)),
    "frangi": Baseline("Frangi filter", _vessels, (2, 4, 8, 16)),
    "otsu": Baseline("Otsu threshold", _otsu, (2, 4, 8)),
    "sato": Baseline("Sato filter", _ridges, (2, 4, 8, 16)),
}


@dataclass(frozen=True)
class Tuned:
    """What was chosen on the validation images: width, threshold, their IoU, and the range of the responses there."""

    width_px: int
    threshold: float
    validation_iou: float
    lowest: float
    highest: float

    def probabilities(self, response: Real) -> npt.NDArray[np.float32]:
        """Return responses as numbers from 0 to 1, linear below and above the threshold, which becomes 0.5.

        >>> Tuned(2, 1.0, 0.3, 0.0, 3.0).probabilities(np.array([[0.0, 0.5, 1.0, 2.0, 9.0]])).tolist()
        [[0.0, 0.25, 0.5, 0.75, 1.0]]
        """
        known = (self.lowest, self.threshold, max(self.highest, self.threshold + 1e-12))
        return np.interp(response, known, (0.0, 0.5, 1.0)).astype(np.float32)


def score_baselines(source: Path, results: Path, train: TrainSettings, batch: int) -> Iterator[str]:
    """Write the scores of every detector on a prepared dataset; yield a summary of each.

    Args:
        source: the prepared dataset, with a validation split.
        results: results folder; the scores go to its folder baselines.
        train: the section ``train`` of params.yaml, for the protocol whose data and splits are used.
        batch: images per evaluation batch.

    Raises:
        UserError: the dataset has no validation images.
    """
    data = prepared.read(source)
    if not len(data.split("validation")):
        raise UserError(f"{source} has no validation images to choose thresholds on: set prepare.validation_share.")
    for key, baseline in tqdm(BASELINED.items(), desc=f"baselines {data.card['dataset']}", unit="detector"):
        tuned = tune(baseline, data)
        with tempfile.TemporaryDirectory() as folder:
            for view in views(data, "test"):
                predicted = tuned.probabilities(baseline.respond(_grey(data, view), tuned.width_px))
                predictions.write_one(Path(folder), view.name, predictions.quantise(predicted))
            summary = score_folder(Path(folder), source, results / BASELINES, key, 0, train, batch)
        target = results / BASELINES / EXTERNAL / key / data.card["dataset"]
        facts = {"model_name": baseline.name, "trained": UNTRAINED, "chosen": asdict(tuned)}
        part = scores.read(target)
        scores.write(target, replace(part, cells=[cell | facts for cell in part.cells]))
        yield f"{summary} Width {tuned.width_px} px, IoU {tuned.validation_iou:.4f} on the validation images."


def tune(baseline: Baseline, data: prepared.Prepared) -> Tuned:
    """Return the width and the threshold with the highest pooled crack IoU on the validation images."""
    images = list(views(data, "validation"))
    known = [view.mask != prepared.IGNORED for view in images]
    crack = np.concatenate([(view.mask > 0)[k] for view, k in zip(images, known, strict=True)])
    found = []
    for width_px in baseline.widths_px:
        responses = [baseline.respond(_grey(data, view), width_px)[k] for view, k in zip(images, known, strict=True)]
        response = np.concatenate(responses)
        threshold, iou = best_threshold(response, crack)
        found.append(Tuned(width_px, threshold, iou, float(response.min()), float(response.max())))
    return max(found, key=lambda tuned: tuned.validation_iou)


def best_threshold(response: Real, crack: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the threshold t for which ``response >= t`` has the highest IoU with the crack pixels, and that IoU.

    Args:
        response: (N,), any range.
        crack: (N,).

    >>> best_threshold(np.array([0.1, 0.9, 0.4, 0.7]), np.array([False, True, False, True]))
    (0.7, 1.0)
    """
    order = np.argsort(-response, kind="stable")
    values, hits = response[order], np.cumsum(crack[order])
    iou = hits / (crack.sum() + np.arange(1, len(order) + 1) - hits)
    iou[:-1][values[:-1] == values[1:]] = -1.0  # a threshold takes all pixels of one response
    best = int(np.argmax(iou))
    return float(values[best]), float(iou[best])


def _grey(data: prepared.Prepared, view: View) -> Any:
    """Return the grey values of an image, (H, W) in [0, 1]."""
    rgb = whole(data, view.rows, view.places, [np.asarray(data.images[row]) for row in view.rows])
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(float) / 255
