"""Tools beside the pipeline, one per command."""
