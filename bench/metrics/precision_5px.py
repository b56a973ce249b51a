"""Precision with a tolerance of 5 px: the share of the predicted crack that lies near true crack."""

from bench.metrics.tolerance import precision, tolerant

NAME = "Precision, 5 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(5, "pred_hit_Npx", "tp", "fp")

compute = precision
