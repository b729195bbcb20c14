"""A trained potential at work: the calculator of ASE, dynamics, relaxation, exact second derivatives, phonons."""

from symjax.potentials.motion.calculator import Calculator as Calculator
from symjax.potentials.motion.course import (
    draw_course as draw_course,
    drift as drift,
    mean_of as mean_of,
)
from symjax.potentials.motion.dispersion import (
    dispersion_hessian as dispersion_hessian,
    with_dispersion as with_dispersion,
)
from symjax.potentials.motion.hessian import hessian as hessian, hessian_of as hessian_of
from symjax.potentials.motion.jax_md import to_jax_md as to_jax_md
from symjax.potentials.motion.phonons import Phonons as Phonons, phonons as phonons, require_phonons as require_phonons
from symjax.potentials.motion.pressure import PressureSimulation as PressureSimulation
from symjax.potentials.motion.relax import (
    Relaxation as Relaxation,
    Relaxed as Relaxed,
)
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
from symjax.potentials.motion.vibrations import Mode as Mode, Vibrations as Vibrations, vibrations as vibrations
