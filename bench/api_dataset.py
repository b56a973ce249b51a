"""One split of a prepared dataset, as arrays and as a torch dataset."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.formats.prepared import IGNORED, Prepared

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.data import Dataset

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """The items of one split, in the order of the prepared arrays; ``split[i]`` reads one item from disk.

    Attributes:
        data: the prepared dataset.
        name: "train", "validation" or "test".
    """

    data: Prepared
    name: str

    @property
    def items(self) -> pd.DataFrame:
        """One row per item: item, photo (its source image), native_h, native_w (px), crack_share and others."""
        return self.data.items.iloc[self.data.split(self.name)].reset_index(drop=True)

    @property
    def images(self) -> Image:
        """A copy of all images: RGB, uint8 (N, H, W, 3)."""
        return np.array(self.data.images[self.data.split(self.name)])

    @property
    def masks(self) -> Mask:
        """All masks, (N, H, W): crack of any class is True, ignored pixels are False."""
        classes = np.asarray(self.data.masks[self.data.split(self.name)])
        return _crack(classes)

    @property
    def known(self) -> Mask:
        """Pixels that count, (N, H, W); those that are ignored are False."""
        return np.asarray(self.data.masks[self.data.split(self.name)] != IGNORED)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.data.split(self.name))

    def __getitem__(self, number: int) -> tuple[Image, Mask]:
        """Return image, uint8 (H, W, 3), and mask, bool (H, W), of an item."""
        row = self.data.split(self.name)[number]
        return np.array(self.data.images[row]), _crack(np.asarray(self.data.masks[row]))

    def __iter__(self) -> Iterator[tuple[Image, Mask]]:
        """Yield image and mask of each item."""
        return (self[number] for number in range(len(self)))

    def as_torch(self) -> "Dataset[tuple[Tensor, Tensor]]":
        """Return a torch dataset of (image, classes), as a network is trained on, without augmentation.

        Image: float32 (3, H, W), normalised as ImageNet's. Classes: uint8 (H, W), 0 background, 1 crack (or more
        classes), 255 ignored.

        Raises:
            ModuleNotFoundError: torch is not installed; the extra ``train`` brings it.
        """
        from bench.api_torch import TorchSplit

        return TorchSplit(self.data, self.data.split(self.name))


def _crack(classes: Image) -> Mask:
    return np.asarray((classes > 0) & (classes != IGNORED))
