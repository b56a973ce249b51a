"""Recall with a tolerance of 5 px: the share of the true crack that lies near predicted crack."""

from bench.metrics.tolerance import recall, tolerant

NAME = "Recall, 5 px"
HIGHER_IS_BETTER = True
INPUT = tolerant(5, "true_hit_Npx", "tp", "fn")

compute = recall
