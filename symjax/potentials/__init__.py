"""Models of atoms and what follows from them: energies, forces, stress, properties, losses, references, errors."""

from symjax.potentials.blueprint import (
    Blueprint,
    draw_blueprint,
    identity_of,
    load_potential,
    read_blueprint,
    read_example,
    write_blueprint,
)
from symjax.potentials.card import LawCard, Row, law_card
from symjax.potentials.charges import require_same_charges
from symjax.potentials.convert import Converted, convert_sevennet, read_sevennet
from symjax.potentials.derivatives import Prediction, energy_and_forces
from symjax.potentials.errors import (
    Measurement,
    describe_divergence,
    doubt_of_units,
    measure,
    measure_errors,
    plot_parity,
    print_errors,
)
from symjax.potentials.heads import HEADS, average, dipole, energy
from symjax.potentials.loss import Predict, energy_labels, label_loss, potential_loss
from symjax.potentials.motion import (
    Calculator,
    Mode,
    Phonons,
    Relaxation,
    Relaxed,
    Vibrations,
    dispersion_hessian,
    hessian,
    hessian_of,
    phonons,
    require_phonons,
    vibrations,
    with_dispersion,
)
from symjax.potentials.potential import Potential, scaled_energy, scaled_labels, without_repulsion
from symjax.potentials.references import (
    References,
    fit_references,
    make_references,
    property_references,
)
from symjax.potentials.repulsion import Repulsion
from symjax.potentials.spreads import label_spreads
from symjax.potentials.table import DEFAULT, POTENTIALS, architecture, build, module_of, options_of, preset_of
from symjax.potentials.transfer import (
    choose_params,
    describe_references,
    extend_species,
    move_references,
    transfer_params,
)

__all__ = [
    "DEFAULT",
    "HEADS",
    "POTENTIALS",
    "Blueprint",
    "Calculator",
    "Converted",
    "LawCard",
    "Measurement",
    "Mode",
    "Phonons",
    "Potential",
    "Predict",
    "Prediction",
    "References",
    "Relaxation",
    "Relaxed",
    "Repulsion",
    "Row",
    "Vibrations",
    "architecture",
    "average",
    "build",
    "choose_params",
    "convert_sevennet",
    "describe_divergence",
    "describe_references",
    "dipole",
    "dispersion_hessian",
    "doubt_of_units",
    "draw_blueprint",
    "energy",
    "energy_and_forces",
    "energy_labels",
    "extend_species",
    "fit_references",
    "hessian",
    "hessian_of",
    "identity_of",
    "label_loss",
    "label_spreads",
    "law_card",
    "load_potential",
    "make_references",
    "measure",
    "measure_errors",
    "module_of",
    "move_references",
    "options_of",
    "phonons",
    "plot_parity",
    "potential_loss",
    "preset_of",
    "print_errors",
    "property_references",
    "read_blueprint",
    "read_example",
    "read_sevennet",
    "require_phonons",
    "require_same_charges",
    "scaled_energy",
    "scaled_labels",
    "transfer_params",
    "vibrations",
    "with_dispersion",
    "without_repulsion",
    "write_blueprint",
]
