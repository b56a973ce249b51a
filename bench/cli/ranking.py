"""The commands that read results or documentation: metrics, check, leaderboard, compare, audit-paper, explain."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import DATASET, FORMAT, RESULTS, declared, read_section
from bench.errors import UserError, instead_of

if TYPE_CHECKING:
    from bench.ranking.results import Results
    from bench.ranking.standings import Query
    from bench.render.tables import Table


def _query_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose metric, average and bootstrap."""
    options = (
        click.option("--metric", default="crack_iou", show_default=True, help="Metric id; see `bench list metrics`."),
        click.option(
            "--average", help="Averaging: pooled, image_mean or batch_mean.  [default: report.headline of params.yaml]"
        ),
        click.option(
            "--resamples", default=10_000, show_default=True, type=click.IntRange(100), help="Bootstrap resamples."
        ),
        click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Bootstrap seed."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("explain")
@click.argument("metric")
def explain_command(metric: str) -> None:
    """Explain a metric: formula, range, direction, source."""
    from bench.ranking.definitions import explanation

    click.echo(explanation(metric))


@click.command("metrics")
@click.argument("model")
@DATASET
@RESULTS
@FORMAT
@click.pass_context
def metrics_command(context: click.Context, model: str, dataset: str, results: Path, form: str) -> None:
    """Show a model on one dataset under every metric and average."""
    from bench.ranking.definitions import definitions

    content = _read(context, results)
    _print([definitions(content, model, dataset)], form, content.is_sample)


@click.command("check")
@RESULTS
@click.option(
    "--reports", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Report to compare with the results.  [default: within or beside the results]",
)  # fmt: skip
@click.pass_context
def check_command(context: click.Context, results: Path, reports: Path | None) -> None:
    """Check that results are complete and consistent.

    Exits with status 1 if they are not.
    """
    from bench.ranking import check

    within = results / "reports"
    reports = reports or (within if within.is_dir() else results.parent / "reports")
    content = _read(context, results, mixed=True)
    failures = check.findings(content, reports / "summary.csv")
    for failure in failures:
        click.echo(f"FAIL  {failure}")
    for note in check.notes(content, reports / "summary.csv"):
        click.echo(f"note  {note}")
    click.echo(f"{len(content.cells)} cells checked: {len(failures)} findings.")
    context.exit(1 if failures else 0)


@click.command("leaderboard")
@click.option("--dataset", "datasets", multiple=True, help="Rank on this dataset only; repeatable.")
@click.option("--rank-published", is_flag=True, help="Rank the paper's rows among the others.")
@_query_options
@RESULTS
@FORMAT
@click.pass_context
def leaderboard_command(
    context: click.Context, /, datasets: tuple[str, ...], rank_published: bool, results: Path, form: str, **query: Any
) -> None:
    """Print the ranking with intervals, places and cost."""
    from bench.ranking.leaderboard import leaderboards

    chosen = _query(context, **query)
    content = _read(context, results)
    tables = leaderboards(content, chosen, _chosen(content, datasets), rank_published)
    if not tables:
        raise UserError("no model has a value on all of these datasets: choose another --metric or --dataset.")
    _print(tables, form, content.is_sample)


@click.command("compare")
@click.argument("model")
@click.option("--against", help="Model to compare with.  [default: the best other one]")
@click.option(
    "--rope", default=0.01, show_default=True, type=click.FloatRange(0, min_open=True),
    help="Region of practical equivalence: smaller differences count as equal.",
)  # fmt: skip
@_query_options
@RESULTS
@FORMAT
@click.pass_context
def compare_command(
    context: click.Context, /, model: str, against: str | None, rope: float, results: Path, form: str, **query: Any
) -> None:
    """Compare a model with the others and print a verdict.

    Prints differences with intervals, tests, places and cost.
    """
    from bench.ranking.compare import compare

    chosen = _query(context, **query)
    content = _read(context, results)
    comparison = compare(content, chosen, model, against, rope)
    _print(comparison.tables, form, content.is_sample)
    click.echo(f"\n{comparison.verdict}", err=form in ("csv", "json"))


@click.command("audit-paper")
@RESULTS
@FORMAT
def audit_paper_command(results: Path, form: str) -> None:
    """Check the paper's own tables: identities, winners, costs."""
    from bench import plugins
    from bench.formats import cost
    from bench.paper import audit

    names = plugins.names("models")
    costs = {m: cost.read(path) for m in names if (path := results / "cost" / f"{m}.json").is_file()}
    _print(audit.tables(costs), form)


def _chosen(results: "Results", datasets: Sequence[str]) -> list[str]:
    """Return the datasets named on the command line, or all of them."""
    unknown = [d for d in datasets if d not in results.datasets]
    if unknown:
        raise UserError(f"no dataset {unknown[0]!r} in params.yaml{instead_of(unknown[0], results.datasets)}")
    return list(dict.fromkeys(datasets)) or results.datasets


def _read(context: click.Context, folder: Path, mixed: bool = False) -> "Results":
    """Return the results of the declared cells and of the external models that fit them (all if ``mixed``)."""
    from bench.ranking.results import external_models, read, refused, without
    from bench.settings import load_params, seed_list

    params = load_params(context.obj)
    datasets, models = declared(params, "datasets"), declared(params, "models")
    external = [m for m in external_models(folder) if m not in models]
    content = read(folder, datasets, models, seed_list(params), external, mixed)
    left_out = {} if mixed else refused(content)
    for model, reason in sorted(left_out.items()):
        click.echo(f"Left out: {model} {reason}.", err=True)
    return without(content, left_out)


def _query(context: click.Context, metric: str, average: str | None, resamples: int, seed: int) -> "Query":
    """Return the query; the average defaults to the headline of the report, if the metric defines it."""
    from bench import plugins
    from bench.ranking.standings import Query
    from bench.report.settings import ReportSettings

    _, settings = read_section(context, "report", ReportSettings)
    defined = plugins.load("metrics", metric).INPUT.averages
    default = settings.headline if settings.headline in defined else defined[0]
    return Query(metric, average or default, resamples, seed)


def _print(tables: "Sequence[Table]", form: str, is_sample: bool = False) -> None:
    """Print tables, marked if their data are synthetic."""
    from bench.ranking.results import SAMPLE_WARNING
    from bench.render import text

    marks = (SAMPLE_WARNING, "sample") if is_sample else ("", "")
    click.echo(text.together(tables, form, *marks), nl=False)
