"""Add a folder of images and masks as a dataset: write its file and list it in params.yaml."""

import json
import keyword
import re
import shutil
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from bench import plugins
from bench.data.convention import Convention, crack_share
from bench.errors import UserError
from bench.formats import files
from bench.settings import load_params, verify_edit
from bench.tools.contact_sheet import SHOWN, write_contact_sheet
from bench.tools.inspect_folder import Contents, doubt, inspect_folder, table
from bench.tools.reading import Reading

TEMPLATE = '''"""{title}: {images} images from a local folder."""

from bench.data.convention import Convention
from bench.data.dataset import Card

CARD = Card(
    name="{title}",
    crack_type="own",
    scene="own data",
    images={images},
    photographs={photographs},
    crack_share_pct={share:.3f},
    licence="own data: state yours here",
    citation="own data: state yours here",
    classes={classes},{class_names}
    coded={coded},
)
PREFIX = "{name}_"
PHOTO = {photo}  # the first group is the source image of an item; a split keeps its items together
ORIGINAL = None
FOLDER = {folder}  # source of the images and masks
IMAGES = {image_glob}  # pattern of the images' paths in it; None: the usual names
MASKS = {mask_glob}
DRAWN = {drawn}  # folder of the masks that were drawn from COCO or labelme files; None: there are masks
DRAWN_HASH = {drawn_hash}  # of these masks; when they change, so does this file, and `dvc repro` reads them again
CONVENTION = {convention}
EXIF = {exif}  # what masks of rotated images were drawn on
SPLIT = {split}  # CSV file with the part of each item; None: the folders train, val and test, if there are any
WHITE = {white}  # grey level of white in images of 16 bits
'''


def add_dataset(
    folder: Path, name: str, reading: Reading, params: Path, target: Path, *, replace: bool = False, yes: bool = False
) -> str:
    """Write ``target/<name>.py`` and add the name to the datasets of params.yaml; return a summary.

    Six overlays are written to ``<name>_overlays.png`` beside params.yaml first.

    Args:
        folder: contains images and masks, see `bench.data.folder.find_layout`.
        name: id of the dataset.
        reading: the user's statements about the folder.
        params: params.yaml.
        target: folder of the dataset modules.
        replace: overwrite a dataset of this name that `bench add-dataset` wrote.
        yes: accept masks in which nothing, or more than half of all pixels, is crack.

    Raises:
        UserError: the name is taken or not an identifier, a pair is faulty, the pattern has no group, or the masks are
            ambiguous or likely wrong.
    """
    _verify_name(name, target, replace)
    _verify_pattern(reading.photo)
    path, kept = target / f"{name}.py", params.parent / f"{name}_masks"
    with TemporaryDirectory(prefix=f".{name}_masks_", dir=params.parent) as temporary:
        drawn = Path(temporary) / "masks"
        contents = inspect_folder(folder, reading, drawn)
        shown = _shown(folder, name, reading, contents, params, yes)
        added = with_name(params, "datasets", name)
        are_drawn, had_drawn = drawn.is_dir(), _has_drawn(path, kept)
        if are_drawn and kept.exists() and not had_drawn:
            raise UserError(f"{kept}, for the drawn masks, exists already: move it away, or choose another name.")
        content = _content(folder, name, reading, contents, drawn if are_drawn else None, kept)
        if had_drawn and kept.is_dir():
            kept.rename(Path(temporary) / "replaced")  # in one step, and gone with the temporary folder
        if are_drawn:
            drawn.rename(kept)
            shown += f"\n  {'drawn masks':<20}{kept}"
        files.write_text(path, content)
    files.replace_text(params, added)
    return (
        f"{shown}\nIts card is {path}, and it is listed in `datasets` of {params}. Now: dvc repro\n"
        f"If the overlays are wrong: bench remove-dataset {name}"
    )


def remove_dataset(name: str, params: Path, target: Path) -> str:
    """Remove the file of an own dataset and its entry in params.yaml; return what was done.

    Raises:
        UserError: the dataset does not exist, or was not written by `bench add-dataset`.
    """
    path = target / f"{name}.py"
    if not path.is_file() or not _is_own(path):
        kind = "is not one of your own" if name in plugins.names("datasets") else "does not exist"
        raise UserError(f"the dataset {name!r} {kind}: only what `bench add-dataset` made is removed.")
    removed = without_name(params, "datasets", name)
    files.replace_text(params, removed)
    if _has_drawn(path, drawn := params.parent / f"{name}_masks"):
        shutil.rmtree(drawn, ignore_errors=True)
    path.unlink()
    return f"Removed {path} and its entry in `datasets` of {params}; the images and masks are untouched."


def _verify_name(name: str, target: Path, replace: bool) -> None:
    path = target / f"{name}.py"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            f"{name!r} is not a valid dataset name: use lower-case letters, digits and underscores, such as my_walls."
        )
    if name not in plugins.names("datasets") and not path.exists():
        return
    if not path.exists() or not _is_own(path):
        raise UserError(f"the dataset {name!r} exists already and is not one of your own: choose another name.")
    if not replace:
        raise UserError(f"the dataset {name!r} exists already: choose another name, or add --replace.")


