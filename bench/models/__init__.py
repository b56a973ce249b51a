"""Models: one file per architecture, with a display name and a build function."""
