"""CrackBench: a reproducible benchmark suite for crack segmentation."""
