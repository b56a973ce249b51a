"""Training code shared by all models: data loader, augmentation, loss, loop and checkpoints."""
