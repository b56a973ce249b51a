"""What every file in bench/datasets keeps to; a failing message says what the author of a dataset has to do."""

import importlib
from collections.abc import Callable
from dataclasses import fields
from itertools import permutations
from pathlib import Path
from types import ModuleType

import pytest

from bench import plugins
from bench.data.dataset import Archive, Card

DATASETS = plugins.names("datasets")

every_dataset = pytest.mark.parametrize("name", DATASETS)

# The forms of file names in the published collection, first and last of each, with the photograph its index states;
# for Sylvie the index keeps the two labellings of a photograph (GT, noGT) apart, here they are one.
FORMS = [
    ("cfd", "CFD_001", "001"),
    ("cfd", "CFD_056", "056"),
    ("cfd", "CFD_118", "118"),
    ("crack500", "CRACK500_20160222_080850_1281_361", "20160222_080850"),
    ("crack500", "CRACK500_20160415_191330_641_721", "20160415_191330"),
    ("crack500", "CRACK500_IMG_2917_1297_485", "IMG_2917"),
    ("crack500", "CRACK500_IMG_2942_649_485", "IMG_2942"),
    ("cracktree200", "cracktree200_6192", "6192"),
    ("cracktree200", "cracktree200_6779", "6779"),
    ("deepcrack", "DeepCrack_11111", "11111"),
    ("deepcrack", "DeepCrack_11116-1", "11116"),
    ("deepcrack", "DeepCrack_IMG109-1", "IMG109"),
    ("deepcrack", "DeepCrack_IMG108", "IMG108"),
    ("deepcrack", "DeepCrack_IMG_6544-4", "IMG_6544"),
    ("deepcrack", "DeepCrack_7Q3A9064-9", "7Q3A9064"),
    ("eugen_miller", "Eugen_Muller_4470_0_0_1054_1067", "4470"),
    ("eugen_miller", "Eugen_Muller_8980a_61_149_679_563", "8980a"),
    ("eugen_miller", "Eugen_Muller_9360_99_556_518_594", "9360"),
    ("forest", "forest_001", "001"),
    ("forest", "forest_118", "118"),
    ("gaps", "GAPS384_train_0178_1_1", "train_0178"),
    ("gaps", "GAPS384_valid_0016_541_1", "valid_0016"),
    ("gaps", "GAPS384_test_0363_541_1", "test_0363"),
    ("rissbilder", "Rissbilder_for_Florian_9S6A2782_0_0_3840_5760", "9S6A2782"),
    ("rissbilder", "Rissbilder_for_Florian_9S6A3138_95_838_3714_4510", "9S6A3138"),
    ("sylvie", "Sylvie_Chambon_001", "001"),
    ("sylvie", "Sylvie_Chambon_329", "329"),
    ("sylvie", "Sylvie_Chambon_Im_GT_ESAR_20a", "Im_ESAR_20a"),
    ("sylvie", "Sylvie_Chambon_Im_noGT_ESAR_20a", "Im_ESAR_20a"),
    ("volker", "Volker_DSC01608_0_0_2736_1824", "DSC01608"),
    ("volker", "Volker_DSC01710_725_197_1392_1586", "DSC01710"),
]

PUBLISHED_IMAGES = 11_298 - 1411  # of the collection, without those of no dataset ("noncrack")


def module(name: str) -> ModuleType:
    return importlib.import_module(f"bench.datasets.{name}")


@every_dataset
def test_has_a_complete_card(name: str) -> None:
    path = f"bench/datasets/{name}.py"
    card = getattr(module(name), "CARD", None)
    assert isinstance(card, Card), f"{path}: add CARD = Card(...), the facts as published."
    for field in fields(Card):
        value = getattr(card, field.name)
        kind = {"str": str, "int": int, "float": float}[str(getattr(field.type, "__name__", field.type))]
        assert type(value) is kind, f"{path}: CARD.{field.name} must be {kind.__name__}, found {value!r}."
        if kind is str:
            assert value.strip(), f"{path}: CARD.{field.name} is empty; write 'none stated' where nothing is stated."
    assert 1 <= card.photographs <= card.images, f"{path}: CARD: images are crops of photographs, not fewer than them."
    assert 0 < card.crack_share_pct < 100, f"{path}: CARD.crack_share_pct is in percent."
    assert card.classes == 1 or card.classes > 2, f"{path}: CARD.classes is 1 for binary, else 3 or more."


