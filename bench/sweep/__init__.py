"""Run many stale cells of the pipeline in parallel: in local slots or on Slurm. DVC keeps the record."""
