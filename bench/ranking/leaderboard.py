"""The leaderboard: models of one protocol ordered by mean rank, with intervals, tests and cost."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.ranking import check, label_band
from bench.ranking.class_scores import crack_notes
from bench.ranking.protocol_name import with_name
from bench.ranking.results import Results
from bench.ranking.seen import seen_notes
from bench.ranking.standings import Query, Standings, by_protocol, caveats, compute_standings, covered, merged
from bench.render.tables import COLUMNS, Table
from bench.stats.bootstrap import interval
from bench.stats.letters import letters
from bench.stats.paired import smallest_p
from bench.stats.ranks import PERMUTATIONS, critical_difference, friedman, friedman_p, rank_range, ranks
from bench.stats.simultaneous import simultaneous

ORDER = [
    "Place", "Group", "Model", "Score", "Low", "High", label_band.HEADING, "Mean rank", "Places, 95 %", "P first",
    "Params M", "Latency ms", "x ResNet-18", "Trained", "Tier",
]  # fmt: skip
TIERS = {"external": "re-scored", "paper": "claimed"}
"""``Trained`` -> what stands behind a row, unless the suite ran it: predictions that it scored, or a printed number."""
UNTRAINED_NOTE = (
    "Rows not trained are classical detectors, the floor: width and threshold chosen on the validation images, neither "
    "ranked nor tested."
)
DIGITS = {
    "Score": 4,
    "Low": 4,
    "High": 4,
    "Mean rank": 2,
    "P first": 2,
    "Params M": -3,
    "Latency ms": 1,
    "x ResNet-18": 2,
}


def leaderboards(results: Results, query: Query, datasets: Sequence[str], rank_published: bool) -> list[Table]:
    """Return one table per protocol; the notes name the models without a value on some dataset.

    Raises:
        UserError: the results do not pass the check, or the metric does not exist.
    """
    check.require(results)
    of_protocol, left_out = [], []
    for models in by_protocol(results).values():
        complete = [m for m in models if set(datasets) <= set(covered(results, m))]
        if incomplete := [results.names[m] for m in models if m not in complete]:
            left_out.append(f"Left out, no scores on some dataset: {', '.join(incomplete)}.")
        if complete:
            standings = compute_standings(results, query, datasets, complete)
            left_out += undefined_notes(standings, results)
            of_protocol.append(standings.only(models=[m for m in complete if m not in standings.undefined]))
    return [
        _table(standings, results, query, left_out, rank_published) for standings in of_protocol if standings.models
    ]


def undefined_notes(standings: Standings, results: Results) -> list[str]:
    """Return a sentence for each model left out because its metric is undefined on a dataset."""
    undefined_on = {m: ", ".join(results.names[d] for d in datasets) for m, datasets in standings.undefined.items()}
    return [f"Left out, metric undefined: {results.names[m]} (on {d})." for m, d in undefined_on.items()]


def _table(standings: Standings, results: Results, query: Query, left_out: list[str], rank_published: bool) -> Table:
    """Return the leaderboard of one protocol, the published rows below it or, with ``rank_published``, among it."""
    published = _published(results, query.metric, standings.datasets)
    rank_published = rank_published and bool(published)
    rows = _measured_rows(standings, results)
    rows += [{"Model": m, "Score": float(np.mean(values)), "Trained": "paper"} for m, values in published.items()]
    ranked = [*standings.values.T, *published.values()] if rank_published else list(standings.values.T)
    for row, mean_rank in zip(rows, ranks(standings.sign * np.array(ranked).T).mean(0), strict=False):
        row["Mean rank"] = float(mean_rank)
    for row, group in zip(rows, _groups(standings), strict=False):
        row["Group"] = group
    moved = label_band.moved_scores(results, query, standings.datasets, standings.models)
    for row, band in zip(rows, label_band.bands(moved), strict=False):
        row[label_band.HEADING] = band
    rows += (untrained := _untrained_rows(standings, results, query))
    rows = [row | {"Tier": TIERS.get(row["Trained"], "re-run")} for row in rows]
    rows.sort(key=lambda r: (r.get("Mean rank", np.inf), -standings.sign * r["Score"]))
    frame = pd.DataFrame(rows)
    if rank_published:  # only measured models are resampled; their places among themselves would mislead
        frame[["Places, 95 %", "P first", "Group"]] = "", np.nan, ""
    texts = [column for column in ("Group", label_band.HEADING) if column in frame]
    frame[texts] = frame[texts].fillna("")
    frame["Place"] = [_place(frame, i) for i in range(len(frame))]
    notes = _notes(standings, results, rank_published)
    notes += [_published_note(query.average, rank_published)] if published else []
    notes += [] if moved is None else label_band.notes(standings, results, moved)
    notes += [UNTRAINED_NOTE] if untrained else []
    notes += [*seen_notes(results), *check.notes(results), *left_out]
    caption = _caption(standings, results, query)
    empty = {column for column in ("x ResNet-18",) if frame[column].isna().all()}  # costs without an anchor
    empty |= {label_band.HEADING} if moved is None else set()
    order = [column for column in ORDER if column not in empty]
    return Table(f"leaderboard_{standings.protocol}", caption, frame.reindex(columns=order), DIGITS, notes)


def _caption(standings: Standings, results: Results, query: Query) -> str:
    metric = query.module()
    direction = "higher" if metric.HIGHER_IS_BETTER else "lower"
    shown = ", ".join(results.names[d] for d in standings.datasets)
    return (
        f"{metric.NAME} ({results.spelled(query.average)}; {direction} is better), mean over {shown}, "
        f"ordered by mean rank; protocol {with_name(standings.protocol)}."
    )


def _measured_rows(standings: Standings, results: Results) -> list[dict[str, Any]]:
    """Return a row per model, in the order of the standings."""
    low, high = interval(standings.draws.mean(1))
    known = np.isfinite(standings.draws).all()
    best, worst, first = rank_range(standings.sign * standings.draws) if known else (np.full(len(low), np.nan),) * 3
    rows = []
    for i, model in enumerate(standings.models):
        cost = results.costs.get(model, {})
        rows.append(
            {
                "Model": results.names[model],
                "Score": float(standings.values[:, i].mean()),
                "Low": float(low[i]),
                "High": float(high[i]),
                "Places, 95 %": f"{best[i]:.0f} to {worst[i]:.0f}" if known else "",
                "P first": float(first[i]),
                "Params M": cost.get("parameters", np.nan) / 1e6,
                "Latency ms": cost.get("latency_ms_p50", np.nan),
                "x ResNet-18": cost.get("relative_latency", np.nan),
                "Trained": results.trained(model),
            }
        )
    return rows


def _groups(standings: Standings) -> list[str]:
    """Return the letters of each model; those whose difference has an interval with 0 in it share one."""
    count = len(standings.models)
    pairs = np.array([(i, j) for i in range(count) for j in range(i)], int).reshape(-1, 2)
    values, draws = (x[..., pairs[:, 0]] - x[..., pairs[:, 1]] for x in (standings.values, standings.draws))
    low, high = simultaneous(values, draws, standings.source_images)
    differ = np.zeros((count, count), bool)
    differ[pairs[:, 0], pairs[:, 1]] = (low > 0) | (high < 0)
    order = np.argsort(ranks(standings.sign * standings.values).mean(0), kind="stable")
    given = letters((differ | differ.T)[np.ix_(order, order)])
    return [given[place] for place in np.argsort(order)]


def _untrained_rows(standings: Standings, results: Results, query: Query) -> list[dict[str, Any]]:
    """Return a row per detector without training that was scored on all of the datasets, without place."""
    floor = results.baselines
    detectors = by_protocol(floor).get(standings.protocol, []) if floor else []
    detectors = [m for m in detectors if floor and set(standings.datasets) <= set(covered(floor, m))]
    if floor is None or not detectors:
        return []
    scored = compute_standings(floor, query, standings.datasets, detectors)
    return [
        {key: row[key] for key in ("Model", "Score", "Low", "High", "Trained")} for row in _measured_rows(scored, floor)
    ]


def _published(results: Results, metric: str, datasets: Sequence[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Return display name -> the paper's values of a metric on these datasets; empty if it has none."""
    column = next((c for c, name in COLUMNS.items() if name == metric), None)
    if column is None or results.is_sample:  # published numbers do not compare with synthetic data
        return {}
    table = results.published["tables_3_4_5"].pivot(index="dataset", columns="model", values=column)
    if not set(datasets) <= set(table.index):
        return {}
    names = {m: results.names.get(m) or plugins.load("models", m).NAME for m in table.columns}
    return {name: table.loc[list(datasets), m].to_numpy(float) for m, name in names.items()}


