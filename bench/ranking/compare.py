"""Compare a model with others of its protocol: differences with intervals, tests, ranks, cost, and a verdict."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.errors import UserError, instead_of
from bench.ranking import check, label_band
from bench.ranking.leaderboard import undefined_notes
from bench.ranking.results import SAMPLE_WARNING, Results
from bench.ranking.standings import (
    Query,
    Standings,
    by_protocol,
    caveats,
    compute_standings,
    covered,
    independent,
    merged,
    per_image,
    seed_note,
)
from bench.ranking.verdict import coverage, decide, differences, sentence
from bench.render.tables import Table
from bench.stats.paired import bayesian_signed_rank, cohen_dz, holm, rank_biserial, smallest_p, wilcoxon
from bench.stats.ranks import rank_range, ranks
from bench.stats.simultaneous import simultaneous


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison: tables, and the verdict in one sentence."""

    tables: list[Table]
    verdict: str


def compare(results: Results, query: Query, model: str, against: str | None, rope: float) -> Comparison:
    """Return how a model compares with the others of its protocol on the datasets where it has scores.

    Args:
        results: must pass the check.
        query: metric, average, bootstrap.
        model: id.
        against: id of the rival; None for the other model with the best mean rank.
        rope: half the width of the region of practical equivalence, in units of the metric.

    Raises:
        UserError: a model has no scores or an undefined metric, follows another protocol, or the results fail the
            check.
    """
    check.require(results)
    datasets, candidates = _candidates(results, model, against)
    standings, left_out = _standings(results, query, datasets, candidates, [m for m in (model, against) if m])
    others = [m for m in standings.models if m != model]
    mean_ranks = ranks(standings.sign * standings.values).mean(0)
    rival = against or min(others, key=lambda m: mean_ranks[standings.models.index(m)])
    tables = [
        _per_dataset(standings, results, query, model, rival),
        _pairs(standings, results, query, model, others, rope),
        _places(standings, results, model, left_out),
        _images(results, query, standings, model, rival),
    ]
    compared = [rival] if against else others  # the best of the others was chosen by the same scores
    names = results.names[model], results.names[rival]
    decided = decide(standings, model, rival, compared)
    verdict = sentence(decided, standings, names, len(compared))
    if decided.claim in ("ahead", "behind"):
        verdict = " ".join([verdict, *seed_note(results, standings.datasets, [model, rival])])
    return Comparison(
        [t for t in tables if len(t.frame)], f"{SAMPLE_WARNING} {verdict}" if results.is_sample else verdict
    )


def _candidates(results: Results, model: str, against: str | None) -> tuple[list[str], list[str]]:
    """Return the datasets to compare on, and all models of the protocol with scores on each of them.

    The datasets are those of the model, without those that ``against`` lacks.
    """
    datasets = covered(results, model)
    if not datasets:
        hint = instead_of(model, results.summary["model"].unique())
        raise UserError(f"no scores of {model}{hint} Or run `bench score FOLDER --dataset D --model {model}`.")
    group = next(models for models in by_protocol(results).values() if model in models)
    if against is not None:
        if against not in group or against == model:
            hint = instead_of(against, (m for m in group if m != model), "models, of the same protocol")
            raise UserError(f"{model} cannot be compared with {against!r}{hint}")
        datasets = [d for d in datasets if d in covered(results, against)]
    models = [m for m in group if set(datasets) <= set(covered(results, m))]
    if len(models) < 2 or not datasets:
        where = ", ".join(datasets) or f"the datasets of {model}"
        raise UserError(f"no other model of the protocol of {model} has scores on {where}: train or score one.")
    return datasets, models


def _standings(
    results: Results, query: Query, datasets: list[str], models: list[str], required: list[str]
) -> tuple[Standings, list[str]]:
    """Return the standings of the models whose metric is defined on all datasets, and notes on those left out.

    Raises:
        UserError: the metric of a required model, or of all others, is undefined on a dataset.
    """
    standings = compute_standings(results, query, datasets, models)
    for name in (m for m in required if m in standings.undefined):
        where = ", ".join(standings.undefined[name])
        raise UserError(f"{query.metric} of {name} is undefined on {where}: choose another --metric.")
    defined = [m for m in models if m not in standings.undefined]
    if len(defined) < 2:
        raise UserError(f"{query.metric} of every other model is undefined on some dataset: choose another --metric.")
    return standings.only(models=defined), undefined_notes(standings, results)


def _per_dataset(standings: Standings, results: Results, query: Query, model: str, rival: str) -> Table:
    """Return the difference on each dataset with its interval and outcome."""
    values, draws = (found[..., 0] for found in differences(standings, model, [rival]))
    difference, images = values, standings.source_images
    ends = [simultaneous(difference[[d], None], draws[:, [d], None], images[[d]]) for d in range(len(difference))]
    low, high = np.array(ends)[..., 0].T
    held = np.array([coverage(number) for number in images])
    few = np.isnan(held) & np.isfinite(low)
    outcome = np.select([few, low > 0, high < 0, low <= high], ["few", "win", "loss", "tie"], "")
    i, j = standings.models.index(model), standings.models.index(rival)
    names = [results.names[m] for m in (model, rival)]
    frame = pd.DataFrame(
        {
            "Dataset": [results.names[d] for d in standings.datasets], names[0]: standings.values[:, i],
            names[1]: standings.values[:, j], "Difference": difference, "Low": low, "High": high, "Outcome": outcome,
            "Source images": images, "Coverage %": 100 * held,
        }
    )  # fmt: skip
    count = {word: int((outcome == word).sum()) for word in ("win", "tie", "loss")}
    undecided = f" {int((outcome == 'few').sum())} with few source images." if "few" in outcome else ""
    metric = query.module()
    caption = (
        f"{names[0]} against {names[1]}: {metric.NAME} ({results.spelled(query.average)}). "
        f"{count['win']} wins, {count['tie']} ties, {count['loss']} losses.{undecided}"
    )
    notes = [
        "Positive: the first is better. A tie: the 95 % interval of the paired difference contains 0. Without an "
        "interval there is no outcome.",
        "Coverage: how often such an interval held in a simulation with at most so many source images, a few of them "
        "with most of the crack (benchmarks/README.md). Few: with fewer than were simulated no outcome is claimed.",
    ]
    digits = dict.fromkeys([*names, "Difference", "Low", "High"], 4) | {"Coverage %": 1}
    return Table("datasets", caption, frame, digits, notes)


