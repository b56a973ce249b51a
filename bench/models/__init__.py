"""The architectures: one file is one model with a display name and a build function."""
