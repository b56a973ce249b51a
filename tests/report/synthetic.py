"""Write a synthetic results folder of the full grid: numbers drawn around the paper's, no network, no image.

As a script: python tests/report/synthetic.py FOLDER writes FOLDER/results and FOLDER/params.yaml.
"""

import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from bench import plugins
from bench.formats import cost, files, scores
from bench.paper import published

SIDE = 448
DATASETS = ["cfd", "crack500", "cracktree200", "deepcrack", "eugen_miller"]
DATASETS += ["forest", "gaps", "rissbilder", "sylvie", "volker"]
MODELS = ["deeplabv3", "deeplabv3plus", "fpn", "linknet", "manet", "pan", "pspnet", "unet", "unetplusplus"]
MODELS += ["context_cracknet"]
THRESHOLDS = np.arange(256)


def write(folder, datasets=DATASETS, models=MODELS, seeds=(0,), tests=None, epochs=120, source="collection"):
    """Write results and params.yaml; ``tests`` is the number of test images of each dataset, None: as in the paper."""
    paper = published("tables_3_4_5").set_index(["dataset", "model"])
    costs = published("table_7").set_index("model")
    for number, dataset in enumerate(datasets):
        rng = np.random.default_rng([7, number])
        card = asdict(plugins.load("datasets", dataset).CARD)
        count = tests or round(0.2 * card["images"])
        truth = _truth(rng, count, card)
        cells, images, curves, history = [], [], [], []
        for model in models:
            row = paper.loc[(dataset, model)] if (dataset, model) in paper.index else paper.loc[(dataset, "unet")]
            for seed in seeds:
                cell = {"dataset": dataset, "model": model, "seed": seed}
                part = _images(rng, truth, row["precision"], row["recall"])
                images.append(part.assign(**cell))
                curves.append(_curve(part).assign(**cell))
                history.append(_history(rng, epochs, row["miou"]).assign(**cell))
                cells.append(_record(cell, source))
        prepared = {
            "dataset": dataset, "classes": 1, "content": f"{DATASETS.index(dataset):016x}", "counts": _counts(count),
            "origin": {"source": source}, "settings": {"image_size": SIDE, "mask_threshold": 0, "skip": []},
            "measured": {"photographs": card["photographs"], "crack_share": card["crack_share_pct"] / 100,
                         "native_size": "448x448"},
        }  # fmt: skip
        frames = (pd.concat(part, ignore_index=True) for part in (images, curves, history))
        scores.write(folder / "results" / "scores" / dataset, scores.Scores(*frames, cells, prepared, []))
    for model in models:
        known = costs.loc[model] if model in costs.index else costs.loc["unet"]
        cost.write(folder / "results" / "cost" / f"{model}.json", _cost(model, known))
    params = {"datasets": list(datasets), "models": list(models), "seeds": list(seeds)}
    params["report"] = {"headline": "batch_mean"}
    files.write_text(folder / "params.yaml", yaml.safe_dump(params))
    return folder


def _counts(tests):
    return {"train": 4 * tests, "validation": 0, "test": tests}