@every_dataset
def test_says_where_it_comes_from(name: str) -> None:
    path = f"bench/datasets/{name}.py"
    prefix = getattr(module(name), "PREFIX", None)
    assert isinstance(prefix, str), f'{path}: add PREFIX = "...", how its files start in the merged collection.'
    assert prefix.strip(), f"{path}: PREFIX is empty, so that all files of the collection would be its."
    original = module(name).ORIGINAL
    assert original is None or isinstance(original, Archive), f"{path}: ORIGINAL is an Archive, or None."
    if original:
        assert original.file.endswith(".zip"), f"{path}: ORIGINAL.file is the name of a zip."
        assert original.page.startswith("https://"), f"{path}: ORIGINAL.page is where a person finds the archive."
        assert original.urls, f"{path}: ORIGINAL.urls is empty."
        assert not original.select(["readme.md", "other/001.jpg"]), f"{path}: select must be empty for other archives."


def test_no_prefix_is_the_start_of_another() -> None:
    prefixes = {name: module(name).PREFIX for name in DATASETS}
    for a, b in permutations(prefixes, 2):
        assert not prefixes[a].startswith(prefixes[b]), f"{a} and {b} would take each other's files"


def test_display_names_are_unique() -> None:
    names = [module(name).CARD.name for name in DATASETS]
    assert len(set(names)) == len(names)


def test_the_ten_hold_all_of_the_collection() -> None:
    ten = {dataset for dataset, _, _ in FORMS}
    assert len(ten) == 10
    assert sum(module(name).CARD.images for name in ten) == PUBLISHED_IMAGES


@every_dataset
def test_finds_its_pairs(name: str, make_raw: Callable[..., Path]) -> None:
    stems = [f"{module(name).PREFIX}{number:03d}" for number in (3, 1, 2)]
    root = make_raw(stems, 8, 8)
    pairs = module(name).pairs(root)
    assert [pair.item for pair in pairs] == sorted(stems), f"bench/datasets/{name}.py: pairs come sorted by name."
    for pair in pairs:
        assert pair.image == root / "images" / f"{pair.item}.png"
        assert pair.mask == root / "masks" / f"{pair.item}.png"
        assert pair.photo == module(name).photo(pair.item)


@every_dataset
@pytest.mark.parametrize("item", ["x", "001", "my photo (1)", "ü", "a_1_2_3_4_5_6", "-1"])
def test_any_name_has_a_photograph(name: str, item: str) -> None:
    for stem in (item, module(name).PREFIX + item):
        found = module(name).photo(stem)
        assert isinstance(found, str), f"bench/datasets/{name}.py: photo({stem!r}) must return a string."
        assert found, f"bench/datasets/{name}.py: photo({stem!r}) is empty: return the item where nothing is known."


@pytest.mark.parametrize(("name", "item", "photo"), FORMS)
def test_the_photograph_of_a_published_name(name: str, item: str, photo: str) -> None:
    assert module(name).photo(item) == photo


@pytest.mark.parametrize("name", ["cfd", "forest"])
def test_the_authors_names_give_the_same_photograph(name: str) -> None:
    assert module(name).photo("001") == module(name).photo(f"{module(name).PREFIX}001")


def test_the_two_labellings_of_one_photograph_are_one() -> None:
    photo = module("sylvie").photo
    assert photo("Sylvie_Chambon_Im_GT_ESAR_34a") == photo("Sylvie_Chambon_Im_noGT_ESAR_34a")
    assert photo("Sylvie_Chambon_Im_GT_ESAR_34a") != photo("Sylvie_Chambon_Im_GT_ESAR_33a")


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("rissbilder", "Rissbilder_for_Florian_9S6A2782_0_0_3840_5760", "Rissbilder_for_Florian_9S6A2782_1_9_384_576"),
        ("volker", "Volker_DSC01608_0_0_2736_1824", "Volker_DSC01608_725_197_1392_1586"),
        ("crack500", "CRACK500_20160222_080850_1281_361", "CRACK500_20160222_080850_1_1"),
        ("gaps", "GAPS384_train_0178_1_1", "GAPS384_train_0178_541_641"),
        ("deepcrack", "DeepCrack_11116-1", "DeepCrack_11116-2"),
        ("eugen_miller", "Eugen_Muller_4470_0_0_1054_1067", "Eugen_Muller_4470_1_2_3_4"),
    ],
)
def test_crops_of_one_photograph_share_it(name: str, a: str, b: str) -> None:
    assert module(name).photo(a) == module(name).photo(b)
