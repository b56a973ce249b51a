"""Metrics: one file per metric, each a pure function of counts."""
