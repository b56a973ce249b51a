"""What every file in bench/metrics keeps to; a failing message says what the author of a metric has to do."""

import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bench import metrics

METRICS = sorted(path.stem for path in Path(metrics.__file__).parent.glob("[!_]*.py"))

every_metric = pytest.mark.parametrize("name", METRICS)


def module(name: str) -> ModuleType:
    return importlib.import_module(f"bench.metrics.{name}")


@every_metric
def test_says_what_it_is(name: str) -> None:
    path = f"bench/metrics/{name}.py"
    assert isinstance(getattr(module(name), "NAME", None), str), f'{path}: add NAME = "...", which tables print.'
    assert module(name).NAME.strip(), f"{path}: NAME is empty."
    direction = getattr(module(name), "HIGHER_IS_BETTER", None)
    assert isinstance(direction, bool), f"{path}: add HIGHER_IS_BETTER = True or False; rankings need it."


def test_names_are_unique() -> None:
    names = [module(name).NAME for name in METRICS]
    assert len(set(names)) == len(names), f"two metrics have the same NAME: {sorted(names)}"


@every_metric
def test_compute_takes_counts(name: str) -> None:
    found = list(inspect.signature(module(name).compute).parameters)
    assert found == ["tp", "fp", "fn", "tn"], f"bench/metrics/{name}.py: write compute(tp, fp, fn, tn), found {found}."


@every_metric
def test_compute_names_its_source_range_and_empty_case(name: str) -> None:
    text = module(name).compute.__doc__ or ""
    for word, why in [("Source", "paper, equation or DOI"), ("Range", "and which way is better"), ("nan", "where")]:
        assert word in text, f"bench/metrics/{name}.py: the docstring of compute lacks {word!r} ({why})."


@every_metric
def test_compute_has_an_example_that_holds(name: str) -> None:
    found = doctest.testmod(module(name))
    assert found.attempted >= 2, f"bench/metrics/{name}.py: add an example (doctest) to compute."
    assert found.failed == 0


@every_metric
def test_compute_is_elementwise_within_its_range(name: str) -> None:
    counts = np.random.default_rng(0).integers(1, 1000, (4, 3, 5))
    values = module(name).compute(*counts)
    assert values.shape == (3, 5)
    assert values.dtype == np.float64
    assert ((values >= 0) & (values <= 1)).all()
    for i, j in np.ndindex(3, 5):
        assert module(name).compute(*counts[:, i, j]) == values[i, j]


@every_metric
def test_a_perfect_prediction_is_best(name: str) -> None:
    assert module(name).compute(*np.array([10, 0, 0, 90])) == (1.0 if module(name).HIGHER_IS_BETTER else 0.0)


@every_metric
def test_no_pixels_at_all_are_nan(name: str) -> None:
    assert np.isnan(module(name).compute(*np.zeros(4, np.int64)))
