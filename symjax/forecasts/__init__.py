"""Forecasts of series: many methods beside each other, intervals, and the steps after the end."""

from symjax.forecasts.blueprint import (
    Blueprint as Blueprint,
    draw_blueprint as draw_blueprint,
    read_blueprint as read_blueprint,
    write_blueprint as write_blueprint,
)
from symjax.forecasts.errors import (
    measure_errors as measure_errors,
    plot_errors as plot_errors,
    print_errors as print_errors,
    require_rank as require_rank,
)
from symjax.forecasts.forecaster import (
    Forecast as Forecast,
    Forecaster as Forecaster,
    load_forecaster as load_forecaster,
    load_params as load_params,
    read_example as read_example,
    write_linear as write_linear,
)
from symjax.forecasts.future import (
    forecast_future as forecast_future,
    plot_future as plot_future,
    write_future as write_future,
)
from symjax.forecasts.laws import Claim as Claim, claims as claims
from symjax.forecasts.methods import (
    METHODS as METHODS,
    NETWORK as NETWORK,
    TITLES as TITLES,
    fit_linear as fit_linear,
    forecast as forecast,
    methods_of as methods_of,
    truth_and_ahead as truth_and_ahead,
)
from symjax.forecasts.report import (
    Measurement as Measurement,
    choose as choose,
    measure as measure,
    require_method as require_method,
    to_report as to_report,
)
