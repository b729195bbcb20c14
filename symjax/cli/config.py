"""What the verbs of the command accept: frozen dataclasses, importable in an instant."""

import dataclasses
import math
import pathlib
from typing import Annotated, Literal

from tyro.conf import Positional, arg

Preset = Literal["tiny", "small", "base"]
RunDirectory = Annotated[pathlib.Path, Positional, arg(metavar="RUN", help="a run directory of `symjax train`")]


@dataclasses.dataclass(frozen=True)
class Labels:
    """How labels are called in a file, and in which units."""

    energy_key: str = "energy"
    forces_key: str | None = "forces"  # None: train on energies alone
    stress_key: str | None = None  # with a name: train on stresses too
    units: str = "eV"  # of energies: eV, meV, kcal/mol, kJ/mol, Hartree, ...
    length: str = "Å"  # of positions: Å, bohr, nm


@dataclasses.dataclass(frozen=True)
class Model:
    """Size and shape of the network."""

    cutoff: float = 5.0  # Å
    channels: int = 32  # multiplicity of every irrep
    lmax: int = 2
    parity: bool = False  # also irreps of unnatural parity
    layers: int = 2
    radial_basis: int = 8
    radial_widths: tuple[int, ...] = (64, 64)


@dataclasses.dataclass(frozen=True)
class Train:
    """Train an interatomic potential; without arguments, on the ethanol data that ships."""

    data: pathlib.Path | None = None  # anything ASE reads, or an MD17, rMD17 or sGDML .npz; None: the shipped ethanol
    labels: Labels = dataclasses.field(default_factory=Labels)
    valid: float = 0.1  # a fraction below 1, or a number of structures
    test: float = 0.1
    references: str = "fit"  # fit | isolated | a table such as H=-13.6,C=-1029.5 (eV)
    model: Literal["nequip"] = "nequip"
    preset: Preset = "small"
    net: Model = dataclasses.field(default_factory=Model)
    batch_size: int = 5  # structures, on average
    epochs: int = 200
    optimizer: Literal["muon", "amsgrad"] = "muon"  # Muon on matrices and Adam on the rest, or AMSGrad
    learning_rate: float = 2e-2
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    warmup: int = 100  # steps
    ema: float = 0.99
    clip: float = 100.0  # largest norm of the gradient
    energy_weight: str = "1"  # of the squared error per atom; a number, or a schedule such as 0:1,5000:10 (step:weight)
    forces_weight: str = "1"  # of the squared error of components
    stress_weight: str = "1"
    patience: int | None = None  # evaluations without a new best before stopping
    evaluate_every: int = 10  # epochs
    parallel: Literal["jit", "pmap", "shard_map"] = "jit"
    distributed: bool = False  # join the other processes of a pod first
    seed: int = 0
    out: pathlib.Path | None = None  # the run directory; None: runs/NAME
    resume: pathlib.Path | None = None  # go on with this run, as it was configured


PRESETS: dict[str, Train] = {
    "tiny": Train(
        preset="tiny",
        net=Model(channels=4, lmax=1, layers=2, radial_widths=(8,), radial_basis=4),
        valid=4.0,
        test=8.0,
        batch_size=8,
        epochs=2,
        evaluate_every=1,
        warmup=2,
    ),
    "small": Train(),
    "base": Train(
        preset="base", net=Model(channels=64, lmax=2, layers=4), epochs=1000, learning_rate=5e-3, ema=0.999, warmup=1000
    ),
}


def require_sound(config: Train) -> None:
    """Refuse numbers that no training can use; data and model look after their own.

    Raises:
        ValueError: a number is out of its range.
    """
    for name, least in {"batch_size": 1, "epochs": 1, "evaluate_every": 1, "patience": 1, "warmup": 0}.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise ValueError(f"--{name.replace('_', '-')} must be at least {least}, not {value}")
    for name in ("learning_rate", "clip"):
        value = getattr(config, name)
        if not 0 < value < math.inf:
            raise ValueError(f"--{name.replace('_', '-')} must be a positive number, not {value}")
    if not 0 <= config.ema < 1:
        raise ValueError(f"--ema is a decay of at least 0 and below 1, not {config.ema}")
    if not 0 <= config.seed < 2**32:
        raise ValueError(f"--seed must be at least 0 and below 2^32, not {config.seed}")


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Measure the errors of a trained potential on labelled structures."""

    run: RunDirectory
    data: pathlib.Path
    labels: Labels = dataclasses.field(default_factory=Labels)


@dataclasses.dataclass(frozen=True)
class Predict:
    """Write energies, forces and stresses of structures, as extended xyz; other columns of the input are not kept."""

    run: RunDirectory
    input: pathlib.Path  # anything ASE reads
    output: pathlib.Path  # FILE.xyz or FILE.extxyz


@dataclasses.dataclass(frozen=True)
class Check:
    """Measure the laws of a trained potential in float64, on a training structure or the first of a file."""

    run: RunDirectory
    data: pathlib.Path | None = None  # anything ASE reads; its first structure is used
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Doctor:
    """Show versions and devices, and look for known faults of the installation."""


@dataclasses.dataclass(frozen=True)
class Basis:
    """Solve for all equivariant linear maps between two representations, describe them and draw them."""

    group: Annotated[str, Positional, arg(metavar="GROUP", help='such as "SO(3)", "S(5)", "SO(3) * S(5)"')]
    rep_in: Annotated[str, Positional, arg(metavar="IN", help='such as "T(2)", "V + 3*Scalar", "V(SO(3)) * V(S(5))"')]
    rep_out: Annotated[str, Positional, arg(metavar="OUT", help="in the same language; G is the group")]
    method: Literal["auto", "orbits", "isotypic", "weights", "diagrams", "dense"] = "auto"
    out: pathlib.Path = pathlib.Path("basis.png")  # the picture