def _truth(rng, count, card):
    """Return areas, widths and photographs of the true masks."""
    area = np.clip(card["crack_share_pct"] / 100 * SIDE**2 * rng.lognormal(-0.15, 0.6, count), 60, SIDE**2 / 3)
    width = np.clip(rng.lognormal(1.5, 0.55, count), 1.2, 40)
    frame = pd.DataFrame({"true": area.round(), "skeleton_true": np.maximum(8, (area / width).round())})
    frame["item"] = [f"item_{i:04}" for i in range(count)]
    per_photo = max(1, round(card["images"] / card["photographs"]))
    return frame.assign(photo=[f"photo_{i // per_photo}" for i in range(count)], batch=np.arange(count) // 32)


def _images(rng, truth, precision, recall):
    """Return the rows of a cell: thin cracks are found less often."""
    count, thin = len(truth), np.log(truth["true"] / truth["skeleton_true"]).to_numpy() - 1.5
    logit = np.log([precision / (1 - precision), recall / (1 - recall)])
    p, r = 1 / (1 + np.exp(-(logit[:, None] + rng.normal(0, 0.45, (2, count)) + 0.6 * thin)))
    true = truth["true"].to_numpy()
    tp = np.minimum(true, (r * true).round())
    pred = np.minimum(SIDE**2 - true + tp, np.maximum(tp, (tp / p).round()))
    frame = truth.drop(columns="true").assign(tp=tp, fp=pred - tp, fn=true - tp, tn=SIDE**2 - pred - true + tp)
    for tolerance, share in ((2, 0.6), (5, 0.85)):
        frame[f"pred_hit_{tolerance}px"] = (tp + share * (pred - tp)).round()
        frame[f"true_hit_{tolerance}px"] = (tp + share * (true - tp)).round()
    length = frame["skeleton_true"].to_numpy()
    frame["skeleton_pred"] = (length * pred / true).round()
    frame["skeleton_pred_hit"] = frame["centreline_pred_hit_4px"] = (frame["skeleton_pred"] * p).round()
    frame["skeleton_true_hit"] = frame["centreline_true_hit_4px"] = (length * r).round()
    frame["boundary_pred"], frame["boundary_true"], frame["boundary_both"] = pred, true, (0.95 * tp).round()
    f1 = 2 * tp / (pred + true)
    frame["best_threshold"], frame["best_f1"] = 110, np.minimum(1, f1 * 1.02)
    frame["aiu"], frame["average_precision"] = 0.9 * f1 / (2 - f1), np.minimum(1, f1 * 1.05)
    return frame.assign(expected_calibration_error=0.02 * (1 - f1))


def _curve(images):
    """Return counts by threshold that pass through the sum of the images at p = 0.5."""
    tp, fp, fn, tn = images[scores.COUNTS].sum()
    below, above = THRESHOLDS / 128, (256 - THRESHOLDS) / 128
    low = THRESHOLDS <= 128
    found = np.where(low, tp + fn - fn * below**3, tp * above**0.5)
    false = np.where(low, fp + tn * np.clip(1 - below, 0, 1) ** 12, fp * above**1.4)
    found, false = np.minimum(tp + fn, found.round()), false.round()
    found[128], false[128] = tp, fp
    frame = pd.DataFrame({"threshold": THRESHOLDS, "tp": found, "fp": false, "fn": tp + fn - found})
    return frame.assign(f1_mean=2 * found / (found + false + tp + fn))


def _history(rng, epochs, miou):
    """Return training curves that saturate."""
    e = np.arange(1, epochs + 1)
    rise = 1 - np.exp(-e / (0.12 * epochs))
    noise = rng.normal(0, 0.012, (2, epochs))
    frame = pd.DataFrame({"epoch": e, "lr": 1e-4 * 0.5 ** (e // (epochs // 4 + 1))})
    frame["train_loss"], frame["val_loss"] = 1.2 - 0.95 * rise + noise[0], 1.2 - 0.8 * rise + noise[1]
    return frame.assign(train_iou=np.clip(1.15 * miou * rise, 0, 1), val_iou=np.clip(miou * rise + noise[1], 0, 1))


def _record(cell, source):
    settings = {"source": source, "train": {"lr": 1e-4, "batch": 32, "weight_decay": 1e-5, "epochs": 1000}}
    return cell | {
        "model_name": plugins.load("models", cell["model"]).NAME, "protocol": "5e11ec7ed0c0", "settings": settings,
        "source": source, "data": f"{DATASETS.index(cell['dataset']):016x}",
        "code": {"commit": "c0ffee1", "dirty": False},
        "program": f"p-{cell['model']}", "versions": {"python": "3.11"}, "epochs": 120, "best_epoch": 97,
        "hardware": {"processor": "synthetic", "gpu": "none (synthetic)"}, "seconds": 3600.0, "images_per_s": 100.0,
        "peak_memory_mb": 9000.0, "stopped": "after 120 epochs",
    }  # fmt: skip


def _cost(model, printed):
    record = {"model": model, "model_name": plugins.load("models", model).NAME, "encoder": "resnet50"}
    record |= {"image_size": SIDE, "parameters": round(printed["params_m"] * 1e6)}
    record |= {"gflops": float(printed["gflops"]), "gmacs": float(printed["gflops"]) / 2, "threads": 1, "repeats": 50}
    ms = float(printed["inference_ms"])
    record |= {"latency_ms_p50": ms, "latency_ms_p95": 1.1 * ms, "images_per_s": 1000 / ms, "peak_memory_mb": 900.0}
    return record | {"device": "synthetic", "versions": {"python": "3.11"}}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
