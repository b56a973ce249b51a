"""The leaderboard of an unfinished grid: the finished cells, without ranks over different datasets."""

from dataclasses import replace

import numpy as np
import pandas as pd

from bench.errors import UserError
from bench.ranking import check
from bench.ranking.results import Results
from bench.ranking.standings import Query, covered
from bench.ranking.states import failed_count, failures, skipped, state
from bench.render.tables import Table


def partial_table(results: Results, query: Query) -> Table:
    """Return the scores of the declared cells that have results: a row per model, a column per dataset.

    A model's mean is over the datasets that every shown model has, so that means compare; models are in its order.

    Raises:
        UserError: the metric does not exist, or the results have faults other than missing cells.
    """
    if faults := check.findings(replace(results, missing=[], failed={})):
        raise UserError(f"these results cannot be shown: {faults[0]} Run `bench check` for all findings.")
    sign = 1 if query.module().HIGHER_IS_BETTER else -1
    summary = results.summary
    chosen = summary[(summary["metric"] == query.metric) & (summary["average"] == query.average)]
    table = chosen.groupby(["model", "dataset"])["value"].mean(skipna=False).unstack("dataset")
    table = table.reindex(columns=[d for d in results.datasets if d in table])
    common = [str(d) for d in table if table[d].notna().all()]
    mean = table[common].mean(axis=1) if common else pd.Series(np.nan, table.index)
    order = (sign * mean).sort_values(ascending=False, kind="stable").index
    done = chosen.groupby("model").size()
    missing = pd.Series([name.split("/")[1] for name in results.missing if name.count("/") == 2]).value_counts()
    frame = table.loc[order]
    for dataset in map(str, table):
        gaps = [str(m) for m in order if np.isnan(float(table[dataset][m]))]
        frame = frame.astype({dataset: object}) if gaps else frame
        for model in gaps:
            has_scores = dataset in covered(results, model)
            frame.loc[model, dataset] = "undefined" if has_scores else state(results, dataset, model)
    frame = frame.rename(columns=results.names)
    frame.insert(0, "Mean", mean[order])
    failed = failed_count(results)
    cells = [f"{done[m]} of {done[m] + missing.get(m, 0)}" for m in order]
    frame.insert(
        0,
        "Cells",
        [f"{c}, {failed[str(m)]} failed" if failed[str(m)] else c for m, c in zip(order, cells, strict=True)],
    )
    frame.insert(0, "Model", [results.names[str(m)] for m in order])
    total, lacking = int(done.sum()), int(missing.sum())
    begun = f"UNFINISHED: {total} of {total + lacking} cells. " if lacking else ""
    caption = f"{begun}{query.module().NAME} ({results.spelled(query.average)}), mean over the seeds so far."
    named = ", ".join(results.names[d] for d in common) or "no dataset"
    notes = [f"Mean: over the datasets that all these models have: {named}."]
    if without := [results.names[m] for m in results.models if m not in table.index]:
        notes.append(f"No cell yet: {', '.join(without)}.")
    notes += [*failures(results), *skipped(results)]
    if lacking:
        notes.append("Some scores are the mean of fewer seeds than others: no ranks, intervals or tests yet.")
    digits = dict.fromkeys(["Mean", *(results.names[str(d)] for d in table)], 4)
    return Table("partial", caption, frame.reset_index(drop=True), digits, notes, blank="missing")
