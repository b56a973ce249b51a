"""What every file in bench/models keeps to; a failing message says what the author of a model has to do."""

import inspect
import re
import subprocess
import sys
from copy import deepcopy
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from bench import plugins

ROOT = Path(__file__).parents[2]
MODELS = plugins.names("models")
SIZE = 128  # px: every encoder's stride divides it, and a network of 1/32 still sees 4 x 4 positions
SIGNATURE = "(channels: int, classes: int, image_size: int, encoder: str, weights: str | None) -> nn.Module"
IMPORT = """
import importlib, sys
sys.modules["torch"] = None  # importing it now fails
for name in sys.argv[1:]:
    try:
        importlib.import_module(f"bench.models.{name}")
    except ImportError as error:
        print(name, "->", error)
"""

every_model = pytest.mark.parametrize("model", MODELS, scope="module")  # all tests of a model, then the next model's


def module(model: str) -> ModuleType:
    return import_module(f"bench.models.{model}")


@lru_cache(maxsize=2)  # those of the model at hand: all models' take gigabytes
def network(model: str, classes: int) -> nn.Module:
    """Return a network of seed 0, shared by the tests: only that of 3 classes is run in training mode."""
    torch.manual_seed(0)
    return module(model).build(3, classes, SIZE, "resnet18", None)


def images(size: int = SIZE) -> Tensor:
    return torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(1))


@every_model
def test_says_what_it_is(model: str) -> None:
    path = f"bench/models/{model}.py"
    first_line = (module(model).__doc__ or "").split("\n")[0]
    assert re.search(r"\b(19|20)\d\d\b", first_line), f"{path}: the docstring's first line needs the paper's year."
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|DOI 10\.\d+/", first_line), (
        f"{path}: the docstring's first line needs the paper's identifier, as arXiv:1505.04597 or DOI 10.1109/..."
    )
    name = getattr(module(model), "NAME", None)
    assert isinstance(name, str), f'{path}: add NAME = "...", the name to print in tables and figures.'
    assert name.strip(), f"{path}: NAME is empty; tables and figures print it."


def test_names_are_unique() -> None:
    names = [module(model).NAME for model in MODELS]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"NAME is what tells rows of a table apart; more than one file in bench/models has {twice}."


@every_model
def test_build_signature(model: str) -> None:
    path = f"bench/models/{model}.py"
    functions = [name for name, _ in inspect.getmembers(module(model), inspect.isfunction) if name[0] != "_"]
    assert functions == ["build"], (
        f"{path}: one public function, build, is all a model has; found {functions}. "
        "Put helpers into a file of bench/models that starts with an underscore, and import them inside build."
    )
    found = str(inspect.signature(module(model).build)).replace("'", "").replace("torch.", "")
    assert found == SIGNATURE, f"{path}: write\n    def build{SIGNATURE}:\nfound\n    def build{found}:"
    assert module(model).build.__doc__, f"{path}: build needs a docstring."


def test_import_without_torch() -> None:
    command = [sys.executable, "-c", IMPORT, *MODELS]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert not run.stdout, (
        "these files of bench/models import torch, so the reports, which only read NAME, would need it too. Import "
        f"inside build, and for annotations under `if TYPE_CHECKING:`; bench/models/unet.py shows how.\n{run.stdout}"
    )


@every_model
@pytest.mark.parametrize("classes", [1, 3])
def test_logits_shape(model: str, classes: int) -> None:
    with torch.no_grad():
        logits = network(model, classes).eval()(images())
    assert isinstance(logits, Tensor), f"{model}: return one tensor of logits, not {type(logits).__name__}."
    expected = (2, classes, SIZE, SIZE)
    assert logits.shape == expected, (
        f"{model}: logits are (B, classes, H, W) at the input's size, here {expected}; found {tuple(logits.shape)}. "
        "Resize them inside the network."
    )
    assert torch.isfinite(logits).all(), f"{model}: logits of standard-normal images are not finite; check the scales."


@every_model
def test_output_is_not_a_probability(model: str) -> None:
    net = deepcopy(network(model, 1)).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter *= 2 if parameter.ndim > 1 else 1  # large weights make large logits; probabilities stay in [0, 1]
        outputs = net(images())
    assert not ((outputs >= 0) & (outputs <= 1)).all(), (
        f"{model}: all outputs lie in [0, 1]. Return logits: the loss and the evaluation apply the sigmoid."
    )


@every_model
def test_eval_is_deterministic(model: str) -> None:
    net = network(model, 1).eval()
    with torch.no_grad():
        first, second = net(images()), net(images())
        one_by_one = torch.cat([net(image[None]) for image in images()])
    assert torch.equal(first, second), f"{model}: two passes in evaluation mode differ; is a dropout always on?"
    assert torch.allclose(first, one_by_one, rtol=1e-3, atol=1e-3), (
        f"{model}: in evaluation mode an image's logits depend on the other images of the batch."
    )


@every_model
def test_same_seed_same_weights(model: str) -> None:
    torch.manual_seed(0)
    again = module(model).build(3, 1, SIZE, "resnet18", None).state_dict()
    different = [
        name for name, tensor in network(model, 1).state_dict().items() if not torch.equal(tensor, again[name])
    ]
    assert not different, f"{model}: torch.manual_seed(0) does not fix the first weights; different: {different[:5]}."


@every_model
def test_gradient_reaches_all_parameters(model: str) -> None:
    net = network(model, 3).train().to(memory_format=torch.channels_last)  # as trainings lay it out
    net.zero_grad(set_to_none=True)
    net(images()).square().mean().backward()
    for name, parameter in net.named_parameters():  # the fused optimiser goes through both in the order of memory
        assert parameter.grad is None or parameter.grad.stride() == parameter.stride(), f"{model}: {name}"
    claimed = tuple(f"{prefix}." for prefix in getattr(module(model), "UNUSED", ()))
    reached = {name for name, parameter in net.named_parameters() if parameter.grad is not None}
    every = {name for name, _ in net.named_parameters()}
    unused = sorted(name for name in every - reached if not name.startswith(claimed or "\n"))
    assert not unused, (
        f"{model}: the logits do not depend on {len(unused)} parameters, such as {unused[:3]}. Use them or drop them; "
        "if they belong to the published model as it is, list the parts' names in UNUSED = (...), with the reason."
    )
    used = sorted(name for name in reached if claimed and name.startswith(claimed))
    assert not used, f"{model}: UNUSED lists parameters that the logits do depend on, such as {used[:3]}. Drop these."
    assert all(any(name.startswith(prefix) for name in every) for prefix in claimed), (
        f"{model}: UNUSED names a part that the network does not have; its parts are "
        f"{sorted({name.split('.')[0] for name in every})}."
    )


@every_model
def test_other_sizes_work_or_say_so(model: str) -> None:
    net = network(model, 1).eval()
    refusal = logits = None
    try:
        with torch.no_grad():
            logits = net(images(100))
    except (ValueError, RuntimeError) as error:
        refusal = str(error)
    if logits is None:
        assert re.search(r"\b100\b", refusal or ""), (
            f"{model}: for a size that it does not take, raise a ValueError that names it; this one says: {refusal}"
        )
    else:
        assert logits.shape == (2, 1, 100, 100), f"{model}: 100 px in, {tuple(logits.shape)} out. Resize, or refuse it."


@every_model
def test_weights_can_be_saved(model: str) -> None:
    state = network(model, 1).state_dict()
    try:
        save(state)
    except (RuntimeError, ValueError) as error:
        pytest.fail(f"{model}: its state_dict cannot be saved as safetensors, as runs are (no shared tensors): {error}")
