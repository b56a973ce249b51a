"""The paper's tables: complete, by the ids of this suite, and with the properties that were found in them."""

import pandas as pd
import pytest

from bench import plugins
from bench.paper import TABLES, published


@pytest.mark.parametrize(
    ("name", "rows"), [("table_1", 10), ("table_2", 11), ("tables_3_4_5", 100), ("table_6", 4), ("table_7", 10)]
)
def test_tables_are_complete(name: str, rows: int) -> None:
    assert name in TABLES
    frame = published(name)
    assert len(frame) == rows
    assert not frame.isna().any(axis=None)


def test_ids_are_those_of_the_suite() -> None:
    results = published("tables_3_4_5")
    assert set(results["dataset"]) == set(published("table_1")["dataset"]) <= set(plugins.names("datasets"))
    assert set(results["model"]) == set(published("table_7")["model"]) <= set(plugins.names("models"))
    assert set(published("table_6")["model"]) <= set(plugins.names("models"))
    assert not results.duplicated(["dataset", "model"]).any()
    assert len(results.groupby(["dataset", "model"])) == 100


def test_what_is_printed_as_miou_is_the_iou_of_the_crack_class() -> None:
    results = published("tables_3_4_5")
    off = (results["dice"] - 2 * results["miou"] / (1 + results["miou"])).abs()
    assert off.max() < 1e-3
    assert (off <= 2e-4).sum() == 78
    assert set(results.loc[off > 2e-4, "dataset"]) == {"crack500", "deepcrack", "gaps", "rissbilder"}


def test_the_ablation_s_last_row_is_the_gaps_row() -> None:
    metrics = ["miou", "dice", "recall", "precision"]
    results = published("tables_3_4_5").set_index(["dataset", "model"])
    ablation = published("table_6").set_index("model")
    pd.testing.assert_series_equal(
        ablation.loc["context_cracknet", metrics], results.loc[("gaps", "context_cracknet"), metrics], check_names=False
    )


def test_display_names_and_crack_types_agree_with_the_cards() -> None:
    for row in published("table_1").itertuples():
        card = plugins.load("datasets", str(row.dataset)).CARD
        assert (card.name, card.crack_type) == (row.printed, row.crack_type)


def test_values_of_settings_stay_as_printed() -> None:
    values = published("table_2").set_index("setting")["value"]
    assert values["train.weight_decay"] == "1e-05"
    assert values["train.batch"] == "32"
