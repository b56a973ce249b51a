"""Run the grid on real images with one command, and store its results with their provenance.

On a GPU, the full grid (CFD, DeepCrack and Sylvie, ten models, 448 px, from scratch, 300 epochs):
    python benchmarks/real_runs.py gpu_448px --archive crack_segmentation_dataset.zip
On a CPU, part of it:
    python benchmarks/real_runs.py cpu_128px --archive crack_segmentation_dataset.zip --datasets cfd,deepcrack \
        --models unet,pspnet,context_cracknet --encoder resnet18 --image-size 128 --batch 8 --epochs 8 --lr 1e-3
All GPUs are used; on a CPU, as many cells run at once as cores and memory allow.

Results and report are written to results/experiments/NAME/, from which `bench report` regenerates every table:
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

Scores, costs and `params.yaml` of an experiment by `benchmarks/real_runs.py`, and the tables and figures of its report.
To regenerate these tables and figures, and the page that is not stored here, run this in the root of the repository
(no GPU or data needed):

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
@click.option("--per-gpu", default=1, help="Cells that share a GPU.")
@click.option("--workspace", type=click.Path(path_type=Path), help="Kept between calls; default: a temporary folder.")
def main(name, archive, datasets, models, encoder, image_size, mask_threshold, batch, epochs, lr, per_gpu, workspace):
    settings = {
        "datasets": datasets.split(","),
        "models": models.split(","),
        "download": {"source": archive},
        "prepare": {"image_size": image_size, "mask_threshold": mask_threshold},
        "train": {"encoder": encoder, "weights": None, "epochs": epochs, "batch": batch, "lr": lr},
        "measure": {"encoder": encoder, "image_size": image_size},
        "sweep": {"per_gpu": per_gpu},
    }
    for kind in ("datasets", "models"):
        for chosen in settings[kind]:
            plugins.load(kind, chosen)
    with tempfile.TemporaryDirectory() as scratch:
        folder = workspace or Path(scratch) / "workspace"
        demo.run_demo(ROOT, folder, run_command, settings, last_stages=("evaluate", "measure"))
        keep(folder, ROOT / "results" / "experiments" / name)
    click.echo(f"The results are in results/experiments/{name}.")


def keep(workspace: Path, target: Path) -> None:
    """Copy results and settings of a workspace, and write tables, figures and the command that regenerates them.

    Source images are not copied; page and audit of the paper are left to ``bench report``; only the name of the archive
    is kept, not its path on this machine.
    """
    shutil.rmtree(target, ignore_errors=True)
    for part in ("scores", "cost"):
        shutil.copytree(workspace / "results" / part, target / part)
    params = load_params(workspace / "params.yaml")
    params["download"]["source"] = Path(params["download"]["source"]).name
    files.write_text(target / "params.yaml", yaml.safe_dump(params, sort_keys=False))
    grid = report.Grid(params["datasets"], params["models"], params["seeds"])
    folders = report.Folders(target, target / "reports", target / "none", target / "none")
    settings, parts = section(params, "report", ReportSettings), [p for p in PARTS if p not in ("page", "audit")]
    report.run(folders, grid, settings, parts)
    files.write_text(target / "README.md", README.format(name=target.name))


if __name__ == "__main__":
    main()
