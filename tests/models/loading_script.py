"""Build networks with pretrained encoders, once beside a server that answers as the hub does, and once without.

Run in an interpreter of its own: the hub's library reads its address and its cache folder when it is imported. Leaves
the served weights, those of each network's encoder, and report.json in the folder named on the command line.
"""

import hashlib
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread

FOLDER = Path(sys.argv[1])
files: dict[str, bytes] = {}
requests: list[tuple[str, str]] = []


class Hub(BaseHTTPRequestHandler):
    """The part of the hub's protocol that a download needs."""

    def do_HEAD(self) -> None:
        requests.append((self.command, self.path))
        content = files.get(self.path, b"")
        self.send_response(200 if content else 404)
        self.send_header("X-Repo-Commit", self.path.split("/")[4] if content else "")
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(files.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
address = f"http://127.0.0.1:{server.server_port}"
for name in [name for name in os.environ if name.startswith(("HF_", "HUGGINGFACE_"))]:
    del os.environ[name]
os.environ |= {"HF_ENDPOINT": address, "HF_HOME": str(FOLDER), "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}

import torch  # noqa: E402
from safetensors.torch import save, save_file  # noqa: E402
from segmentation_models_pytorch.encoders import encoders  # noqa: E402
from torchvision.models import resnet18  # noqa: E402

from bench.errors import UserError  # noqa: E402


def build(model: str, encoder: str, out: str) -> None:
    network = import_module(f"bench.models.{model}").build(3, 1, 64, encoder, "imagenet")
    save_file(network.encoder.state_dict(), FOLDER / f"{out}.safetensors")


weights = resnet18(weights=None).state_dict()  # with its classifier, as on the hub
save_file(weights, FOLDER / "served.safetensors")
source = encoders["resnet18"]["pretrained_settings"]["imagenet"]
url = f"/{source['repo_id']}/resolve/{source['revision']}"
files |= {f"{url}/config.json": b"{}", f"{url}/model.safetensors": save(weights)}

thread = Thread(target=server.serve_forever)
thread.start()
build("unet", "resnet18", "unet")
build("context_cracknet", "resnet18", "context_cracknet")
server.shutdown()
thread.join()
server.server_close()

torch.manual_seed(1)
build("unet", "resnet18", "unet_offline")
started = time.perf_counter()
try:
    build("unet", "resnet34", "never")
except UserError as error:
    report = {
        "requests": requests,
        "address": address,
        "message": str(error),
        "cause": type(error.__cause__).__name__,
        "seconds": time.perf_counter() - started,
    }
    (FOLDER / "report.json").write_text(json.dumps(report), encoding="utf-8")
