"""Energies and forces of a molecule of revised MD17 from 950 or 50 structures (Christensen & von Lilienfeld 2020).

    python -m experiments.rmd17 --preset tiny       # the ethanol that ships, seconds; shows that everything works
    python -m experiments.rmd17 --data rmd17/npz_data/rmd17_aspirin.npz --units kcal/mol \
        --index rmd17/splits/index_train_01.csv --model mace --samples 950
    python -m experiments.rmd17 --data train.xyz --test-data test_MD.xyz --molecule ethanol --samples 50

The archive (arXiv:2007.09593) is on figshare. Of its files of frames, `index_train_0K.csv`, the first are learnt from
and the next validated on; errors are those on 1000 of `index_test_0K.csv`. Any other file with energies and forces will
do; its frames are drawn by the seed. Any model of `symjax train` learns, and each run directory is one of `symjax
train`, so that `evaluate`, `check` and `md` take it. A stopped run goes on when the same command is given again.

From 950 ethanol structures MACE of 32 channels and degrees up to 3 has errors of 0.63 meV and 4.2 meV/Å on 1000 others
(paper 0.4 and 2.1, with 256 channels; NequIP there 0.4 and 2.8), after 400 epochs in 71 CPU minutes of one core of a
busy x86-64 machine, 2026-11-29; seed 0, files of BOTNet-datasets:

    symjax train --model mace --channels 32 --lmax 3 --energy-weight 0.3 --learning-rate 1e-2 --epochs 400 \
        --data train.xyz@:950 --valid-data train.xyz@950: --test-data test_MD.xyz

From 50 ethanol structures MACE has errors of 7.5 meV and 34.7 meV/Å on 1000 others (paper 6.7 and 32.6, with 256
channels; NequIP there 8.7 and 40.2), in 8 CPU minutes of one core of a busy x86-64 machine, 2026-11-29. With degrees up
to 2 instead of 3 and 1000 epochs they were 9.3 and 42.9. Files are those of BOTNet-datasets; one seed, every 20th
frame:

    symjax train --model mace --channels 64 --lmax 3 --energy-weight 0.3 --learning-rate 1e-2 --epochs 300 \
        --evaluate-every 20 --data train.xyz@::20 --valid-data train.xyz@7::20 --test-data test_MD.xyz
"""

import dataclasses
import pathlib
from importlib import resources
from typing import Any, Literal

import numpy as np

from symjax import training
from symjax.cli.verbs.train import Train, run
from symjax.data import LabelKeys, read_structures
from symjax.potentials import preset_of
from symjax.tasks.potential import Options as Question
from symjax.training import Recipe

