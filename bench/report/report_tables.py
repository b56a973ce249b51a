"""The tables of the report: leaderboards, published scores, transfer, and those of the paper."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bench import plugins
from bench.ranking import abroad_tables, leaderboard
from bench.ranking.convention_tables import all_conventions
from bench.ranking.standings import Query
from bench.render import score_tables, tables
from bench.render.score_tables import ABLATION_DATASET
from bench.report import external
from bench.report.context import Values
from bench.report.index import published_leaderboard


def all_tables(values: Values) -> Iterator[tables.Table]:
    """Yield Tables 1 to 7, with or without runs, the scores on other datasets, and those of external models."""
    results, paper = values.results, values.results.published
    facts = {d: asdict(plugins.load("datasets", d).CARD) for d in results.datasets}
    of_paper = [d for d in results.datasets if d in set(paper["tables_3_4_5"]["dataset"])]
    others = [d for d in results.datasets if d not in of_paper]
    yield tables.table_1(results.cards, facts, paper["table_1"], bool(of_paper))
    settings = flat(values.trained[0]["settings"]) if values.trained else {}
    yield tables.table_2(settings, paper["table_2"], bool(of_paper))
    measured = score_tables.intervals_by_cell(values.headline)
    declared = [m for m in results.models if m not in values.external]
    yield from score_tables.segmentation_tables(
        measured, values.convention, results.names, declared, values.comparable, paper["tables_3_4_5"],
        results.is_sample,
    )  # fmt: skip
    fair = {m: plugins.load("models", m).NAME for m in score_tables.FAIR_ABLATION}
    if ABLATION_DATASET in results.datasets:
        named = fair | results.names
        yield score_tables.table_6(measured, values.convention, named, paper["table_6"], results.is_sample)
    models = [*declared, *values.comparable]
    scores = score_tables.scores(measured, values.convention, results.names, others, models)
    yield from [scores] if scores else []
    yield tables.table_7(results.costs, {m: results.names[m] for m in declared}, paper["table_7"], bool(of_paper))
    average = values.averaged([c for c in results.cells if c["model"] in values.external])
    of_external = external.table(results, values.headline, average, values.comparable, values.left_out)
    yield from [of_external] if of_external else []


def ranking(values: Values) -> list[tables.Table]:
    """Return the leaderboards, one per protocol; none for results that fail the check."""
    if values.faults or not values.results.cells:
        return []
    query = Query("crack_iou", values.average)
    return leaderboard.leaderboards(values.results, query, values.results.datasets, rank_published=False)


def published(values: Values) -> list[tables.Table]:
    """Return the leaderboard of the published scores; nothing for synthetic data."""
    table = published_leaderboard(values.results)
    return [] if table is None else [table]


def transfer_tables(values: Values) -> list[tables.Table]:
    """Return how models do on other datasets: per model, then training by test dataset; none without such results."""
    found = values.abroad
    if found is None:
        return []
    names = values.results.names
    return [abroad_tables.per_model(found, names), abroad_tables.train_by_test(found, names)]


def convention_tables(values: Values) -> list[tables.Table]:
    """Return the models under published conventions; none without a model that has scores on all shown datasets."""
    table = all_conventions(values.results, *values.shown)
    return [] if table is None else [table]


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys."""
    dotted: dict[str, Any] = {}
    for key, value in settings.items():
        dotted |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return dotted
