"""Croissant descriptions: valid by the rules of MLCommons, with every file of the dataset and its pair."""

from typing import Any

import pytest

from bench import plugins
from bench.data.pinned import pinned_datasets, pinned_files
from bench.errors import UserError
from bench.tools.croissant import croissant


@pytest.fixture
def mlcroissant() -> Any:
    return pytest.importorskip("mlcroissant")


@pytest.mark.filterwarnings("ignore")  # of the packages that mlcroissant imports
@pytest.mark.parametrize("dataset", pinned_datasets())
def test_every_description_is_valid_and_names_each_pair(mlcroissant: Any, dataset: str) -> None:
    content = croissant(dataset)
    read = mlcroissant.Dataset(jsonld=content)  # raises for what is against the rules
    assert not read.metadata.ctx.issues.errors
    assert read.metadata.name == dataset
    assert len(read.metadata.distribution) == len(pinned_files(dataset))
    rows = list(read.records("pairs"))
    assert len(rows) == plugins.load("datasets", dataset).CARD.images
    assert {str(row["pairs/image"]).partition("/")[0] for row in rows} == {"images"}


def test_a_file_has_its_address_at_a_commit_and_its_checksum() -> None:
    file = pinned_files("uav75")[0]
    entry = next(f for f in croissant("uav75")["distribution"] if f["@id"] == file.target)
    assert entry["contentUrl"].startswith(f"https://raw.githubusercontent.com/{file.repository}/{file.commit}/")
    assert " " not in entry["contentUrl"]
    assert (entry["sha256"], entry["contentSize"]) == (file.sha256, f"{file.bytes} B")


def test_a_dataset_without_pinned_files_is_refused() -> None:
    with pytest.raises(UserError, match="uav75"):
        croissant("gaps")
