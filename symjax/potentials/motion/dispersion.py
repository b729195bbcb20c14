"""Dispersion beside a potential that was trained without: D3 with rational (Becke-Johnson) damping."""

import ase
import numpy as np
from ase.calculators.calculator import BaseCalculator, Calculator
from ase.calculators.mixing import SumCalculator
from jaxtyping import Float


def dispersion(functional: str) -> Calculator:
    """Return the D3(BJ) calculator of simple-dftd3: energy, forces, stress and Hessian of a functional's dispersion.

    Grimme, Ehrlich, Goerigk (2011), doi:10.1002/jcc.21759.

    Raises:
        ValueError: the package dftd3 is not installed, or has no parameters for the functional.
    """
    try:
        from dftd3.ase import DFTD3
        from dftd3.interface import RationalDampingParam
    except ImportError:
        raise ValueError("dispersion needs the package dftd3; pip install 'symjax[dispersion]'") from None
    try:
        RationalDampingParam(method=functional)
    except RuntimeError as error:
        raise ValueError(
            f"D3(BJ) has no parameters for the functional {functional!r} ({error}); name the one that the data were "
            "computed with, such as pbe or b3lyp"
        ) from None
    calculator = DFTD3(method=functional, damping="d3bj")
    calculator.implemented_properties = [*DFTD3.implemented_properties, "free_energy"]  # which it gives unannounced
    return calculator


def with_dispersion(calculator: BaseCalculator, functional: str) -> BaseCalculator:
    """Return the sum of a calculator and the D3(BJ) dispersion of the functional that its data were computed with.

    Raises:
        ValueError: as `dispersion`.
    """
    return SumCalculator([calculator, dispersion(functional)])


def dispersion_hessian(functional: str, atoms: ase.Atoms) -> Float[np.ndarray, "n 3 n 3"]:
    """Return d²E / dx dx in eV/Å² of the dispersion alone.

    Raises:
        ValueError: as `dispersion`.
    """
    matrix = dispersion(functional).get_property("hessian", atoms)
    return np.asarray(matrix).reshape(len(atoms), 3, len(atoms), 3)
