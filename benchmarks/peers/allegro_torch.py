"""Allegro of `nequip-allegro` (torch, eager): a training or inference step on the structures of a file."""

import json
import sys
from collections.abc import Callable

from benchmarks.peers.nequip_torch import make
from benchmarks.timing import serve


def make_allegro(size: dict, **common: object) -> object:
    """Return the model of a size: one hidden layer of as many as the scalars in each perceptron, 32 in the readout."""
    from allegro.model import AllegroModel

    return AllegroModel(
        **common,
        num_layers=size["layers"],
        l_max=size["lmax"],
        parity=True,
        num_scalar_features=64,
        num_tensor_features=size["channels"],
        radial_chemical_embed={
            "_target_": "allegro.nn.TwoBodyBesselScalarEmbed",
            "num_bessels": 8,
            "bessel_trainable": False,
        },
    )


def step(facts: dict) -> Callable[[], object]:
    """Return the step that the command line asks for."""
    return make(sys.argv[1], sys.argv[2], json.loads(sys.argv[4]), facts, make_allegro)


if __name__ == "__main__":
    report: dict = {"optimizer": "Adam"}
    serve(lambda: step(report), "nequip-allegro", "nequip", "torch", "e3nn", facts=report)
