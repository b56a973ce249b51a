"""Run the stale cells of the pipeline elsewhere, many at once: local slots or Slurm. DVC keeps the record."""
