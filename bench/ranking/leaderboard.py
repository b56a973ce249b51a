"""The leaderboard: models of one protocol in the order of their mean rank, with what is uncertain about it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.ranking import check
from bench.ranking.results import Results
from bench.ranking.standings import Query, Standings, by_protocol, covered, shared_note, standings
from bench.render.tables import COLUMNS, Table
from bench.stats.bootstrap import interval
from bench.stats.paired import smallest_p
from bench.stats.ranks import PERMUTATIONS, critical_difference, friedman, friedman_p, rank_range, ranks

DIGITS = {"Score": 4, "Low": 4, "High": 4, "Mean rank": 2, "P first": 2, "Params M": 2, "Latency ms": 1}


def leaderboards(results: Results, query: Query, datasets: Sequence[str], rank_published: bool) -> list[Table]:
    """Return one table for each protocol; a model that lacks a dataset, or a value on it, is named in the notes.

    Raises:
        UserError: the results do not pass the check, or the metric does not exist.
    """
    check.require(results)
    boards, left_out = [], []
    for models in by_protocol(results).values():
        complete = [m for m in models if set(datasets) <= set(covered(results, m))]
        if lacking := [results.names[m] for m in models if m not in complete]:
            left_out.append(f"Left out, as it lacks a dataset: {', '.join(lacking)}.")
        if complete:
            board = standings(results, query, datasets, complete)
            left_out += undefined_notes(board, results)
            boards.append(board.only(models=[m for m in complete if m not in board.undefined]))
    return [_table(board, results, query, left_out, rank_published) for board in boards if board.models]


def undefined_notes(board: Standings, results: Results) -> list[str]:
    """Return a sentence for each model that has no place, as the metric of it is undefined on a dataset."""
    where = {m: ", ".join(results.names[d] for d in datasets) for m, datasets in board.undefined.items()}
    return [f"Left out, as the metric is undefined there: {results.names[m]} ({d})." for m, d in where.items()]


def _table(board: Standings, results: Results, query: Query, left_out: list[str], rank_published: bool) -> Table:
    """Return the leaderboard of one protocol, with the published rows below it, or among it if asked."""
    paper = _published(results, query.metric, board.datasets)
    rank_published = rank_published and bool(paper)
    ours = _measured_rows(board, results)
    theirs = [{"Model": m, "Score": float(np.mean(v)), "Trained": "paper"} for m, v in paper.items()]
    values = [*board.values.T, *paper.values()] if rank_published else list(board.values.T)
    mean_ranks = ranks(board.sign * np.array(values).T).mean(0)
    for row, mean_rank in zip([*ours, *theirs], mean_ranks, strict=False):
        row["Mean rank"] = float(mean_rank)
    rows = [*ours, *theirs]
    rows.sort(key=lambda r: (r.get("Mean rank", np.inf), -board.sign * r["Score"]))
    frame = pd.DataFrame(rows)
    if rank_published:  # resampled are the measured models alone: their places among themselves are others
        frame[["Places, 95 %", "P first"]] = "", np.nan
    frame.insert(0, "Place", [_place(frame, i) for i in range(len(frame))])
    order = [
        "Place",
        "Model",
        "Score",
        "Low",
        "High",
        "Mean rank",
        "Places, 95 %",
        "P first",
        "Params M",
        "Latency ms",
    ]
    metric = query.module()
    direction = "higher" if metric.HIGHER_IS_BETTER else "lower"
    shown = ", ".join(results.names[d] for d in board.datasets)
    caption = (
        f"{metric.NAME} ({results.spelled(query.average)}; {direction} is better), mean over {shown}, "
        f"ordered by mean rank; protocol {board.protocol}."
    )
    notes = [*_notes(board, results, rank_published)]
    notes += [_published_note(query.average, rank_published)] if paper else []
    notes += [*check.notes(results), *left_out]
    return Table(f"leaderboard_{board.protocol}", caption, frame.reindex(columns=[*order, "Trained"]), DIGITS, notes)


def _measured_rows(board: Standings, results: Results) -> list[dict[str, Any]]:
    """Return a row per model of the board, in its order."""
    low, high = interval(board.draws.mean(1))
    known = np.isfinite(board.draws).all()
    best, worst, first = rank_range(board.sign * board.draws) if known else (np.full(len(low), np.nan),) * 3
    rows = []
    for i, model in enumerate(board.models):
        cost = results.costs.get(model, {})
        rows.append(
            {
                "Model": results.names[model],
                "Score": float(board.values[:, i].mean()),
                "Low": float(low[i]),
                "High": float(high[i]),
                "Places, 95 %": f"{best[i]:.0f} to {worst[i]:.0f}" if known else "",
                "P first": float(first[i]),
                "Params M": cost.get("parameters", np.nan) / 1e6,
                "Latency ms": cost.get("latency_ms_p50", np.nan),
                "Trained": results.trained(model),
            }
        )
    return rows


def _published(results: Results, metric: str, datasets: Sequence[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Return display name -> the paper's values of a metric on these datasets; empty if it has none."""
    column = next((c for c, name in COLUMNS.items() if name == metric), None)
    if column is None or results.is_sample:  # numbers of real photographs beside synthetic ones would mean nothing
        return {}
    table = results.published["tables_3_4_5"].pivot(index="dataset", columns="model", values=column)
    if not set(datasets) <= set(table.index):
        return {}
    names = {m: results.names.get(m) or plugins.load("models", m).NAME for m in table.columns}
    return {name: table.loc[list(datasets), m].to_numpy(float) for m, name in names.items()}


