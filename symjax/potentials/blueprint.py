"""model.json: what a model is besides its parameters, and what it was made from."""

import dataclasses
import io
import pathlib
from typing import Any, Literal

import ase
import ase.io
import jax
import numpy as np
from jaxtyping import PyTree

from symjax.data import Splits, Statistics, Structures, digest_data, read_structures
from symjax.graphs import atoms_graph
from symjax.math import require_memory
from symjax.potentials.heads import HEADS
from symjax.potentials.potential import Potential
from symjax.potentials.references import References
from symjax.potentials.table import architecture, build, options_of
from symjax.potentials.uncertainty import read_calibration
from symjax.training import (
    damaged,
    decode,
    digest_json,
    name_of,
    read_json,
    read_run,
    require_same_identity,
    restore_run,
    say,
    seal,
    write_bytes,
    write_json,
)

COPIES_TO_SERVE, COPIES_TO_LEARN = 2, 6  # of the parameters: their gradient, average, momenta, and a checkpoint


@dataclasses.dataclass(frozen=True)
class Blueprint:
    """A row of the table of potentials with its options, the atoms it knows, what it predicts, and from which data.

    Attributes:
        name: the row.
        options: the fields of the module, as JSON has them.
        species: atomic numbers.
        references: what labels were freed from, and the scale of the outputs.
        statistics: of the training data, with the number of devices and the digest of all data.
        label: what its head makes.
        run: the identity of the run it belongs to; none before runs had one.
        origin: of a model that was fine-tuned: the "run" it comes from, its "identity", and its "errors" on the test
            data before any step.
        spreads: what the errors of the labels that are learnt are divided by; 1 where there is none.
        members: of a committee; None: one set of parameters.
    """

    name: str
    options: dict[str, Any]
    species: tuple[int, ...]
    references: References
    statistics: dict[str, Any]
    label: str = "energy"
    run: str = ""
    origin: dict[str, Any] = dataclasses.field(default_factory=dict)
    spreads: dict[str, float] = dataclasses.field(default_factory=dict)
    members: int | None = None

    @property
    def identity(self) -> str:
        """What `identity_of` returns once this is written."""
        return _identity(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data = dataclasses.asdict(self) | {"references": self.references.to_dict()}
        absent = {name for name in ("run", "origin", "members") if not data[name]}
        return {name: value for name, value in data.items() if name not in absent}

    def build(self) -> Any:
        """Return the module."""
        return build(self.name, self.options)

    @property
    def network(self) -> Any:
        """The options of the module that people choose, as `options_of` has them."""
        kind, module = options_of(self.name), self.build()
        return kind(**{field.name: getattr(module, field.name) for field in dataclasses.fields(kind)})

    def shapes(self) -> PyTree:
        """Return zeros of the shapes and types of the parameters, in single precision.

        Raises:
            ValueError: they do not fit into memory.
        """
        self.require_memory(COPIES_TO_SERVE)
        return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), self._abstract())

    def require_memory(self, copies: int) -> None:
        """Refuse parameters of which so many copies do not fit into memory.

        Raises:
            ValueError: they do not.
        """
        count = sum(leaf.size for leaf in jax.tree.leaves(self._abstract()))
        require_memory(4 * copies * count, f"{copies} copies of the {count:.2g} parameters of {self.name}")

    def _abstract(self) -> PyTree:
        model, atom = self.build(), ase.Atoms([self.species[0]])
        graph = jax.tree.map(
            lambda leaf: leaf.astype(np.float32) if np.issubdtype(leaf.dtype, np.floating) else leaf,
            atoms_graph(atom, cutoff=model.cutoff, species=self.species),
        )
        one = jax.eval_shape(model.init, jax.random.key(0), graph)
        axes = () if self.members is None else (self.members,)
        return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((*axes, *leaf.shape), leaf.dtype), one)


@dataclasses.dataclass(frozen=True)
class _StoredReferences:
    """Reference energies as JSON has them, by chemical symbol."""

    energies: dict[str, float]
    shift: float
    scale: float
    isolated: bool = False
    bonds: dict[str, float] = dataclasses.field(default_factory=dict)
    repulsion: Literal["none", "zbl"] = "none"


def draw_blueprint(
    name: str,
    options: dict[str, Any],
    *,
    facts: Statistics,
    splits: Splits,
    references: References,
    label: str = "energy",
    run: str = "",
    spreads: dict[str, float],
    members: int | None = None,
) -> Blueprint:
    """Return the blueprint of a model for some training data.

    Raises:
        ValueError: there is no such model, it cannot predict the property, an option is out of range, the parameters do
            not fit into memory, or no two atoms are within the cutoff.
    """
    if facts.mean_neighbours == 0:
        raise ValueError(f"no two atoms of the training data are within {options['cutoff']} Å; raise --cutoff")
    given = {"species": len(facts.species), "average_neighbours": facts.mean_neighbours}
    if label != "energy":
        given["outputs"] = HEADS[label].outputs(architecture(name).vectors)
    known = facts._asdict() | {"species": list(facts.species)}  # as JSON gives it back
    known |= {"devices": jax.device_count(), "digest": digest_data(splits)}
    own = {"label": label, "run": run, "spreads": spreads, "members": members}
    blueprint = Blueprint(name, options | given, facts.species, references, known, **own)
    blueprint.require_memory(COPIES_TO_LEARN)
    return blueprint


def write_blueprint(folder: pathlib.Path, blueprint: Blueprint, structure: ase.Atoms) -> None:
    """Write model.json, and beside it a training structure for `check`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    ase.io.write(text, structure, format="extxyz")
    write_bytes(folder / "structure.xyz", text.getvalue().encode())
    write_json(folder / "model.json", blueprint.to_dict())


def read_blueprint(folder: pathlib.Path) -> Blueprint:
    """Return what model.json says of a run's model.

    Raises:
        ValueError: there is none, it is damaged, or it does not belong to run.json.
    """
    path = folder / "model.json"
    data = read_json(path)
    try:
        architecture(decode(str, data.get("name"), "name"))
        references = decode(_StoredReferences, data.get("references"), "references")
        data |= {"references": References.from_dict(dataclasses.asdict(references))}
        blueprint = decode(Blueprint, data, "it")
        if blueprint.build().species != len(blueprint.species):
            raise ValueError(f"the options count {blueprint.build().species} species, not {len(blueprint.species)}")
    except ValueError as error:
        raise damaged(path, error) from None
    require_same_identity(str(path), read_run(folder).identity, blueprint.run)
    return blueprint


def identity_of(folder: pathlib.Path) -> str:
    """Return what checkpoints carry: the random name of the run and the SHA-256 of what model.json says."""
    return _identity(read_json(folder / "model.json"))


def _identity(data: dict[str, Any]) -> str:
    return seal(name_of(data["run"]), data) if "run" in data else digest_json(data)


def read_example(folder: pathlib.Path) -> Structures:
    """Return the training structure that a run keeps, without labels."""
    return read_structures(folder / "structure.xyz", energy_key=None, forces_key=None)


def load_potential(folder: pathlib.Path) -> Potential:
    """Return the best potential of a run; damaged checkpoints that were passed over are named on stderr.

    Raises:
        ValueError: there is no model.json, it is damaged or of other checkpoints, or there is no good checkpoint.
    """
    blueprint, identity = read_blueprint(folder), identity_of(folder)
    params, _, passed_over = restore_run(folder, identity=identity, target=blueprint.shapes())
    say(*passed_over)
    return Potential(
        blueprint.build(),
        params,
        blueprint.species,
        blueprint.references,
        blueprint.label,
        blueprint.members,
        read_calibration(folder, identity),
    )
