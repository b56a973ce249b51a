"""What a metric declares of its input."""

from bench.metrics.inputs import AVERAGES, COUNTS, Input, curve


def test_counts_are_of_images_under_all_averages() -> None:
    assert COUNTS.columns == ("tp", "fp", "fn", "tn")
    assert (COUNTS.over, COUNTS.averages) == ("images", AVERAGES)


def test_an_average_with_a_reason_against_it_is_not_defined() -> None:
    declared = Input(("tp",), undefined={"pooled": "a reason"})
    assert declared.averages == ("image_mean", "batch_mean")


def test_a_curve_names_the_column_of_single_images() -> None:
    declared = curve("aiu")
    assert (declared.over, declared.image_column, declared.columns) == ("curve", "aiu", ("tp", "fp", "fn"))
