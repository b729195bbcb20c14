"""The small data set that comes with the package."""

from importlib import resources

import ase
import numpy as np

from symjax.data.structures.structures import Structures


def ethanol() -> Structures:
    """Return 600 ethanol geometries with PBE/def2-SVP energies (eV) and forces (eV/Å), and isolated-atom energies.

    The geometries were sampled by GFN2-xTB molecular dynamics at 500 K.

    Examples:
        >>> data = ethanol()
        >>> len(data), data.species
        (600, (1, 6, 8))
    """
    with (
        resources.files("symjax.data").joinpath("ethanol.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        isolated = zip(archive["isolated_z"].tolist(), archive["isolated_E"].tolist(), strict=True)
        return Structures(
            atoms=tuple(ase.Atoms(archive["z"], positions) for positions in archive["R"].astype(float)),
            labels={"energy": archive["E"].astype(float), "forces": tuple(archive["F"].astype(float))},
            isolated=dict(isolated),
        )
