"""F1: the harmonic mean of precision and recall, which is the same number as Dice.

**Source:** van Rijsbergen 1979; the paper, Section 4.3.
"""

from bench.metrics import dice

NAME = "F1"
HIGHER_IS_BETTER = True
INPUT = dice.INPUT

compute = dice.compute
