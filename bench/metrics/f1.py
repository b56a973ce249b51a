"""F1: the harmonic mean of precision and recall, which is the same number as Dice.

As a mean over batches it depends on their size, and on what is done with a batch in which nothing is found: here it
counts as 0. The authors' code of the paper leaves such a batch out, which raises the mean; its configuration has
batches of 4 images, Table 2 of the paper 32.

**Source:** van Rijsbergen 1979; the paper, Section 4.3.
"""

from bench.metrics import dice

NAME = "F1"
HIGHER_IS_BETTER = True
INPUT = dice.INPUT

compute = dice.compute
