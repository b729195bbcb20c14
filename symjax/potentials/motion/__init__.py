"""A trained potential at work: the calculator of ASE, molecular dynamics, exact second derivatives."""

from symjax.potentials.motion.calculator import Calculator as Calculator
from symjax.potentials.motion.course import (
    draw_course as draw_course,
    drift as drift,
    mean_temperature as mean_temperature,
)
from symjax.potentials.motion.hessian import hessian as hessian, hessian_of as hessian_of
from symjax.potentials.motion.simulate import (
    Dynamics as Dynamics,
    Record as Record,
    Simulation as Simulation,
    draw_momenta as draw_momenta,
)
from symjax.potentials.motion.trajectory import (
    Trajectory as Trajectory,
    read_state as read_state,
    state_file as state_file,
)
