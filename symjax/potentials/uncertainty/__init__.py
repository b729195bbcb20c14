"""How uncertain predictions are: deviations of single models, and the factor that makes deviations foretell errors."""

from symjax.potentials.uncertainty.calibration import (
    drop_calibration as drop_calibration,
    fit_calibration as fit_calibration,
    foretold as foretold,
    measure_calibration as measure_calibration,
    plot_calibration as plot_calibration,
    print_calibration as print_calibration,
    read_calibration as read_calibration,
    write_calibration as write_calibration,
)
from symjax.potentials.uncertainty.last_layer import (
    LastLayer as LastLayer,
    fit_last_layer as fit_last_layer,
    last_layer_features as last_layer_features,
)
