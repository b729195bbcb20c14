"""Pairs of atoms within a cutoff, in linear time, for any cell and any periodic directions."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

LARGEST = 20_000_000  # images, or pairs: about 3 GB


def neighbour_list(
    positions: Float[np.ndarray, "n 3"],
    cell: Float[np.ndarray, "3 3"],
    pbc: Bool[np.ndarray, "3"],
    cutoff: float,
) -> tuple[Int[np.ndarray, " e"], Int[np.ndarray, " e"], Float[np.ndarray, "e 3"]]:
    """Return all directed pairs (j -> i) with |x_j - x_i + shift| <= cutoff, sorted by receiver i.

    Every periodic image counts: a cell smaller than the cutoff gives several pairs for the same two atoms, and an atom
    sees its own images, but never itself. Atoms may lie outside the cell. The images of the atoms that can reach the
    cell are listed explicitly and searched with a k-d tree, so time grows linearly with the number of atoms.

    Args:
        positions: coordinates in Å.
        cell: rows are lattice vectors in Å; the rows of directions that are not periodic are ignored.
        pbc: which lattice directions repeat.
        cutoff: largest distance in Å.

    Returns:
        Senders j, receivers i (int32) and shifts of the sender in Å, integer combinations of the lattice vectors.

    Raises:
        ValueError: the cutoff is not positive, a position or the cell is not finite, periodic lattice vectors are
            linearly dependent, or there would be more than 20 million images or pairs.
    """
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise ValueError(f"the cutoff must be a positive number of Å, got {cutoff}")
    if not np.isfinite(positions).all():
        atom = int(np.argmin(np.isfinite(positions).all(axis=1)))
        raise ValueError(f"positions must be finite, but atom {atom} is at {positions[atom].tolist()}")
    if not np.isfinite(cell).all():
        raise ValueError(f"lattice vectors must be finite, got the cell {cell.tolist()}")
    lattice = _complete(cell, pbc)
    inverse = np.linalg.inv(lattice)
    reach = cutoff * np.linalg.norm(inverse, axis=0) + 1e-9
    _require_few_images(len(positions), reach[pbc], cell, cutoff)
    fractional = np.where(pbc, positions @ inverse, 0.0)
    wraps = np.floor(fractional)
    owners, repeats = _images(fractional - wraps, reach, pbc)
    wrapped = positions - wraps @ lattice
    atoms, images = KDTree(wrapped), KDTree(wrapped[owners] + repeats @ lattice)
    _require_few_pairs(atoms, images, cutoff)
    pairs = atoms.sparse_distance_matrix(images, cutoff, output_type="ndarray")
    receivers, images = pairs["i"], pairs["j"]
    kept = (owners[images] != receivers) | repeats[images].any(axis=1)
    order = np.lexsort((images[kept], receivers[kept]))
    receivers, images = receivers[kept][order], images[kept][order]
    senders = owners[images]
    shifts = (repeats[images] - wraps[senders] + wraps[receivers]) @ lattice
    return senders.astype(np.int32), receivers.astype(np.int32), shifts


def _complete(cell: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """Return the cell with its non-periodic rows replaced by unit vectors orthogonal to the periodic ones."""
    lengths = np.linalg.norm(cell[pbc], axis=1, keepdims=True)
    _, singular, basis = np.linalg.svd(cell[pbc] / np.where(lengths > 0, lengths, 1.0))
    if (singular < 1e-8).any():
        raise ValueError(
            f"periodic directions need independent lattice vectors, got the cell {cell.tolist()} with pbc "
            f"{pbc.tolist()}; give a cell with a volume or switch periodicity off"
        )
    lattice = np.array(cell, dtype=float)
    lattice[~pbc] = basis[len(singular) :]
    return lattice


def _require_few_images(atoms: int, reach: np.ndarray, cell: np.ndarray, cutoff: float) -> None:
    images = atoms * np.prod(1 + 2 * reach)
    if not images <= LARGEST:
        raise ValueError(
            f"a cutoff of {cutoff} Å reaches about {images:.0e} periodic images of the atoms in the cell "
            f"{cell.tolist()}, and {LARGEST} is the most; lower the cutoff, or mend the cell"
        )


def _require_few_pairs(atoms: KDTree, images: KDTree, cutoff: float) -> None:
    if atoms.n * images.n > LARGEST and (pairs := atoms.count_neighbors(images, cutoff)) > LARGEST:
        raise ValueError(
            f"{pairs} pairs of atoms are within the cutoff of {cutoff} Å, and {LARGEST} is the most; lower the cutoff"
        )


def _images(fractional: np.ndarray, reach: np.ndarray, pbc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the images of atoms within reach of the unit cell: owners [m] and lattice repeats [m, 3].

    All numbers are in lattice vectors; those of `reach` say how far the cutoff reaches along each.
    """
    owners, repeats = np.arange(len(fractional)), np.zeros((len(fractional), 3))
    for axis in np.flatnonzero(pbc):
        steps = np.arange(-np.ceil(reach[axis]), np.ceil(reach[axis]) + 1)
        places = fractional[owners, axis] + steps[:, None]
        step, kept = np.nonzero((places >= -reach[axis]) & (places <= 1 + reach[axis]))
        owners, repeats = owners[kept], repeats[kept]
        repeats[:, axis] = steps[step]
    return owners, repeats
