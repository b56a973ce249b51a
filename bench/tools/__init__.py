"""Tools beside the pipeline: one module per command."""
