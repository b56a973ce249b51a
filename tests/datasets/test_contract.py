"""The contract of a file in bench/datasets; a failing assertion tells the author what to change."""

import re
from collections.abc import Callable
from dataclasses import fields
from itertools import permutations
from pathlib import Path
from types import ModuleType

import pytest

from bench import plugins
from bench.data.dataset import Archive, Card, Pair, Pinned, pairs_of, photo_of
from bench.data.images import read_image, read_mask
from bench.data.own_folder import from_folder
from bench.data.pinned import pinned_datasets, pinned_files
from bench.errors import UserError
from bench.sample.generate import generate

DATASETS = plugins.names("datasets")

PINNED = pinned_datasets()

every_dataset = pytest.mark.parametrize("name", DATASETS)

# The forms of file names in the published collection, first and last of each, with the source image its index states;
# for Sylvie the index separates the two labellings of an image (GT, noGT), here they share one source image.
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

PARTS = ("images", "masks")

PUBLISHED_IMAGES = 11_298 - 1411  # of the collection, without those of no dataset ("noncrack")


def module(name: str) -> ModuleType:
    return plugins.load("datasets", name)


def check_card(card: Card, path: str) -> None:
    """Check the facts on a dataset's card."""
    assert isinstance(card, Card), f"{path}: add CARD = Card(...), the facts as published."
    kinds = {"str": str, "int": int, "float": float}
    for field in fields(Card):
        value, kind = getattr(card, field.name), kinds.get(str(getattr(field.type, "__name__", field.type)))
        if kind:
            assert type(value) is kind, f"{path}: CARD.{field.name} must be {kind.__name__}, is {value!r}."
        if kind is str:
            assert value.strip(), f"{path}: CARD.{field.name} is empty; write 'none stated' where nothing is stated."
    assert 1 <= card.photographs <= card.images, f"{path}: CARD.photographs must be 1 to CARD.images."
    assert 0 < card.crack_share_pct < 100, f"{path}: CARD.crack_share_pct must be between 0 and 100 percent."
    assert card.classes == 1 or card.classes > 2, f"{path}: CARD.classes is 1 for binary, else 3 or more."
    for other in card.shares_photographs_with:
        assert other in DATASETS, f"{path}: CARD.shares_photographs_with names the unknown dataset {other!r}."


def check_origin(module: ModuleType, path: str) -> None:
    """Check how a dataset is recognised in archives."""
    prefix = getattr(module, "PREFIX", None)
    assert isinstance(prefix, str), f'{path}: add PREFIX = "...", the start of its file names in the merged collection.'
    assert prefix.endswith("_"), f"{path}: PREFIX must end with _, like CFD_."
    original = module.ORIGINAL
    assert original is None or isinstance(original, Archive), f"{path}: ORIGINAL must be an Archive or None."
    if original:
        assert original.file.endswith(".zip"), f"{path}: ORIGINAL.file must be the name of a zip."
        assert original.page.startswith("https://"), f"{path}: ORIGINAL.page must be the archive's web page."
        assert original.urls, f"{path}: ORIGINAL.urls is empty."
        assert not original.select(["readme.md", "other/001.jpg"]), f"{path}: select must be empty for other archives."
    if hasattr(module, "FOLDER"):
        assert original is None, f"{path}: FOLDER is set, so ORIGINAL must be None."
    if hasattr(module, "PINNED"):
        assert isinstance(module.PINNED, Pinned), f"{path}: PINNED must be a Pinned."
        assert original is None, f"{path}: PINNED is set, so ORIGINAL must be None."


def check_contract(module: ModuleType, name: str, root: Path) -> None:
    """Check a dataset's module against files in ``root``."""
    path = f"bench/datasets/{name}.py"
    assert (module.__doc__ or "").strip(), f"{path}: add a docstring that says what the dataset shows."
    check_card(getattr(module, "CARD", None), path)  # type: ignore[arg-type]
    check_origin(module, path)
    assert hasattr(module, "photo") or re.compile(module.PHOTO).groups, f"{path}: PHOTO needs a group, or add photo()."
    pairs = pairs_of(module, root)
    assert pairs, f"{path}: no pairs in {root}."
    assert all(isinstance(pair, Pair) for pair in pairs), f"{path}: pairs(root) must return Pairs."
    assert [p.item for p in pairs] == sorted({p.item for p in pairs}), f"{path}: pairs must be sorted, items unique."
    for pair in pairs:
        assert pair.photo == photo_of(module, pair.item), f"{path}: pair.photo must be the source image of the item."
        assert read_image(pair.image).shape[:2] == read_mask(pair.mask, module.CARD.classes, module.CARD.coded).shape


@every_dataset
def test_keeps_the_contract(name: str, tmp_path: Path) -> None:
    plugin = module(name)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    if hasattr(plugin, "FOLDER"):
        from_folder(plugin).fill(tmp_path)
    elif hasattr(plugin, "PINNED"):
        generate("cfd", tmp_path, 0, 3, 64)
    else:
        generate(name, tmp_path, 0, 3, 64)
    check_contract(plugin, name, tmp_path)
    assert photo_of(plugin, "no name of this dataset") == "no name of this dataset"


