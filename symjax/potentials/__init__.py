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
from symjax.potentials.committee import committee_labels, require_members
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
from symjax.potentials.heads import HEADS, Head, average, dipole, dipole_magnitude, energy, extent, polarisability
from symjax.potentials.loss import Predict, drawn_loss, energy_labels, label_loss, potential_loss
from symjax.potentials.motion import Calculator, to_jax_md
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
from symjax.potentials.uncertainty import (
    LastLayer,
    drop_calibration,
    fit_calibration,
    fit_last_layer,
    foretold,
    last_layer_features,
    measure_calibration,
    plot_calibration,
    print_calibration,
    read_calibration,
    write_calibration,
)

__all__ = [
    "DEFAULT",
    "HEADS",
    "POTENTIALS",
    "Blueprint",
    "Calculator",
    "Converted",
    "Head",
    "LastLayer",
    "LawCard",
    "Measurement",
    "Potential",
    "Predict",
    "Prediction",
    "References",
    "Repulsion",
    "Row",
    "architecture",
    "average",
    "build",
    "choose_params",
    "committee_labels",
    "convert_sevennet",
    "describe_divergence",
    "describe_references",
    "dipole",
    "dipole_magnitude",
    "doubt_of_units",
    "draw_blueprint",
    "drawn_loss",
    "drop_calibration",
    "energy",
    "energy_and_forces",
    "energy_labels",
    "extend_species",
    "extent",
    "fit_calibration",
    "fit_last_layer",
    "fit_references",
    "foretold",
    "identity_of",
    "label_loss",
    "label_spreads",
    "last_layer_features",
    "law_card",
    "load_potential",
    "make_references",
    "measure",
    "measure_calibration",
    "measure_errors",
    "module_of",
    "move_references",
    "options_of",
    "plot_calibration",
    "plot_parity",
    "polarisability",
    "potential_loss",
    "preset_of",
    "print_calibration",
    "print_errors",
    "property_references",
    "read_blueprint",
    "read_calibration",
    "read_example",
    "read_sevennet",
    "require_members",
    "require_same_charges",
    "scaled_energy",
    "scaled_labels",
    "to_jax_md",
    "transfer_params",
    "without_repulsion",
    "write_blueprint",
    "write_calibration",
]
