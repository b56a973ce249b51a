"""The critical-difference diagram shows every model once, and a bar for each group that does not differ."""

import numpy as np

from bench import paper_audit as audit
from bench.render.rank_figures import BAR, critical_difference_diagram
from bench.stats.ranks import cliques, critical_difference, ranks


def test_the_published_tables_as_a_diagram():
    table = audit.scores()
    mean = ranks(table.to_numpy(float)).mean(0)
    difference = critical_difference(10, 10)
    groups = cliques(mean, difference)
    figure = critical_difference_diagram(list(table.columns), mean, difference, groups)
    (axis,) = figure.axes
    shown = [text.get_text() for text in axis.texts]
    for name, rank in zip(table.columns, mean, strict=True):
        assert sum(f"{name}  {rank:.2f}" in text for text in shown) == 1
    assert "critical difference 4.28" in shown
    bars = [line for line in axis.lines if line.get_color() == BAR]
    assert len(bars) == len(groups)
    for bar in bars:
        assert np.ptp(bar.get_xdata()) <= difference + 0.1 + 1e-9
