"""Pretrained encoder weights: put into the local cache, or say at once why not and what to do."""

from __future__ import annotations

from bench.errors import UserError
from bench.models.packaged import PACKAGED

# One attempt has to tell whether the hub answers. The downloader by itself tries seven times, with up to 60 s for each
# and 23 s of pauses: behind a firewall that drops packets, it would be silent for over six minutes.
PROBE_TIMEOUT_S = 10


def fetch_weights(encoder: str, weights: str) -> None:
    """Make sure that the files of an encoder's pretrained weights are in the local cache.

    The library pins each set of weights to a commit of a repository on the Hugging Face hub: the same name gives the
    same bytes, and files in the cache are used without the network. They are safetensors: loading runs no pickle.

    Args:
        encoder: name of an encoder of segmentation-models-pytorch, such as "resnet50".
        weights: name of its pretrained weights, such as "imagenet".

    Raises:
        UserError: the encoder has no such weights (the message lists those it has), or a file is neither in the cache
            nor to be had from the hub (the message names it and the cures).
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

    repo, revision = _source(encoder, weights)
    for filename in ("config.json", "model.safetensors"):
        if isinstance(try_to_load_from_cache(repo, filename, revision=revision), str):
            continue
        try:
            get_hf_file_metadata(hf_hub_url(repo, filename, revision=revision), timeout=PROBE_TIMEOUT_S)
            hf_hub_download(repo, filename, revision=revision)
        except Exception as error:  # the HTTP client's errors share no base class across versions of the hub's library
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
            raise UserError(_cures(encoder, weights, repo, revision, filename, reason)) from error


def check_encoder(encoder: str) -> None:
    """Refuse the name of an encoder that the library does not have.

    Raises:
        UserError: lists the valid names.
    """
    from segmentation_models_pytorch.encoders import encoders
    from segmentation_models_pytorch.encoders.timm_universal import timm

    if encoder in PACKAGED:
        return
    if encoder not in encoders and not (encoder.startswith("tu-") and timm.is_model(encoder.removeprefix("tu-"))):
        valid = ", ".join(sorted([*encoders, *PACKAGED]))
        raise UserError(f"unknown encoder {encoder!r}; valid names: {valid}, and those of timm behind 'tu-'.")


def _source(encoder: str, weights: str) -> tuple[str, str]:
    """Return repository and commit of an encoder's weights."""
    from segmentation_models_pytorch.encoders import encoders

    if encoder not in encoders:
        # "tu-" encoders come from timm, which takes whatever its repository holds today: not reproducible.
        raise UserError(
            f"encoder {encoder!r} has no weights pinned to a version; set train.weights: null in params.yaml, "
            f"or take one of: {', '.join(sorted(encoders))}."
        )
    settings = encoders[encoder]["pretrained_settings"]
    if weights not in settings:
        raise UserError(
            f"encoder {encoder!r} has no weights {weights!r}; valid names in train.weights: "
            f"{', '.join(sorted(settings))}, or null to train from scratch."
        )
    return settings[weights]["repo_id"], settings[weights]["revision"]


def _cures(encoder: str, weights: str, repo: str, revision: str, filename: str, reason: str) -> str:
    """Return what to do when a file can be had neither from the cache nor from the hub."""
    from huggingface_hub import constants

    folder = f"models--{repo.replace('/', '--')}"
    return (
        f"cannot load the {weights!r} weights of encoder {encoder!r}: {filename} of {repo} (commit {revision}) is not "
        f"in the cache {constants.HF_HUB_CACHE}, and {constants.ENDPOINT} does not give it ({reason}). Either\n"
        "  - train from scratch: `train.weights: null` in params.yaml (the results carry another protocol hash), or\n"
        f"  - fill the cache on a machine with network, and copy its folder {folder} into the one above:\n"
        f"    hf download {repo} config.json model.safetensors --revision {revision}"
    )
