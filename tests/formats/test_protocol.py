"""The protocol: what changes a number changes its hash, what only concerns the machine does not."""

from pathlib import Path
from typing import Any

import pytest

from bench.formats.protocol import MACHINE_ONLY, protocol, protocol_hash
from bench.settings import load_params

TRAIN: dict[str, Any] = load_params(Path(__file__).parents[2] / "params.yaml")["train"]
CARD: dict[str, Any] = {
    "dataset": "cfd",
    "origin": {"source": "collection", "archive": "a.zip"},
    "settings": {"image_size": 448, "mask_threshold": 0, "seed": 0, "skip": ["CFD_001"]},
}


def of(card: dict[str, Any] | None = None, **train: Any) -> str:
    return protocol(CARD | (card or {}), TRAIN | train)[1]


def test_machine_only_settings_exist() -> None:
    assert set(TRAIN) >= MACHINE_ONLY


@pytest.mark.parametrize("key", sorted(MACHINE_ONLY))
def test_what_only_concerns_the_machine_does_not_count(key: str) -> None:
    assert of(**{key: "another"}) == of()
    assert key not in protocol(CARD, TRAIN)[0]["train"]


@pytest.mark.parametrize("key", sorted(set(TRAIN) - MACHINE_ONLY))
def test_everything_else_counts(key: str) -> None:
    assert of(**{key: "another"}) != of()
    assert protocol(CARD, TRAIN)[0]["train"][key] == TRAIN[key]


def test_a_nested_setting_counts() -> None:
    assert of(augment=TRAIN["augment"] | {"hue": 0.05}) != of()


@pytest.mark.parametrize("key", ["image_size", "mask_threshold", "seed"])
def test_how_the_data_were_prepared_counts(key: str) -> None:
    assert of({"settings": CARD["settings"] | {key: 99}}) != of()


def test_pairs_left_out_and_the_source_of_a_dataset_do_not_count() -> None:
    assert of({"settings": CARD["settings"] | {"skip": []}}) == of()  # they are in the content hash of each dataset
    assert of({"origin": {"source": "collection", "archive": "b.zip"}}) == of()
    assert of({"origin": {"source": "sample"}}) == of()  # likewise: datasets of several sources make one table
    assert of({"dataset": "volker"}) == of()  # one protocol for all datasets


def test_the_hash_is_short_and_a_function_of_the_settings() -> None:
    assert len(of()) == 12
    assert int(of(), 16) >= 0
    assert of() == protocol(dict(reversed(CARD.items())), dict(reversed(TRAIN.items())))[1]


COUNTED = [  # spelled out: a list derived from MACHINE_ONLY would follow a mistake in it
    "encoder", "weights", "epochs", "epoch_items", "batch", "accumulate", "lr", "weight_decay", "schedule",
    "plateau", "stop_patience", "select_on", "precision", "loss", "augment", "augment_on",
]  # fmt: skip
NOT_COUNTED = ["device", "threads", "workers", "deterministic", "compile", "checkpoint_minutes"]


def test_every_setting_is_listed_here() -> None:
    assert sorted([*COUNTED, *NOT_COUNTED]) == sorted(TRAIN)


@pytest.mark.parametrize("key", COUNTED)
def test_a_setting_that_changes_a_number_changes_the_hash(key: str) -> None:
    assert of(**{key: "another"}) != of()


@pytest.mark.parametrize("key", NOT_COUNTED)
def test_a_setting_of_the_machine_does_not_change_the_hash(key: str) -> None:
    assert of(**{key: "another"}) == of()


@pytest.mark.parametrize(
    ("section", "key", "value", "other"),
    [
        ("prepare", "geometry", "squeeze", "tiles"),
        ("prepare", "tile_stride", None, 64),
        ("prepare", "mask_resize", "nearest", "any"),
        ("prepare", "train_items", None, 10),
        ("train", "epoch_items", None, 96),
        ("loss", "dice_over", "image", "batch"),
    ],
)
def test_a_setting_that_came_later_leaves_earlier_hashes_as_they_were(
    section: str, key: str, value: object, other: object
) -> None:
    def hashed(content: dict[str, Any]) -> str:
        prepare, train = {"image_size": 448}, {"lr": 1e-4, "loss": {"dice": 1.0}}
        {"prepare": prepare, "train": train, "loss": train["loss"]}[section].update(content)  # type: ignore[attr-defined]
        return protocol_hash({"prepare": prepare, "train": train})

    assert hashed({key: value}) == hashed({}) != hashed({key: other})