def _pairs(standings: Standings, results: Results, query: Query, model: str, others: list[str], rope: float) -> Table:
    """Return the tests of the model against each other model, over the datasets."""
    values, draws = differences(standings, model, others)
    low, high = simultaneous(values, draws, standings.source_images)
    rows = []
    for k, other in enumerate(others):
        difference = merged(values[:, k], standings.datasets)
        worse, equal, better = bayesian_signed_rank(difference, rope, query.seed)
        rows.append(
            {
                "Against": results.names[other], "Mean difference": float(values[:, k].mean()), "Low": float(low[k]),
                "High": float(high[k]), "Raw p": wilcoxon(difference), "Rank biserial": rank_biserial(difference),
                "Cohen dz": cohen_dz(difference), "P worse": worse, "P equal": equal, "P better": better,
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.insert(5, "Holm p", holm(frame["Raw p"]))
    datasets = independent(standings.datasets)
    notes = [
        "Low and High: bootstrap intervals of the mean differences, for new source images of these datasets; all hold "
        "at once with 95 % probability (max-T).",
        f"Raw p: two-sided Wilcoxon over {datasets} independent datasets. Holm p: corrected for {len(others)} "
        f"comparisons; it cannot fall below {smallest_p(datasets, len(others)):.2g}.",
        f"P worse, equal, better: Bayesian signed-rank test; equal: within {rope:g} of each other.",
        *caveats(results, standings.datasets, [model, *others]),
    ]
    moved = label_band.moved_scores(results, query, standings.datasets, standings.models)
    if moved is not None:
        places = [standings.models.index(m) for m in (model, *others)]
        frame.insert(4, label_band.HEADING, label_band.of_differences(moved, standings.sign, places[0], places[1:]))
        notes.append(f"{label_band.MEANING} A star: the order of the two lies inside the band.")
    digits = {"Mean difference": 4, "Low": 4, "High": 4, "Raw p": 4, "Holm p": 4, "Rank biserial": 2}
    digits |= {"Cohen dz": 2, "P worse": 3, "P equal": 3, "P better": 3}
    return Table("pairs", f"{results.names[model]} against each other model, over datasets.", frame, digits, notes)


def _places(standings: Standings, results: Results, model: str, left_out: list[str]) -> Table:
    """Return the place of every model with and without the compared one, and its score and cost."""
    mean_ranks = ranks(standings.sign * standings.values).mean(0)
    rest = [m for m in standings.models if m != model]
    before = dict(zip(rest, ranks(standings.sign * standings.only(models=rest).values).mean(0), strict=True))
    known = np.isfinite(standings.draws).all()
    best, worst, _ = rank_range(standings.sign * standings.draws) if known else (mean_ranks * np.nan,) * 3
    rows = []
    for i in np.argsort(mean_ranks, kind="stable"):
        name = standings.models[i]
        cost = results.costs.get(name, {})
        without = "new" if name == model else str(1 + sum(r < before[name] - 1e-9 for r in before.values()))
        rows.append(
            {
                "Place": str(1 + int((mean_ranks < mean_ranks[i] - 1e-9).sum())), "Without it": without,
                "Model": results.names[name], "Mean rank": mean_ranks[i],
                "Places, 95 %": f"{best[i]:.0f} to {worst[i]:.0f}" if known else "",
                "Score": standings.values[:, i].mean(), "Params M": cost.get("parameters", np.nan) / 1e6,
                "GMACs": cost.get("gmacs", np.nan), "Latency ms": cost.get("latency_ms_p50", np.nan),
                "x ResNet-18": cost.get("relative_latency", np.nan),
                "Trained": results.trained(name),
            }
        )  # fmt: skip
    digits = {"Mean rank": 2, "Score": 4, "Params M": -3, "GMACs": 1, "Latency ms": 1, "x ResNet-18": 2}
    caption = f"Places with and without {results.names[model]}, and costs."
    frame = pd.DataFrame(rows)
    if frame["x ResNet-18"].isna().all():  # costs without an anchor
        frame = frame.drop(columns="x ResNet-18")
    return Table("places", caption, frame, digits, [*left_out, *check.notes(results)])


def _images(results: Results, query: Query, standings: Standings, model: str, rival: str) -> Table:
    """Return the ten images on which the two models differ most."""
    parts = []
    for dataset in standings.datasets:
        first, second = (per_image(results, query.module(), dataset, m) for m in (model, rival))
        frame = pd.DataFrame({results.names[model]: first, results.names[rival]: second}).dropna()
        parts.append(frame.assign(Dataset=results.names[dataset]).rename_axis("Image").reset_index())
    frame = pd.concat(parts, ignore_index=True)
    names = [results.names[model], results.names[rival]]
    frame["Difference"] = frame[names[0]] - frame[names[1]]
    order = frame["Difference"].abs().sort_values(ascending=False, kind="stable").index[:10]
    frame = frame.loc[order, ["Dataset", "Image", *names, "Difference"]]
    return Table("images", "The images on which the two differ most.", frame, dict.fromkeys([*names, "Difference"], 4))
