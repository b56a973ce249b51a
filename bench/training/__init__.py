"""Training: what is identical for all models, from the data loader to the checkpoint."""
