"""What is identical for all models: loss, augmentation and schedule. Pure."""
