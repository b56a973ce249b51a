"""At home and abroad: values computed by hand, images left out, intervals, seeds, foreign results."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats.transfer import TARGETS, Transfer, only
from bench.ranking.abroad import measure

IMAGES = {"cfd": [("a", "p", 10), ("b", "q", 20)], "gaps": [("c", "r", 10), ("d", "s", 0)]}


def transfer(trained: str, counts: dict[tuple[str, int], list[tuple[int, int]]], seen: str = "") -> Transfer:
    """Return results: (model, seed) -> tp and fp on the images of cfd, of gaps, and of the dataset itself blurred."""
    rows = [[d, "clean", *image[:2], 100, image[2], int(image[0] == seen)] for d in IMAGES for image in IMAGES[d]]
    rows += [[trained, "blur", *image[:2], 100, image[2], 0] for image in IMAGES[trained]]
    runs = [{"dataset": trained, "model": model, "seed": seed} for model, seed in counts]
    array = np.array(list(counts.values()), np.uint32)
    return Transfer(pd.DataFrame(rows, columns=TARGETS), array, np.zeros((len(runs), 3, 2, 256), np.uint64), runs, [])


@pytest.fixture
def transfers() -> dict[str, Transfer]:
    """Return two models; gaps' runs have seen cfd's image b."""
    on_cfd = {
        ("unet", 0): [(10, 0), (10, 10), (5, 5), (0, 10), (5, 0), (5, 0)],
        ("unet", 1): [(10, 0), (20, 0), (5, 5), (0, 0), (5, 0), (5, 0)],
        ("pan", 0): [(0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)],
    }
    on_gaps = {
        ("unet", 0): [(5, 0), (20, 0), (10, 0), (0, 10), (8, 0), (0, 0)],
        ("unet", 1): [(5, 5), (20, 0), (10, 0), (0, 0), (8, 0), (0, 0)],
        ("pan", 0): [(0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)],
    }
    return {"cfd": transfer("cfd", on_cfd), "gaps": transfer("gaps", on_gaps, seen="b")}


def test_values_are_those_of_pooled_counts(transfers: dict[str, Transfer]) -> None:
    found = measure(transfers, ["unet", "pan"], 200)
    unet, pan = found.values
    assert unet[0, 0] == pytest.approx((20 / 40 + 30 / 30) / 2)  # at home on cfd
    assert unet[0, 1] == pytest.approx((5 / 25 + 5 / 15) / 2)  # cfd to gaps
    assert unet[1, 0] == pytest.approx((5 / 10 + 5 / 15) / 2)  # gaps to cfd, without image b
    assert unet[1, 1] == pytest.approx((10 / 20 + 10 / 10) / 2)
    assert not pan.any()
    assert found.home.tolist() == pytest.approx([0.75, 0])
    assert found.abroad[0] == pytest.approx((unet[0, 1] + unet[1, 0]) / 2)
    assert found.left_out.tolist() == [[0, 0], [1, 0]]
    assert found.images.tolist() == [2, 2]
    assert found.corruptions == ["blur"]
    assert found.corrupted[0, :, 0].tolist() == pytest.approx([10 / 30, 8 / 10])


def test_false_alarms_are_counted_on_images_without_crack(transfers: dict[str, Transfer]) -> None:
    """Only gaps' image d has none: at home in gaps' runs, abroad in cfd's."""
    found = measure(transfers, ["unet", "pan"], 200)
    assert found.alarms[0].tolist() == [[2, 1, 200, 10], [2, 1, 200, 10]]
    assert found.alarms[1].tolist() == [[1, 0, 100, 0], [1, 0, 100, 0]]


def test_resamples_hold_the_values_that_are_possible(transfers: dict[str, Transfer]) -> None:
    """Of one run: gaps to cfd has only image a left, gaps' crack is in one image; both can be drawn zero times."""
    one = {d: only(t, ["unet"], [1]) for d, t in transfers.items()}
    found = measure(one, ["unet"], 2000)
    assert found.draws.shape == (2000, 1, 2)
    home = found.draws[:, 0, 0]
    assert set(home[np.isfinite(home)].round(6)) == {1.0}  # seed 1 is perfect at home
    abroad = found.draws[:, 0, 1]
    assert set(abroad[np.isfinite(abroad)].round(6)) <= {round(1 / 3, 6)}  # 5 / 15 in both pairs


def test_draws_repeat_and_their_mean_is_near_the_value(transfers: dict[str, Transfer]) -> None:
    first, second = (measure(transfers, ["unet", "pan"], 500, seed=1) for _ in range(2))
    assert np.array_equal(first.draws, second.draws, equal_nan=True)
    rng = np.random.default_rng(0)
    many = {}
    for trained in IMAGES:
        rows = [[d, "clean", f"{d}{i}", f"{d}{i}", 100, 50, 0] for d in IMAGES for i in range(200)]
        counts = rng.integers(10, 40, (2, 400, 2)).astype(np.uint32)
        runs = [{"dataset": trained, "model": "unet", "seed": seed} for seed in (0, 1)]
        many[trained] = Transfer(
            pd.DataFrame(rows, columns=TARGETS), counts, np.zeros((2, 2, 2, 256), np.uint64), runs, []
        )
    found = measure(many, ["unet"], 500)
    assert found.draws[:, 0].mean(0) == pytest.approx([found.home[0], found.abroad[0]], abs=0.003)
    assert found.draws[:, 0].std(0) == pytest.approx([0.005, 0.005], abs=0.004)


def test_seeds_that_a_dataset_lacks_are_left_out(transfers: dict[str, Transfer]) -> None:
    transfers["gaps"] = only(transfers["gaps"], ["unet"], [0])
    found = measure(transfers, ["unet", "pan"], 200)
    assert found.models == ["unet"]
    assert found.incomplete == ["pan"]
    assert found.values[0, 0, 0] == pytest.approx(20 / 40)
    with pytest.raises(UserError, match="no model has runs"):
        measure(transfers, ["pan"], 200)


def test_other_test_images_are_refused(transfers: dict[str, Transfer]) -> None:
    targets = transfers["cfd"].targets
    changed = targets.assign(crack=targets["crack"].where(targets["item"] != "c", 11))
    transfers["cfd"] = replace(transfers["cfd"], targets=changed)
    with pytest.raises(UserError, match="transfer/cfd was computed with other test images of gaps"):
        measure(transfers, ["unet"], 200)
