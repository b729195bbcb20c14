"""Checkpoints of SevenNet, read by torch's restricted loader: nothing that they hold is run."""

import importlib.util
import pathlib
import pickle
from typing import Any

import numpy as np
from jaxtyping import Float

USUAL = "SevenNet_0__11Jul2024"
RECONSTRUCT = np.zeros(0).__reduce__()[0]  # how numpy pickles an array, under the names of numpy 1 and 2
ALLOWED = (
    (RECONSTRUCT, "numpy.core.multiarray._reconstruct"),
    (RECONSTRUCT, "numpy._core.multiarray._reconstruct"),
    np.ndarray,
    np.dtype,
    np.dtypes.Float32DType,
    np.dtypes.Float64DType,
    np.dtypes.Int64DType,
)


def read_sevennet(
    checkpoint: pathlib.Path | None,
) -> tuple[pathlib.Path, dict[str, Any], dict[str, Float[np.ndarray, "..."]]]:
    """Return where a checkpoint of SevenNet lies, its settings, and its weights by name.

    Args:
        checkpoint: a file, or the name of one that sevenn ships, such as SevenNet_l3i5; None: SevenNet-0.

    Raises:
        ValueError: torch or sevenn is not installed, or the file holds anything but weights and settings.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise ValueError("reading a SevenNet needs torch and sevenn: pip install 'symjax[sevennet]'") from None
    path = checkpoint if checkpoint is not None and checkpoint.exists() else _shipped(checkpoint)
    try:
        with torch.serialization.safe_globals(list(ALLOWED)):
            content = torch.load(path, map_location="cpu", weights_only=True)
        config, state = content["config"], content["model_state_dict"]
        return path, dict(config), {name: value.numpy() for name, value in state.items()}
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, TypeError, AttributeError):
        raise ValueError(
            f"{path} is no checkpoint of SevenNet, or holds more than weights and settings, which would have to be run"
        ) from None


def _shipped(checkpoint: pathlib.Path | None) -> pathlib.Path:
    """Return the file of a checkpoint that sevenn ships, which is not imported for that."""
    found = importlib.util.find_spec("sevenn")
    if found is None or not found.submodule_search_locations:
        missing = "" if checkpoint is None else f"there is no file {checkpoint}, and "
        raise ValueError(f"{missing}the weights of SevenNet-0 come with sevenn: pip install 'symjax[sevennet]'")
    place = pathlib.Path(found.submodule_search_locations[0]) / "pretrained_potentials"
    known = {path.parent.name: path for path in sorted(place.glob("*/*.pth"))}
    name = USUAL if checkpoint is None else str(checkpoint)
    if name not in known:
        raise ValueError(f"there is no file {name}, nor a checkpoint of that name in sevenn; it has {', '.join(known)}")
    return known[name]
