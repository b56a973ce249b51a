"""Read the results that params.yaml declares, and the external models that fit them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import plugins
from bench.ranking.refused import refused, without
from bench.ranking.results import Results, external_models, read
from bench.settings import name_list, seed_list


def read_declared(params: Mapping[str, Any], folder: Path, mixed: bool = False) -> tuple[Results, dict[str, str]]:
    """Return the declared cells with the external models that fit them, and those left out: id -> reason.

    Args:
        params: content of params.yaml.
        folder: the results.
        mixed: leave no model out and allow several protocols; used by `bench check`, which reports both.

    Raises:
        UserError: params.yaml or a file of the results is invalid.
    """
    datasets, models = (name_list(params, kind, plugins.names(kind)) for kind in ("datasets", "models"))
    external = [m for m in external_models(folder) if m not in models]
    results = read(folder, datasets, models, seed_list(params), external, mixed)
    left_out = {} if mixed else refused(results)
    return without(results, left_out), left_out


def default_average(metric: str, headline: str) -> str:
    """Return the average that a metric is shown with: ``headline`` if the metric defines it, else its first.

    >>> default_average("crack_iou", "batch_mean"), default_average("ods", "batch_mean")
    ('batch_mean', 'pooled')
    """
    defined: tuple[str, ...] = plugins.load("metrics", metric).INPUT.averages
    return headline if headline in defined else defined[0]
