"""Download pretrained encoder weights into the local cache, or fail quickly with a message that says what to do."""

from __future__ import annotations

from bench.errors import UserError
from bench.models.packaged import PACKAGED

# One quick request tells whether the hub is reachable. The downloader alone makes seven attempts of up to 60 s each,
# with 23 s of pauses: behind a firewall that drops packets, it would print nothing for over six minutes.
PROBE_TIMEOUT_S = 10


def fetch_weights(encoder: str, weights: str) -> None:
    """Ensure that the files of an encoder's pretrained weights are in the local cache.

    The library pins each set of weights to a commit of a repository on the Hugging Face hub, so that a name always
    means the same bytes, and uses cached files without the network. The format is safetensors, without pickles.

    Args:
        encoder: name of an encoder of segmentation-models-pytorch, such as "resnet50".
        weights: name of its pretrained weights, such as "imagenet".

    Raises:
        UserError: the encoder has no such weights (the message lists the valid names), or a file is neither cached nor
            available from the hub (the message names the file and what to do).
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

    repo, revision = _source(encoder, weights)
    for filename in ("config.json", "model.safetensors"):
        if isinstance(try_to_load_from_cache(repo, filename, revision=revision), str):
            continue
        try:
            get_hf_file_metadata(hf_hub_url(repo, filename, revision=revision), timeout=PROBE_TIMEOUT_S)
            hf_hub_download(repo, filename, revision=revision)
        except Exception as error:  # HTTP errors share no base class across versions of huggingface_hub
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
            raise UserError(_unavailable(encoder, weights, repo, revision, filename, reason)) from error


def check_encoder(encoder: str) -> None:
    """Refuse an encoder that the library does not have.

    Raises:
        UserError: the encoder is unknown; the message lists the valid names.
    """
    from segmentation_models_pytorch.encoders import encoders
    from segmentation_models_pytorch.encoders.timm_universal import timm

    if encoder in PACKAGED:
        return
    if encoder not in encoders and not (encoder.startswith("tu-") and timm.is_model(encoder.removeprefix("tu-"))):
        valid = ", ".join(sorted([*encoders, *PACKAGED]))
        raise UserError(f"unknown encoder {encoder!r}; valid names: {valid}, and 'tu-' + any name in timm.")


def _source(encoder: str, weights: str) -> tuple[str, str]:
    """Return the repository and the commit of an encoder's weights."""
    from segmentation_models_pytorch.encoders import encoders

    if encoder not in encoders:
        # "tu-" encoders come from timm, which loads the latest version of its weights: not reproducible.
        raise UserError(
            f"encoder {encoder!r} has no weights pinned to a version; set train.weights: null in params.yaml, "
            f"or use one of: {', '.join(sorted(encoders))}."
        )
    settings = encoders[encoder]["pretrained_settings"]
    if weights not in settings:
        raise UserError(
            f"encoder {encoder!r} has no weights {weights!r}; valid names in train.weights: "
            f"{', '.join(sorted(settings))}, or null to train from scratch."
        )
    return settings[weights]["repo_id"], settings[weights]["revision"]


def _unavailable(encoder: str, weights: str, repo: str, revision: str, filename: str, reason: str) -> str:
    """Return the error message for a file that is neither cached nor available from the hub."""
    from huggingface_hub import constants

    folder = f"models--{repo.replace('/', '--')}"
    return (
        f"cannot load the {weights!r} weights of encoder {encoder!r}: {filename} of {repo} (commit {revision}) is not "
        f"in the cache {constants.HF_HUB_CACHE} and cannot be fetched from {constants.ENDPOINT} ({reason}). Either\n"
        "  - train from scratch: `train.weights: null` in params.yaml (the results get another protocol hash), or\n"
        f"  - download it on a machine with network access, and copy the folder {folder} from its cache into the one "
        f"above:\n    hf download {repo} config.json model.safetensors --revision {revision}"
    )
