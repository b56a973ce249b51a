"""A repeated training is compared with the band of the committed seeds, line by line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.formats import scores
from bench.tools.rerun import compare_rerun


def test_each_seed_is_inside_or_outside_the_band(tmp_path: Path, write_grid: Any) -> None:
    write_grid(tmp_path, datasets=["cfd"], models=["unet"], seeds=(0, 1, 2))
    part = scores.read(tmp_path / "results" / "scores" / "cfd")
    images = part.images.assign(tp=50, fp=25, fn=25)  # crack IoU 0.5 for each seed, so that the band is +-0.02
    scores.write(tmp_path / "committed" / "cfd", replace(part, images=images))
    images = images.assign(fn=images["seed"].map({0: 25, 1: 30, 2: 28}))  # 50 / 105 = 0.4762, 50 / 103 = 0.4854
    scores.write(tmp_path / "rerun" / "cfd", replace(part, images=images))
    assert list(compare_rerun(tmp_path / "committed", tmp_path / "rerun", "unet", ["cfd"]))[1:] == [
        "cfd seed 0: 0.5000   0.4800 to 0.5200   0.5000, inside the band",
        "cfd seed 1: 0.5000   0.4800 to 0.5200   0.4762, OUTSIDE THE BAND",
        "cfd seed 2: 0.5000   0.4800 to 0.5200   0.4854, inside the band",
    ]