def _place(frame: pd.DataFrame, i: int) -> str:
    """Return the place of a row, "" if it is not ranked; equal mean ranks share a place."""
    mean_rank = frame["Mean rank"].iloc[i]
    return "" if np.isnan(mean_rank) else str(1 + int((frame["Mean rank"] < mean_rank - 1e-9).sum()))


def _published_note(average: str, ranked: bool) -> str:
    """Return what a reader must know about the published rows."""
    how = "ranked among the others as requested" if ranked else "for reference and not ranked"
    other = "" if average == "batch_mean" else f"; they are batch means, the others {average.replace('_', ' ')}"
    return f"Rows trained by the paper are the printed values, {how}: their protocol was not run here{other}." + (
        " Nothing was resampled or tested with them: no range of places, no test." if ranked else ""
    )


def _notes(standings: Standings, results: Results, rank_published: bool) -> list[str]:
    """Return what the numbers can and cannot show."""
    datasets = standings.datasets
    notes = [*_interval_notes(standings, results, rank_published), *caveats(results, datasets, standings.models)]
    notes += crack_notes(results, datasets)
    return notes if rank_published else [*notes, *_test_notes(standings)]


def _interval_notes(standings: Standings, results: Results, rank_published: bool) -> list[str]:
    """Return what the intervals are of, and which models have none."""
    notes = [
        "Low and High: 95 % interval of the score, hierarchical bootstrap over source images and seeds, the same "
        f"source images for all models ({len(standings.draws):,} resamples)."
        + ("" if rank_published else " Places: range of the model's place in 95 % of the resamples.")
    ]
    if len(standings.models) > 1 and not rank_published:
        notes[0] += (
            " Group: models that share a letter are not distinguishable on new source images of these datasets (95 % "
            "intervals of all differences at once)."
        )
    known = [bool(np.isfinite(standings.draws[..., i]).all()) for i in range(len(standings.models))]
    if all(known):
        return notes
    without = ", ".join(results.names[m] for m, k in zip(standings.models, known, strict=True) if not k)
    return [
        *(notes if any(known) else []),
        f"No interval for {without}, and so no places: the metric is undefined in some resamples, histograms.npz of "
        "these scores is empty, or a dataset has a single source image for testing.",
    ]


def _test_notes(standings: Standings) -> list[str]:
    """Return the Friedman test with its critical difference, and whether Wilcoxon can separate any pair."""
    scores = standings.sign * merged(standings.values, standings.datasets)
    datasets, models = scores.shape
    notes = []
    if datasets > 1 and models > 2:
        p, exact = friedman_p(scores)
        notes.append(
            f"Friedman test over {datasets} independent datasets: chi2 {friedman(scores).chi2:.2f}, p {p:.2g} "
            f"({'exact' if exact else f'{PERMUTATIONS:,} random permutations of the ranks'}). Mean ranks differ "
            f"significantly (Nemenyi, all pairs) if {critical_difference(models, datasets):.2f} or more apart."
        )
    pairs = models * (models - 1) // 2
    if smallest_p(datasets, pairs) > 0.05:
        plural = "" if datasets == 1 else "s"
        notes.append(
            f"With {datasets} independent dataset{plural} Wilcoxon-Holm cannot reach p < 0.05 for any of the {pairs} "
            f"pair{'' if pairs == 1 else 's'} (smallest possible p: {smallest_p(datasets, pairs):.2g}). The "
            "intervals are for new source images of these datasets, not for new datasets."
        )
    return notes
