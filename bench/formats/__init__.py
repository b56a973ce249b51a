"""The arrows of the pipeline: what one stage writes and the next one reads."""
