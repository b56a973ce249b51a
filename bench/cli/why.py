"""The command that explains why one number is not another: why."""

import click

from bench.cli.options import FORMAT


@click.command("why")
@click.argument("a")
@click.argument("b")
@click.option(
    "--metric", default="crack_iou", show_default=True, type=click.Choice(["crack_iou", "dice", "precision", "recall"]),
    help="Pooled metric.",
)  # fmt: skip
@click.option("--images", "most", default=10, show_default=True, type=click.IntRange(1), help="Images to show.")
@FORMAT
def why_command(a: str, b: str, metric: str, most: int, form: str) -> None:
    """Explain why number A is not number B.

    A and B are results folders, folders of scores, or one model or cell of them: FOLDER:DATASET/MODEL or
    FOLDER:DATASET/MODEL/SEED. Prints each gap and whether it lies within the spread of the seeds, then for the largest
    one what differs, what comes first in the pipeline first, and the images that make up the gap.
    """
    from bench.ranking.results import SAMPLE_WARNING
    from bench.ranking.sides import pairs, read_sides
    from bench.ranking.why import sentence, tables, why, widest
    from bench.render import text

    sides = read_sides(a), read_sides(b)
    both = pairs(*sides)
    if len(both) < max(map(len, sides)):
        click.echo(f"In both: {len(both)} of the {len(sides[0])} scores of A and {len(sides[1])} of B.", err=True)
    found = [why(mine, theirs, metric) for mine, theirs in both]
    is_sample = any(side.scores.card["origin"].get("source") == "sample" for pair in both for side in pair)
    marks = (SAMPLE_WARNING, "sample") if is_sample else ("", "")
    click.echo(text.together(tables(found, metric, most), form, *marks), nl=False)
    click.echo(f"\n{sentence(widest(found), metric)}", err=form in ("csv", "json"))
