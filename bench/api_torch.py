"""A split of a prepared dataset for torch's data loader."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from bench.formats.prepared import Prepared
from bench.training.loader import normalise


class TorchSplit(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of normalised image, float32 (3, H, W), and class of each pixel, uint8 (H, W)."""

    def __init__(self, data: Prepared, rows: npt.NDArray[np.int64]) -> None:
        self.data, self.rows = data, rows

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.rows)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """Return one item."""
        row = self.rows[number]
        images = torch.from_numpy(np.array(self.data.images[row]))[None]
        return normalise(images)[0], torch.from_numpy(np.array(self.data.masks[row]))
