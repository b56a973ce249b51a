"""Predict images with a network whose output is logits or probabilities, of one class or several."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD

Image = npt.NDArray[np.uint8]
Prob = npt.NDArray[np.float32]
Outputs = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Predictor:
    """A network from a run or a file.

    Attributes:
        source: its folder or file, for messages.
        forward: normalised images, float32 (B, 3, H, W) -> the network's outputs by name, each (B, C, H, W).
        side: image size of the network, px; None for any.
        is_logits: whether the output is logits rather than probabilities.
        output: name of the output that is the map; None: the only one.
        batch: images per forward pass that the file is fixed to; None for any number.
        stated: what the file itself says it returns, "logits" or "probabilities"; None: nothing.
        workers: number of threads that may call it at a time.
        start_worker: called once in each of these threads, before anything else.
    """

    source: Path
    forward: Callable[[Prob], Outputs]
    side: int | None
    is_logits: bool = True
    output: str | None = None
    batch: int | None = None
    stated: str | None = None
    workers: int = 1
    start_worker: Callable[[], None] = lambda: None

    def __call__(self, image: Image) -> Prob:
        """Return the probability of crack, float32 (H, W), of an RGB image (H, W, 3).

        Raises:
            UserError: the network does not accept the image, or does not return a map of its size.
        """
        return np.asarray(self.many(image[None])[0], np.float32)

    def many(self, images: Image) -> Prob:
        """Return the probability of crack, float32 (B, H, W), of RGB images (B, H, W, 3).

        Raises:
            UserError: the network does not accept the images, or does not return maps of their size.
        """
        return self.of_classes(images)[0]

    def of_classes(self, images: Image) -> tuple[Prob, npt.NDArray[np.uint8], int]:
        """Return the probability of crack and the likeliest class but background, (B, H, W), and the number of classes.

        Raises:
            UserError: see `many`.
        """
        output = self.raw(images)
        if not np.isfinite(output).all():
            raise UserError(f"{self.source} returns NaN or infinity: export it in float32.")
        if not self.is_logits and (output.min() < 0 or output.max() > 1):
            values = f"{output.min():.3g} to {output.max():.3g}"
            raise UserError(f"{self.source} returns {values}, which are no probabilities: use --output logits.")
        probs = np.stack([_probability(one, self.is_logits) for one in output])
        if output.shape[1] == 1:
            return probs, np.broadcast_to(np.uint8(1), probs.shape), 1
        return probs, (output[:, 1:].argmax(1) + 1).astype(np.uint8), output.shape[1]

    def raw(self, images: Image) -> Prob:
        """Return the network's output, float32 (B, C, H, W), of RGB images (B, H, W, 3).

        Raises:
            UserError: the network does not accept the images, has several outputs of which none is chosen, or does not
                return maps of their size.
        """
        mean, std = (np.array(values, np.float32) for values in (IMAGENET_MEAN, IMAGENET_STD))
        scaled: Prob = np.multiply(images, 1 / (255 * std), dtype=np.float32)
        scaled -= mean / std
        ready = scaled.transpose(0, 3, 1, 2)  # channels last, as images are; a network that is not gets a copy
        step = self.batch or len(ready)
        parts = [self._forward(ready[start : start + step]) for start in range(0, len(ready), step)]
        return np.concatenate(parts)

    def _forward(self, ready: Prob) -> Prob:
        count, missing = len(ready), max(0, (self.batch or 0) - len(ready))
        if missing:  # a file of a fixed batch size gets the last image several times
            ready = np.concatenate([ready, np.repeat(ready[-1:], missing, axis=0)])
        try:
            outputs = self.forward(ready)
        except UserError:
            raise
        except Exception as error:  # each library has its own exceptions
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(
                f"{self.source} does not take a normalised RGB image, float32 {ready.shape} ({reason}): "
                "export it with this input."
            ) from None
        output = np.asarray(self._chosen(outputs), np.float32)
        if output.ndim == 3 and len(output) == len(ready):  # the channel is left out
            output = output[:, None]
        if output.ndim != 4 or output.shape[1] == 0 or (len(output), *output.shape[2:]) != (
            len(ready), *ready.shape[2:],
        ):  # fmt: skip
            expected = f"({len(ready)}, C, {ready.shape[2]}, {ready.shape[3]})"
            raise UserError(
                f"{self.source} returns an array {output.shape} for an image, expected {expected}: "
                "export it with this output."
            )
        return output[:count]

    def _chosen(self, outputs: Outputs) -> npt.NDArray[np.generic]:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
        if self.output is not None and self.output not in outputs:
            raise UserError(f"{self.source} has no output {self.output!r}. Its outputs: {shapes}.")
        if self.output is None and len(outputs) > 1:
            raise UserError(
                f"{self.source} has {len(outputs)} outputs: {shapes}. Name the map with --output-name NAME."
            )
        return outputs[self.output] if self.output is not None else next(iter(outputs.values()))


def _probability(output: Prob, is_logits: bool) -> Prob:
    """Return the probability of crack, (H, W), from the output (C, H, W); with C > 1, class 0 is background.

    With several classes it is that of the likeliest class but background, against background: as in training.
    """
    if not is_logits:
        likeliest = output[0] if len(output) == 1 else output[1:].max(0)
        both = 1.0 if len(output) == 1 else np.maximum(likeliest + output[0], np.finfo(np.float32).tiny)
        return np.asarray(likeliest / both, np.float32)
    logit = output[0] if len(output) == 1 else output[1:].max(0) - output[0]
    with np.errstate(over="ignore"):  # 1 / infinity is 0, as it should be
        return np.asarray(1 / (1 + np.exp(-logit)), np.float32)


def settled(predictor: Predictor, stated: str | None, side: int) -> tuple[Predictor, str]:
    """Return the predictor with its kind of output settled by a probe, and a remark on what was found.

    Args:
        predictor: of a file.
        stated: "logits" or "probabilities" if the user says so; else what the file says counts, as files of
            `bench export` do.
        side: of the probe, px, if the network takes any size.

    Raises:
        UserError: two passes differ, so that the file was exported in training mode; or the output, within 0 and 1,
            may be either.
    """
    side, stated = predictor.side or side, stated or predictor.stated
    probe = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    first, second = predictor.raw(probe), predictor.raw(probe)
    if not np.allclose(first, second, rtol=1e-3, atol=1e-4, equal_nan=True):
        raise UserError(
            f"{predictor.source} gives two results for one image (they differ by up to "
            f"{np.abs(first - second).max():.3g}): it was exported in training mode. Call model.eval() first."
        )
    if stated:
        return replace(predictor, is_logits=stated == "logits"), ""
    extremes = [predictor.raw(np.full_like(probe, level)) for level in (0, 255)]
    every = np.concatenate([first, *extremes])
    if not np.isfinite(every).all() or every.min() < 0 or every.max() > 1:
        return replace(predictor, is_logits=True), ""
    if every.shape[1] > 1 and np.allclose(every.sum(1), 1, atol=1e-3):
        return replace(predictor, is_logits=False), " Its channels sum to 1: they were read as probabilities."
    raise UserError(
        f"{predictor.source} returns values from {every.min():.3g} to {every.max():.3g} for images of noise, of black "
        "and of white. Say what they are: --output probabilities (after a sigmoid or softmax) or --output logits."
    )