def test_datasets_that_share_source_images_name_each_other() -> None:
    for name in DATASETS:
        for other in module(name).CARD.shares_photographs_with:
            assert name in module(other).CARD.shares_photographs_with, f"{other} must name {name}"
    assert module("cfd").CARD.shares_photographs_with == ("cfd_native", "forest", "sylvie", "sylvie_native")


@pytest.mark.parametrize("name", PINNED)
def test_the_same_place_is_named_once(name: str) -> None:
    places = module(name).SAME_PLACE  # without it, each preparation would search for overlaps, for minutes
    assert not set(places) & set(places.values())


def test_a_file_without_a_pattern_is_refused() -> None:
    with pytest.raises(UserError, match=r"does not name the source image of an item: add PHOTO"):
        photo_of(ModuleType("mine"), "a")


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


def test_the_datasets_with_pinned_files_are_those_that_name_a_commit() -> None:
    assert [name for name in DATASETS if hasattr(module(name), "PINNED")] == PINNED
    assert len(PINNED) == 9


@pytest.mark.parametrize("name", PINNED)
def test_the_pinned_files_agree_with_the_card(name: str) -> None:
    plugin, rows = module(name), pinned_files(name)
    assert {(row.repository, row.commit) for row in rows} == {(plugin.PINNED.repository, plugin.PINNED.commit)}
    items = {part: [Path(r.target).stem for r in rows if r.target.startswith(f"{part}/")] for part in PARTS}
    assert sorted(items["images"]) == sorted(items["masks"])
    assert 2 * len(items["images"]) == len(rows) == 2 * plugin.CARD.images
    assert len({photo_of(plugin, item) for item in items["images"]}) == plugin.CARD.photographs


@pytest.mark.parametrize(
    ("name", "item", "photo"),
    [
        ("masonry", "a_0_10", "a_0"),
        ("masonry", "h_41_3", "h_41"),
        ("uav75", "DSC00674h", "DSC00674"),
        ("uav75", "DSC00556b", "DSC00550"),
        ("ceramic", "001", "001"),
        ("ceramic", "092", "087"),
        ("uav_cc0", "slide77", "0"),
        ("uav_cc0", "DJI0090", "0"),
        ("uav_cc0", "slide1148", "10"),
        ("uav_cc0", "DJI1980", "DJI1980"),
        ("asphalt300", "043_27", "043"),
        ("crack500_crops", "20160328_150821_641_361", "20160328_150821"),
        ("crack500_crops", "IMG_2917_1297_485", "IMG_2917"),
        ("deepcrack_544", "test_11289-10", "11289"),
        ("deepcrack_544", "7Q3A9064-16", "7Q3A9064"),
        ("deepcrack_544", "11169", "11169"),
        ("sylvie_native", "Im_noGT_ESAR_20a", "Im_ESAR_20a"),
        ("sylvie_native", "001", "001"),
        ("sylvie_native", "115", "064"),
        ("cfd_native", "067", "064"),
        ("crack500_crops", "20160328_154017_1281_1", "20160328_153536"),
        ("cfd_native", "118", "118"),
    ],
)
def test_the_source_image_of_a_pinned_name(name: str, item: str, photo: str) -> None:
    assert photo_of(module(name), item) == photo


@every_dataset
def test_finds_its_pairs(name: str, make_raw: Callable[..., Path]) -> None:
    stems = [f"{module(name).PREFIX}{number:03d}" for number in (3, 1, 2)]
    root = make_raw(stems, 8, 8)
    pairs = pairs_of(module(name), root)
    assert [pair.item for pair in pairs] == sorted(stems), f"bench/datasets/{name}.py: pairs must be sorted by name."
    for pair in pairs:
        assert pair.image == root / "images" / f"{pair.item}.png"
        assert pair.mask == root / "masks" / f"{pair.item}.png"


@every_dataset
@pytest.mark.parametrize("item", ["x", "001", "my photo (1)", "ü", "a_1_2_3_4_5_6", "-1"])
def test_any_name_has_a_source_image(name: str, item: str) -> None:
    for stem in (item, module(name).PREFIX + item):
        photo = photo_of(module(name), stem)
        assert photo, f"bench/datasets/{name}.py: {stem!r} has no source image: return the item where nothing is known."


@pytest.mark.parametrize(("name", "item", "photo"), FORMS)
def test_the_source_image_of_a_published_name(name: str, item: str, photo: str) -> None:
    assert photo_of(module(name), item) == photo


@pytest.mark.parametrize("name", ["cfd", "forest"])
def test_the_authors_names_give_the_same_source_image(name: str) -> None:
    assert photo_of(module(name), "001") == photo_of(module(name), f"{module(name).PREFIX}001")


def test_the_two_labellings_of_one_source_image_are_one() -> None:
    sylvie = module("sylvie")
    assert photo_of(sylvie, "Sylvie_Chambon_Im_GT_ESAR_34a") == photo_of(sylvie, "Sylvie_Chambon_Im_noGT_ESAR_34a")
    assert photo_of(sylvie, "Sylvie_Chambon_Im_GT_ESAR_34a") != photo_of(sylvie, "Sylvie_Chambon_Im_GT_ESAR_33a")


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
def test_crops_of_one_source_image_share_it(name: str, a: str, b: str) -> None:
    assert photo_of(module(name), a) == photo_of(module(name), b)