def _shown(folder: Path, name: str, reading: Reading, contents: Contents, params: Path, yes: bool) -> str:
    """Write overlays of pairs at equal distances; return the summary.

    Raises:
        UserError: the masks are likely wrong, and ``yes`` does not accept them.
    """
    pairs, sheet = contents.layout.pairs, params.parent / f"{name}_overlays.png"
    count = min(SHOWN, len(pairs))
    chosen = [pairs[number * len(pairs) // count] for number in range(count)]
    write_contact_sheet(sheet, chosen, contents.convention, reading.exif, contents.white)
    shown = f"{name}: {folder}\n{table(contents, reading.photo)}\n  {'overlays':<20}{sheet}"
    shown += _threshold_note(contents, params)
    if (reason := doubt(contents)) and not yes:
        raise UserError(
            f"{shown}\n{reason} Look at the overlays; --yes takes the masks as they are. Nothing was added."
        )
    return shown


def _has_drawn(path: Path, drawn: Path) -> bool:
    """Return whether a dataset's file names this folder as that of its drawn masks."""
    return path.is_file() and f"DRAWN = {_quoted(str(drawn.resolve()))}" in path.read_text(encoding="utf-8")


def _is_own(path: Path) -> bool:
    """Return whether a dataset's file was written by `bench add-dataset`."""
    return bool(re.search(r"(?m)^FOLDER = ", path.read_text(encoding="utf-8")))


def _verify_pattern(photo: str) -> None:
    try:
        if re.compile(photo).groups < 1:
            raise UserError(f"--photo {photo!r} needs a group in parentheses that matches the source image's name.")
    except re.error as error:
        raise UserError(f"--photo {photo!r} is not a valid regular expression ({error}).") from None


def _threshold_note(contents: Contents, params: Path) -> str:
    """Return a line on grey levels if params.yaml thresholds them at another level than half, else ""."""
    threshold = (load_params(params).get("prepare") or {}).get("mask_threshold", 127)
    share = crack_share(contents.masks, contents.convention, threshold)
    if contents.convention != Convention() or share == contents.crack_share:
        return ""
    note = f"prepare.mask_threshold is {threshold} in {params}, so that {100 * share:.2f} % will be crack"
    return f"\n  {'note':<20}{note}"


def _content(folder: Path, name: str, reading: Reading, contents: Contents, drawn: Path | None, kept: Path) -> str:
    """Return the content of the dataset's file; masks drawn from annotations are in ``drawn`` and go to ``kept``."""
    convention = contents.convention
    share = fmean(crack_share([mask], convention) for mask in contents.masks)  # over images, as cards have it
    return TEMPLATE.format(
        title=name.replace("_", " "), name=name, images=len(contents.layout.pairs), photographs=contents.photos,
        share=100 * share, classes=len(convention.names) or 1,
        class_names=f"\n    class_names={tuple(convention.names)!r}," if convention.names else "",
        coded=convention.is_coded,
        photo=_quoted(reading.photo), folder=_quoted(str(folder.resolve())), image_glob=_quoted(reading.images),
        mask_glob=_quoted(reading.masks),
        drawn=_quoted(str(kept.resolve()) if drawn else None), drawn_hash=_quoted(_hash(drawn) if drawn else None),
        convention=_written(convention), exif=_quoted(reading.exif),
        white=contents.white, split=_quoted(str(Path(reading.split).resolve()) if reading.split else None),
    )  # fmt: skip


def _hash(folder: Path) -> str:
    """Return a hash of all files in a folder and their names."""
    return files.digest({p.relative_to(folder).as_posix(): files.sha256(p) for p in folder.rglob("*") if p.is_file()})


def _written(convention: Convention) -> str:
    """Return a convention as Python source; fields that are empty are left out."""
    fields = {key: getattr(convention, key) for key in ("crack", "background", "classes", "ignore")}
    return f"Convention({', '.join(f'{key}={value!r}' for key, value in fields.items() if value)})"


def _quoted(text: str | None) -> str:
    """Return a string as Python source, in double quotes, as the rest of the file."""
    return "None" if text is None else json.dumps(text, ensure_ascii=False)


def with_name(params: Path, key: str, name: str) -> str:
    """Return the text of params.yaml with a name appended to one of its lists, unless it is listed; all else unchanged.

    Raises:
        UserError: the file or the list is missing, or must be edited by hand.
    """
    content, text = load_params(params), params.read_text(encoding="utf-8")
    listed = content.get(key) or []
    if name in listed:
        return text
    for old, new in (
        (rf"(?m)^({key}: *)\[\s*\]", rf"\1[{name}]"),  # key: []
        (rf"(?m)^({key}: *\[[^\]]*?)\s*\]", rf"\1, {name}]"),  # key: [a, b]
        (rf"(?m)^({key}:[^\n\[]*\n(?:( *)- [^\n]*\n)+)", rf"\1\2- {name}\n"),  # one name per line
    ):
        changed, count = re.subn(old, new, text, count=1)
        if count:
            return verify_edit(params, changed, {**content, key: [*listed, name]})
    raise UserError(f"{params} has no list `{key}`: add it as `{key}: [{name}]`.")


def without_name(params: Path, key: str, name: str) -> str:
    """Return params.yaml without a name in one of its lists, all else unchanged, also if it is not listed.

    Raises:
        UserError: the list is written in a way that must be edited by hand.
    """
    content, text = load_params(params), params.read_text(encoding="utf-8")
    listed = content.get(key) or []
    if name not in listed:
        return text
    kept = {**content, key: [entry for entry in listed if entry != name]}
    for old, new in (
        (rf"(?m)^({key}: *\[[^\]]*?),\s*{name}(?=[\s,\]])", r"\1"),  # key: [a, b]
        (rf"(?m)^({key}: *\[\s*){name}(?:, *|(?=\s*\]))", r"\1"),  # the first one
        (rf"(?m)^({key}:[^\n\[]*\n(?: *- [^\n]*\n)*?) *- {name} *\n", r"\1"),  # a line for each
    ):
        changed, count = re.subn(old, new, text, count=1)
        if count:
            return verify_edit(params, changed, kept)
    raise UserError(f"{params}: remove {name} from its list `{key}` by hand.")
