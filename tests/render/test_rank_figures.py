"""The critical-difference diagram shows every model once, and a bar for each group that does not differ."""

from bench.paper import audit
from bench.render.rank_figures import critical_difference
from bench.stats import ranks as stats


def test_the_published_tables_as_a_diagram():
    table = audit.scores()
    mean = stats.ranks(table.to_numpy(float)).mean(0)
    cd = stats.critical_difference(10, 10)
    groups = stats.cliques(mean, cd)
    figure = critical_difference(mean, cd, groups, list(table.columns), "a note")
    (axis,) = figure.axes
    shown = [text.get_text() for text in axis.texts]
    for name, rank in zip(table.columns, mean, strict=True):
        assert sum(f"{name}  {rank:.2f}" in text for text in shown) == 1
    assert any("critical difference 4.28" in text for text in shown)
    bars = [c for c in axis.collections if c.get_linewidth()[0] == 2.6]
    assert len(bars) == len(groups)