def _place(frame: pd.DataFrame, i: int) -> str:
    """Return the place of a row, "" if it is not ranked; equal mean ranks share one."""
    mean_rank = frame["Mean rank"].iloc[i]
    return "" if np.isnan(mean_rank) else str(1 + int((frame["Mean rank"] < mean_rank - 1e-9).sum()))


def _published_note(average: str, ranked: bool) -> str:
    """Return what is to be known of the paper's rows."""
    how = "ranked among the others as asked, though" if ranked else "for reference, not ranked:"
    unlike = "" if average == "batch_mean" else f", and they are batch means, the others {average.replace('_', ' ')}"
    return (
        f"Rows marked as trained by the paper are as printed there, {how} their protocol was not run here{unlike}."
        + (" Nothing was resampled or tested with them: no range of places, no test." if ranked else "")
    )


def _notes(board: Standings, results: Results, rank_published: bool) -> list[str]:
    """Return what the numbers can and cannot show."""
    datasets, models = board.values.shape
    few = f"{datasets} dataset{'' if datasets == 1 else 's'}"
    notes = [
        "Low and High: 95 % interval of the score, hierarchical bootstrap over photographs and seeds, the same "
        f"photographs for all models ({len(board.draws):,} resamples)."
        + ("" if rank_published else " Places: where the model comes in 95 % of them."),
    ]
    known = [bool(np.isfinite(board.draws[..., i]).all()) for i in range(models)]
    if not all(known):
        lacking = ", ".join(results.names[m] for m, k in zip(board.models, known, strict=True) if not k)
        notes = notes[:1] if any(known) else []
        notes.append(
            f"No interval, and so no places: {lacking}. The metric is undefined in some resamples, histograms.npz of "
            "these scores is empty, or a dataset has a single photograph for testing."
        )
    notes += shared_note(results, board.datasets)
    if rank_published:
        return notes
    if datasets > 1 and models > 2:
        scores = board.sign * board.values
        p, exact = friedman_p(scores)
        notes.append(
            f"Friedman over {datasets} datasets: chi2 {friedman(scores).chi2:.2f}, p {p:.2g} "
            f"({'exact' if exact else f'{PERMUTATIONS:,} random permutations of the ranks'}). Mean ranks differ "
            f"(Nemenyi, all pairs) from {critical_difference(models, datasets):.2f} ranks on."
        )
    pairs = models * (models - 1) // 2
    if smallest_p(datasets, pairs) > 0.05:
        notes.append(
            f"{few} cannot tell all {pairs} pairs of models apart: "
            f"the smallest p of Wilcoxon with Holm is {smallest_p(datasets, pairs):.2g}. The intervals speak of new "
            "photographs of these datasets, not of new datasets."
        )
    return notes
