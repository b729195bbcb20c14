"""Series of a table, their instants and windows, and one whose best forecast is known."""

from symjax.data.series.series import Series as Series, read_series as read_series
from symjax.data.series.synthetic import (
    synthetic_optimum as synthetic_optimum,
    synthetic_oracle as synthetic_oracle,
    synthetic_series as synthetic_series,
)
from symjax.data.series.windows import (
    Scaler as Scaler,
    TimeSplits as TimeSplits,
    Windows as Windows,
    fit_scaler as fit_scaler,
    join_windows as join_windows,
    split_in_time as split_in_time,
    windows as windows,
)
