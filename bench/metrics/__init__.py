"""The metrics: one file is one metric, a pure function from counts to numbers."""