# mean absolute errors of energies, meV, and forces, meV/Å: Batatia et al. 2022, arXiv:2206.07697, table 1
PAPER: dict[int, dict[str, dict[str, tuple[float, float]]]] = {
    950: {
        "aspirin": {"mace": (2.2, 6.6), "allegro": (2.3, 7.3), "nequip": (2.3, 8.2)},
        "azobenzene": {"mace": (1.2, 3.0), "allegro": (1.2, 2.6), "nequip": (0.7, 2.9)},
        "benzene": {"mace": (0.4, 0.3), "allegro": (0.3, 0.2), "nequip": (0.04, 0.3)},
        "ethanol": {"mace": (0.4, 2.1), "allegro": (0.4, 2.1), "nequip": (0.4, 2.8)},
        "malonaldehyde": {"mace": (0.8, 4.1), "allegro": (0.6, 3.6), "nequip": (0.8, 5.1)},
        "naphthalene": {"mace": (0.5, 1.6), "allegro": (0.2, 0.9), "nequip": (0.9, 1.3)},
        "paracetamol": {"mace": (1.3, 4.8), "allegro": (1.5, 4.9), "nequip": (1.4, 5.9)},
        "salicylic": {"mace": (0.9, 3.1), "allegro": (0.9, 2.9), "nequip": (0.7, 4.0)},
        "toluene": {"mace": (0.5, 1.5), "allegro": (0.4, 1.8), "nequip": (0.3, 1.6)},
        "uracil": {"mace": (0.5, 2.1), "allegro": (0.6, 1.8), "nequip": (0.4, 3.1)},
    },
    50: {
        "aspirin": {"mace": (17.0, 43.9), "nequip": (19.5, 52.0)},
        "azobenzene": {"mace": (5.4, 17.7), "nequip": (6.0, 20.0)},
        "benzene": {"mace": (0.7, 2.7), "nequip": (0.6, 2.9)},
        "ethanol": {"mace": (6.7, 32.6), "nequip": (8.7, 40.2)},
        "malonaldehyde": {"mace": (10.0, 43.3), "nequip": (12.7, 52.5)},
        "naphthalene": {"mace": (2.1, 9.2), "nequip": (2.1, 10.0)},
        "paracetamol": {"mace": (9.7, 31.5), "nequip": (14.3, 39.7)},
        "salicylic": {"mace": (6.5, 28.4), "nequip": (8.0, 35.0)},
        "toluene": {"mace": (3.1, 12.1), "nequip": (3.3, 15.1)},
        "uracil": {"mace": (4.4, 25.9), "nequip": (7.3, 40.1)},
    },
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Which frames of which molecule, and which network."""

    preset: Literal["tiny", "small", "paper"] = "small"
    data: pathlib.Path | None = None  # a file of frames; None: the ethanol that ships, which is not of rMD17
    test_data: pathlib.Path | None = None  # others to test on; None: of the first
    index: pathlib.Path | None = None  # index_train_0K.csv of rMD17, with its index_test_0K.csv beside it
    molecule: str | None = None  # a row of the published table; None: read off the name of the file
    units: str = "eV"  # kcal/mol of the published archives
    samples: int = 950  # frames to learn from; 950 and 50 are published
    valid: int = 50
    test: int = 1000
    model: str = "mace"  # a row of the table of potentials
    net: Literal["tiny", "small", "base"] = "small"  # its preset
    network: dict[str, int | float] = dataclasses.field(default_factory=dict)  # options that differ, "channels 64"


SHORT = Recipe(epochs=300)
LONG = Recipe(epochs=2000, learning_rate=5e-3, ema=0.999, warmup=1000)
BRIEF = Recipe(epochs=2, evaluate_every=1, warmup=2)


@dataclasses.dataclass(frozen=True)
class Config:
    """What to learn, how, and the folder of all such runs."""

    options: Options = Options()
    recipe: Recipe = SHORT
    out: pathlib.Path = pathlib.Path("runs/rmd17")


PRESETS = {
    "tiny": Config(Options("tiny", samples=8, valid=4, test=8, model="nequip", net="tiny"), BRIEF),
    "small": Config(),
    "paper": Config(Options("paper", net="base"), LONG),
}


def main(config: Config) -> dict[str, float]:
    """Learn, or go on, or read what was learnt; print and return the errors in meV and meV/Å."""
    options = config.options
    molecule = molecule_of(options)
    frames = choose_frames(options, config.out / molecule, config.recipe.seed)
    folder = config.out / f"{molecule}-{options.model}-{options.samples}"
    errors = learn(question(options, frames), config.recipe, folder)
    energy, forces = errors["energy, meV"]["mae"], errors["forces, meV/Å"]["mae"]
    print(
        f"{molecule}, {options.samples} structures, {options.model}: energy {energy:.1f} meV, forces {forces:.1f} meV/Å"
    )
    for name, (published, slopes) in PAPER.get(options.samples, {}).get(molecule, {}).items():
        print(f"  published, {name}: {published} and {slopes}" + (", of another ethanol" * (options.data is None)))
    return {"energy": energy, "forces": forces}


def molecule_of(options: Options) -> str:
    """Return the row of the published table, or the name of the file."""
    name = options.molecule or ("ethanol" if options.data is None else options.data.stem)
    return next((molecule for molecule in PAPER[950] if molecule in name), name)


def choose_frames(options: Options, folder: pathlib.Path, seed: int) -> dict[str, pathlib.Path]:
    """Write which frames are for training, validation and testing, and return what names them.

    Raises:
        ValueError: there are too few.
    """
    data = options.data or pathlib.Path(str(resources.files("symjax.data") / "ethanol.npz"))
    sizes = {"train": options.samples, "valid": options.valid, "test": options.test}
    learnt, tested = pools(options, data, seed)
    if len(learnt) < options.samples + options.valid or len(tested) < options.test:
        raise ValueError(
            f"{data} has {len(learnt)} frames to learn from and {len(tested)} to test on, fewer than {sizes}"
        )
    order = np.concatenate([learnt[: options.samples + options.valid], tested[: options.test]])
    folder.mkdir(parents=True, exist_ok=True)
    words = {}
    for part, numbers in zip(sizes, np.split(order, np.cumsum([*sizes.values()])[:2]), strict=True):
        index = folder / f"{part}-{options.samples}-{seed}.txt"
        index.write_text("\n".join(map(str, numbers)))
        source = (options.test_data or data) if part == "test" else data
        words[part] = pathlib.Path(f"{source}@{index.absolute()}")
    return words


def pools(options: Options, data: pathlib.Path, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of frames to learn from and to test on, in the order in which they are taken."""
    if options.index is not None:
        tested = options.index.with_name(options.index.name.replace("train", "test"))
        return np.loadtxt(options.index, int), np.loadtxt(tested, int)

    def drawn(path: pathlib.Path) -> np.ndarray:
        count = len(read_structures(path, energy_key=None, forces_key=None))
        return np.random.default_rng(seed).permutation(count)

    order, kept = drawn(data), options.samples + options.valid
    return order, order[kept:] if options.test_data is None else drawn(options.test_data)


def question(options: Options, frames: dict[str, pathlib.Path]) -> Question:
    """Return what `symjax train` is asked."""
    train, valid, test = ((frames[part],) for part in ("train", "valid", "test"))
    labels = LabelKeys(units=options.units)
    net = training.plain(preset_of(options.model, options.net)) | options.network
    return Question(train, valid, test, labels, model=options.model, preset=options.net, net=net)


def learn(asked: Question, recipe: Recipe, folder: pathlib.Path) -> dict[str, Any]:
    """Return the errors of a run of `symjax train`: learn, go on, or read its report.

    Raises:
        ValueError: the folder holds another run.
        SystemExit: a signal stopped the training.
    """
    resumed = (folder / "run.json").exists()
    if resumed:
        training.require_same(folder, "potential", training.absolute_data(asked), recipe)
    while (report := training.read_report(folder)) is None:
        if code := run(Train("potential", asked, recipe, folder, folder if resumed else None)):
            raise SystemExit(code)
    return report["errors"]


if __name__ == "__main__":
    main(training.command_line(PRESETS, __doc__))
