"""Run a grid on real images with one command, and keep its results with their provenance.

On a GPU, in full (CFD, DeepCrack and Sylvie, ten models, 448 px, from scratch, 300 epochs):
    python benchmarks/real_runs.py gpu_448px --archive crack_segmentation_dataset.zip
On a CPU, a part of it:
    python benchmarks/real_runs.py cpu_128px --archive crack_segmentation_dataset.zip --datasets cfd,deepcrack \
        --models unet,pspnet,context_cracknet --encoder resnet18 --image-size 128 --batch 8 --epochs 8 --lr 1e-3
All GPUs are used; on a CPU, as many cells run in parallel as cores and memory allow.

Results and report are written to results/experiments/NAME/. `bench report` derives every table again from them:
    bench --params results/experiments/NAME/params.yaml report results/experiments/NAME results/experiments/NAME/reports
"""

import shutil
import tempfile
from pathlib import Path

import click
import yaml
from _command import Command

from bench import plugins
from bench.cli.main import run_command
from bench.formats import files
from bench.report.parts import PARTS
from bench.report.settings import ReportSettings
from bench.settings import load_params, section
from bench.stages import report
from bench.tools import demo

ROOT = Path(__file__).parents[1]
README = """# {name}

Scores, costs and `params.yaml` of an experiment run by `benchmarks/real_runs.py`, with the tables and figures of its
report. To derive tables and figures again, and to render the page, which is not in git, run this in the root of the
repository; it needs no GPU and no data:

```sh
bench --params results/experiments/{name}/params.yaml report results/experiments/{name} experiments/{name}/reports
```
"""

TEN = "deeplabv3,deeplabv3plus,fpn,linknet,manet,pan,pspnet,unet,unetplusplus,context_cracknet"


@click.command(cls=Command)
@click.argument("name")
@click.option("--archive", required=True, type=click.Path(exists=True, dir_okay=False, resolve_path=True))
@click.option("--datasets", default="cfd,deepcrack,sylvie")
@click.option("--models", default=TEN)
@click.option("--encoder", default="resnet50")
@click.option("--image-size", default=448)
@click.option("--mask-threshold", default=127, help="127 restores the true area of JPEG masks; the paper uses 0.")
@click.option("--batch", default=32)
@click.option("--epochs", default=300)
@click.option("--lr", default=1e-4)
@click.option("--workspace", type=click.Path(path_type=Path), help="Kept between calls.  [default: a temporary folder]")
def main(name, archive, datasets, models, encoder, image_size, mask_threshold, batch, epochs, lr, workspace):
    settings = {
        "datasets": datasets.split(","),
        "models": models.split(","),
        "download": {"source": archive},
        "prepare": {"image_size": image_size, "mask_threshold": mask_threshold},
        "train": {"encoder": encoder, "weights": None, "epochs": epochs, "batch": batch, "lr": lr},
        "measure": {"encoder": encoder, "image_size": image_size},
    }
    for kind in ("datasets", "models"):
        for chosen in settings[kind]:
            plugins.load(kind, chosen)
    with tempfile.TemporaryDirectory() as scratch:
        folder = workspace or Path(scratch) / "workspace"
        demo.run_demo(ROOT, folder, run_command, settings)
        keep(folder, ROOT / "results" / "experiments" / name)
    click.echo(f"The results are in results/experiments/{name}.")


def keep(workspace: Path, target: Path) -> None:
    """Copy results and settings of a workspace and render their tables and figures.

    Source images are not copied; page and audit of the paper are left to ``bench report``; of the archive's path, only
    the file name is kept.
    """
    shutil.rmtree(target, ignore_errors=True)
    for part in ("scores", "cost"):
        shutil.copytree(workspace / "results" / part, target / part)
    params = load_params(workspace / "params.yaml")
    params["download"]["source"] = Path(params["download"]["source"]).name
    files.write_text(target / "params.yaml", yaml.safe_dump(params, sort_keys=False))
    lists, nowhere = (params[key] for key in ("datasets", "models", "seeds")), target / "none"
    settings, parts = section(params, "report", ReportSettings), [p for p in PARTS if p not in ("page", "audit")]
    report.run(target, target / "reports", *lists, settings, nowhere, nowhere, parts)
    files.write_text(target / "README.md", README.format(name=target.name))


if __name__ == "__main__":
    main()
