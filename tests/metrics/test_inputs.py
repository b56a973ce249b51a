"""What a metric declares of its input."""

from bench.metrics.inputs import AVERAGES, COUNTS, Input, curve, tolerant


def test_counts_are_of_images_under_all_averages() -> None:
    assert COUNTS.columns == ("tp", "fp", "fn", "tn")
    assert (COUNTS.over, COUNTS.averages) == ("images", AVERAGES)


def test_an_average_with_a_reason_against_it_is_not_defined() -> None:
    given = Input(("tp",), undefined={"pooled": "a reason"})
    assert given.averages == ("image_mean", "batch_mean")


def test_n_stands_for_the_tolerance() -> None:
    given = tolerant(5, "pred_hit_Npx", "tp")
    assert given.columns == ("pred_hit_5px", "tp")
    assert "5 px" in given.about


def test_a_curve_names_the_column_of_single_images() -> None:
    given = curve("aiu")
    assert (given.over, given.image_column, given.columns) == ("curve", "aiu", ("tp", "fp", "fn"))
