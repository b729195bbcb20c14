"""What one training has learnt as the beginning of another: more elements, other references, parameters that stay."""

import dataclasses
import fnmatch
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ase.data import chemical_symbols
from jaxtyping import PyTree

from symjax.data import Structures
from symjax.potentials.potential import Potential, without_repulsion
from symjax.potentials.references import References, fit_references, make_references

NEW = 1e3  # how much cheaper it is to move the reference of a new element than that of a known one


def extend_species(known: Sequence[int], species: Sequence[int]) -> tuple[int, ...]:
    """Return a table of atomic numbers with those that it lacks at its end, so that all others keep their place."""
    return (*known, *sorted({*species} - {*known}))


def transfer_params(learnt: PyTree, fresh: PyTree) -> PyTree:
    """Return fresh parameters with what was learnt in their place.

    Only longer tables have rows of their own left, which are made as large on the average as those that were learnt.
    """

    def put(old: Any, new: Any) -> Any:
        if old.shape == new.shape:
            return old
        drawn = jnp.linalg.norm(new) / math.sqrt(new.size)
        wanted = jnp.linalg.norm(old) / math.sqrt(old.size)
        rows = new * jnp.where(drawn > 0, wanted / jnp.where(drawn > 0, drawn, 1), 1).astype(new.dtype)
        return rows.at[tuple(slice(n) for n in old.shape)].set(jnp.asarray(old, new.dtype))

    return jax.tree.map(put, learnt, fresh)


def move_references(potential: Potential, structures: Structures, choice: str | None = None) -> References:
    """Return the references with which a potential goes on to learn from other data; its scale stays.

    Args:
        potential: with a row for every element of the data.
        structures: with energies in eV.
        choice: "residual" moves the reference of each element of the data by least squares of the energies minus the
            predicted ones, so that labels of another code or functional fit; "keep" moves nothing; others are those of
            `make_references`, and "isolated" takes lone atoms that the data lack from the potential, if it has them;
            None is "isolated" where the potential has the energies of lone atoms and the data bring theirs, else
            "residual". Elements that the data lack keep theirs.

    Raises:
        ValueError: the choice is none, or references of new elements are to be kept.
    """
    had = potential.references
    new = {*structures.species} - had.energies.keys()
    if choice is None:
        choice = "isolated" if had.isolated and {*structures.species} <= structures.isolated.keys() else "residual"
    if choice == "keep":
        if new:
            names = ", ".join(chemical_symbols[z] for z in sorted(new))
            raise ValueError(f"--references keep has no energy for {names}, which the data add; leave it out")
        return had
    if choice == "residual":
        return _moved(potential, structures, new)
    bare = without_repulsion(structures, had.repulsion, cutoff=potential.model.cutoff)
    lone = structures.isolated
    carried = choice == "isolated" and had.isolated and lone  # elements without a lone atom have that of before
    made = fit_references(bare, {**had.energies, **lone}) if carried else make_references(bare, choice)
    others = {z: value + had.shift - made.shift for z, value in had.energies.items()}
    learnt = had.energies if had.isolated else {}  # of these the network has learnt what there is beside its own bonds
    bonds = {**{z: value for z, value in made.bonds.items() if z not in learnt}, **had.bonds}
    return dataclasses.replace(
        made, energies={**others, **made.energies}, bonds=bonds, scale=had.scale, repulsion=had.repulsion
    )


def _moved(potential: Potential, structures: Structures, new: set[int]) -> References:
    """Return references moved by least squares; what compositions leave open is the new elements', if there are any."""
    start = dataclasses.replace(
        potential.references, energies={**dict.fromkeys(new, 0.0), **potential.references.energies}
    )
    bare = structures[structures.known("energy")]
    if not len(bare):
        return start
    left = bare.rows("energy") - dataclasses.replace(potential, references=start).predict(bare).rows("energy")
    counts = np.array([[np.sum(numbers == z) for z in bare.species] for numbers in bare.numbers], float)
    ease = np.array([NEW if z in new else 1.0 for z in bare.species])
    moves = ease * np.linalg.lstsq(counts * ease, left)[0]
    moved = {z: start.energies[z] + float(move) for z, move in zip(bare.species, moves, strict=True)}
    return dataclasses.replace(start, energies={**start.energies, **moved})


def describe_references(before: References, after: References) -> str:
    """Return which reference energies were moved, in eV, and from where."""
    moved = {z: value for z, value in sorted(after.energies.items()) if value != before.energies.get(z)}
    if not moved:
        return "references as they were"
    parts = [
        f"{chemical_symbols[z]} {value:.6g}"
        + (f" (was {before.energies[z]:.6g})" if z in before.energies else " (new)")
        for z, value in moved.items()
    ]
    return f"references (eV) {', '.join(parts)}"


def choose_params(params: PyTree, patterns: Sequence[str]) -> PyTree:
    """Return which parameters some patterns name: a tree of booleans.

    Args:
        params: as a module takes them.
        patterns: of paths such as layer_0/radial/kernel_0, with * for anything; the name of a part is all that is in
            it; several may be joined by |.

    Raises:
        ValueError: a pattern names nothing, or all is named.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(params)
    places = (jax.tree_util.keystr(place, simple=True, separator="/") for place, _ in leaves)
    paths = [place.removeprefix("params/") for place in places]  # Flax puts all of them into this collection
    chosen = [False] * len(paths)
    for pattern in "|".join(patterns).split("|"):
        named = [fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, f"{pattern}/*") for path in paths]
        if not any(named):
            raise ValueError(f"--freeze {pattern} names no parameter; there are {', '.join(paths)}")
        chosen = [was or is_ for was, is_ in zip(chosen, named, strict=True)]
    if all(chosen):
        raise ValueError(f"--freeze {' '.join(patterns)} names all parameters, so that nothing is left to learn")
    return structure.unflatten(chosen)
