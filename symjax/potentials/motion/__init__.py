"""A trained potential at work: the calculator of ASE."""

from symjax.potentials.motion.calculator import Calculator as Calculator
