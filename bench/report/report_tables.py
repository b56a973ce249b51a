"""The tables of the report: leaderboards, published scores, transfer, and those of the paper."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from bench import plugins
from bench.ranking import abroad_tables, errata, few_labels, leaderboard
from bench.ranking.class_scores import class_scores
from bench.ranking.convention_tables import all_conventions
from bench.ranking.seen import seen_table
from bench.ranking.standings import Query
from bench.render import score_tables, tables
from bench.render.class_table import class_table
from bench.render.score_tables import ABLATION_DATASET
from bench.report import external
from bench.report.context import Values
from bench.report.index import published_leaderboard


def all_tables(values: Values) -> Iterator[tables.Table]:
    """Yield Tables 1 to 7, with or without runs, the scores on other datasets, by class, and of external models."""
    for table in _tables(values):
        notes = [note for note in values.crack_notes if note not in table.notes]
        yield replace(table, notes=[*table.notes, *notes])


def _tables(values: Values) -> Iterator[tables.Table]:
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
    if len(values.results.classes):
        of_classes = class_scores(values.results, values.average)
        yield class_table(of_classes, values.convention, results.names, values.crack_notes)
    yield tables.table_7(results.costs, {m: results.names[m] for m in declared}, paper["table_7"], bool(of_paper))
    average = values.averaged([c for c in results.cells if c["model"] in values.external])
    of_external = external.table(results, values.headline, average, values.comparable, values.left_out)
    yield from [of_external] if of_external else []
    yield from [seen_table(results)] if any("seen" in c for c in results.cells) else []


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
    found_tables = [abroad_tables.per_model(found, names), abroad_tables.train_by_test(found, names)]
    return [replace(table, notes=[*table.notes, *values.crack_notes]) for table in found_tables]


def convention_tables(values: Values) -> list[tables.Table]:
    """Return the models under published conventions; none without a model that has scores on all shown datasets."""
    table = all_conventions(values.results, *values.shown)
    return [] if table is None else [table]


def few_labels_tables(values: Values) -> list[tables.Table]:
    """Return the scores by number of training images; none without such results."""
    few = values.few_labels
    return [] if few is None else [few_labels.table(few, values.results.names)]


def errata_tables(values: Values) -> list[tables.Table]:
    """Return the known faults of the datasets, and the scores with and without the test images that have one."""
    if values.results.is_sample or not values.results.cells:
        return []
    listed, scored = errata.errata_table(values.results), errata.scores_without(values.results, values.average)
    return [table for table in (listed, scored) if table is not None and len(table.frame)]


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys."""
    dotted: dict[str, Any] = {}
    for key, value in settings.items():
        dotted |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return dotted
