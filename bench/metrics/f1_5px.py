"""F1 with a tolerance of 5 px: the harmonic mean of precision and recall at that tolerance."""

from bench.metrics.tolerance import f1, tolerant

NAME = "F1, 5 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(5, "pred_hit_Npx", "true_hit_Npx", "tp", "fp", "fn")

compute = f1
