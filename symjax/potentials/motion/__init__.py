"""A trained potential at work: the calculator of ASE, exact second derivatives."""

from symjax.potentials.motion.calculator import Calculator as Calculator
from symjax.potentials.motion.hessian import hessian as hessian, hessian_of as hessian_of
