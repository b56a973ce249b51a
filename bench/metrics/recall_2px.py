"""Recall with a tolerance of 2 px: the share of the true crack that lies near predicted crack."""

from bench.metrics.tolerance import recall, tolerant

NAME = "Recall, 2 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(2, "true_hit_Npx", "tp", "fn")

compute = recall
