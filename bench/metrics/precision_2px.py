"""Precision with a tolerance of 2 px: the share of the predicted crack that lies near true crack."""

from bench.metrics.tolerance import precision, tolerant

NAME = "Precision, 2 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(2, "pred_hit_Npx", "tp", "fp")

compute = precision
