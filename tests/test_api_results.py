"""Results as frames: the numbers that the commands print, on results made here and on those of the open track."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench import plugins, read_results
from bench.api_results import ResultsFolder
from bench.cli.main import main
from bench.errors import UserError
from bench.formats import files

ROOT = Path(__file__).parents[1]
MODELS = {"fpn": 0.60, "unet": 0.75, "linknet": 0.70}


@pytest.fixture(scope="module")
def track() -> ResultsFolder:
    return read_results(ROOT / "results" / "open")


def printed(*words: str) -> str:
    done = CliRunner().invoke(main, ["--params", str(ROOT / "results/open/params.yaml"), *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_leaderboard_is_that_of_the_command(track: ResultsFolder) -> None:
    frame = track.leaderboard(datasets=["ceramic"], resamples=200)
    shown = printed(
        "leaderboard", "--dataset", "ceramic", "--resamples", "200", "--format", "json", "--results",
        str(ROOT / "results" / "open"),
    )  # fmt: skip
    (rows,) = json.loads(shown).values()
    assert frame["Model"].tolist() == [row["Model"] for row in rows]
    assert np.allclose(frame["Score"], [row["Score"] for row in rows])
    assert "Ceramic" in frame.attrs["caption"]
    assert any("bootstrap" in note for note in frame.attrs["notes"])


def test_the_comparison_is_that_of_the_command(workspace: Callable[..., Path]) -> None:
    folder = workspace(["cfd", "deepcrack"], MODELS)
    found = read_results(folder / "results").compare("unet", resamples=200)
    words = ["--params", str(folder / "params.yaml"), "compare", "unet", "--resamples", "200"]
    done = CliRunner().invoke(main, [*words, "--results", str(folder / "results")])
    assert found.verdict in done.output
    assert list(found.tables) == ["datasets", "pairs", "places", "images"]
    assert found.tables["places"]["Model"].tolist() == ["UNET", "LINKNET", "FPN"]
    assert found.tables["pairs"].attrs["notes"]
    assert "LINKNET" in read_results(folder / "results").compare("unet", "linknet", resamples=200).verdict


def test_images_have_counts_and_the_metrics_asked_for(track: ResultsFolder) -> None:
    frame = track.images(["crack_iou", "aiu"])
    assert len(frame.groupby(["dataset", "model", "seed"])) == 324
    row = frame.iloc[5]
    assert row["crack_iou"] == pytest.approx(row["tp"] / (row["tp"] + row["fp"] + row["fn"]))
    assert 0 < row["aiu"] < 1
    assert frame.columns.is_unique
    with pytest.raises(UserError, match="ods has no value for a single image"):
        track.images(["ods"])


def test_the_check_of_the_open_track_finds_nothing(track: ResultsFolder) -> None:
    assert not (track.check()["kind"] == "finding").any()


def test_what_does_not_fit_is_named(workspace: Callable[..., Path]) -> None:
    folder = workspace(["cfd"], MODELS) / "results"
    results = read_results(folder)
    assert results.left_out == {}
    with pytest.raises(UserError, match="did you mean 'cfd'"):
        results.leaderboard(datasets=["cdf"])
    with pytest.raises(UserError, match="resamples is 3"):
        results.leaderboard(resamples=3)
    with pytest.raises(UserError, match="did you mean 'unet'"):
        results.compare("unett")
    with pytest.raises(UserError, match="nowhere is not a folder"):
        read_results("nowhere")
    with pytest.raises(UserError, match=r"params\.yaml not found"):
        read_results(folder / "scores")


def test_an_incomplete_result_is_a_finding_and_not_ranked(workspace: Callable[..., Path]) -> None:
    folder = workspace(["cfd"], MODELS)
    params = folder / "params.yaml"
    files.write_text(params, params.read_text().replace("models:\n", "models:\n- pspnet\n"))
    results = read_results(folder / "results")
    findings = results.check().query("kind == 'finding'")["text"].tolist()
    assert findings == ["cfd/pspnet/0 is missing."]
    with pytest.raises(UserError, match="cannot be ranked"):
        results.leaderboard()


def test_own_plug_ins_of_params_yaml_can_be_loaded(
    workspace: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(plugins.OWN, "")
    folder = workspace(["cfd"], MODELS)
    own = folder / "mine" / "models"
    own.mkdir(parents=True)
    files.write_text(own / "my_net.py", 'NAME = "My net"\n')
    with (folder / "params.yaml").open("a", encoding="utf-8") as params:
        params.write("plugins: mine\n")
    read_results(folder / "results")
    assert plugins.title("models", "my_net") == "My net"
