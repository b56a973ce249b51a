"""The command leaderboard: the ranking, an unfinished grid, at home and abroad, what models have seen."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import FORMAT, RESULTS
from bench.cli.ranking import print_tables, query_of, query_options, read_results
from bench.errors import UserError, instead_of

if TYPE_CHECKING:
    from bench.ranking.results import Results


@click.command("leaderboard")
@click.option("--dataset", "datasets", multiple=True, help="Rank on this dataset only; repeatable.")
@click.option("--rank-published", is_flag=True, help="Rank the paper's rows among the others.")
@click.option("--partial", is_flag=True, help="Show what an unfinished grid has so far, without ranks.")
@click.option("--without-errata", is_flag=True, help="Leave out test images with known faults (errata.csv).")
@click.option("--seen", is_flag=True, help="Show what models have seen of the test images, and their scores without.")
@click.option(
    "--long", is_flag=True, help="Show what stands behind each score, and the band that a re-run must land in."
)
@click.option("--abroad", is_flag=True, help="Rank by crack IoU on the datasets that a model was not trained on.")
@query_options
@RESULTS
@FORMAT
@click.pass_context
def leaderboard_command(
    context: click.Context, /, datasets: tuple[str, ...], rank_published: bool, partial: bool, without_errata: bool,
    seen: bool, long: bool, abroad: bool, results: Path, form: str, **query: Any,
) -> None:  # fmt: skip
    """Print the ranking with intervals, places and cost."""
    if abroad + seen + long > 1:
        raise UserError("--abroad, --seen and --long print different tables: give one of them.")
    if partial and (datasets or rank_published):
        raise UserError("--dataset and --rank-published do not apply to --partial: leave them out.")
    if abroad or seen or long:
        (_print_abroad if abroad else _print_seen if seen else _print_long)(context, results, form)
        return
    from bench.ranking.leaderboard import leaderboards
    from bench.ranking.partial import partial_table

    chosen = query_of(context, **query)
    content = read_results(context, results)
    if without_errata:
        content = _without_errata(content)
    if partial:
        print_tables([partial_table(content, chosen)], form, content.is_sample)
        return
    tables = leaderboards(content, chosen, chosen_datasets(content, datasets), rank_published)
    if not tables:
        raise UserError("no model has a value on all of these datasets: choose another --metric or --dataset.")
    print_tables(tables, form, content.is_sample)


def _without_errata(results: "Results") -> "Results":
    """Return the results without the test images that have a known fault; say how many these are."""
    from bench.ranking.errata import tested, without_errata

    listed = Counter(tested(results)["dataset"])
    counts = ", ".join(f"{count} of {results.names[dataset]}" for dataset, count in listed.items())
    click.echo(f"Test images left out: {counts or 'none has a known fault'}.", err=True)
    return without_errata(results)


def _print_abroad(context: click.Context, results: Path, form: str) -> None:
    """Print how the models do at home and abroad.

    Raises:
        UserError: fewer than two datasets have results of the stage transfer, or an option does not apply.
    """
    from bench.ranking.abroad_tables import of_results, per_model, train_by_test

    _require_no_query(context, "--abroad")
    content = read_results(context, results)
    found = of_results(content)
    if found is None:
        raise UserError(f"{results / 'transfer'} holds no results of two datasets: run `dvc repro transfer`.")
    print_tables([per_model(found, content.names), train_by_test(found, content.names)], form, content.is_sample)


def _print_seen(context: click.Context, results: Path, form: str) -> None:
    """Print what models have seen of the test images.

    Raises:
        UserError: an option does not apply.
    """
    from bench.ranking.seen import seen_table

    _require_no_query(context, "--seen")
    content = read_results(context, results)
    print_tables([seen_table(content)], form, content.is_sample)


def _print_long(context: click.Context, results: Path, form: str) -> None:
    """Print what stands behind each score.

    Raises:
        UserError: an option does not apply, or the results have faults other than missing cells.
    """
    from dataclasses import replace

    from bench.ranking import check
    from bench.ranking.bands import bands_table

    _require_no_query(context, "--long")
    content = read_results(context, results)
    check.require(replace(content, missing=[], failed={}))
    print_tables([bands_table(content)], form, content.is_sample)


def _require_no_query(context: click.Context, flag: str) -> None:
    """Refuse options that choose what is ranked, beside a flag that shows pooled crack IoU."""
    for name in ("datasets", "rank_published", "partial", "without_errata", "metric", "average"):
        if context.get_parameter_source(name) != click.core.ParameterSource.DEFAULT:
            option = "--dataset" if name == "datasets" else f"--{name.replace('_', '-')}"
            raise UserError(f"{option} does not apply to {flag}, which shows pooled crack IoU: leave it out.")


def chosen_datasets(results: "Results", datasets: Sequence[str]) -> list[str]:
    """Return the datasets named on the command line, or all of them."""
    unknown = [d for d in datasets if d not in results.datasets]
    if unknown:
        raise UserError(f"no dataset {unknown[0]!r} in params.yaml{instead_of(unknown[0], results.datasets)}")
    return list(dict.fromkeys(datasets)) or results.datasets
