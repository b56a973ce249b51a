"""The datasets: one file is one dataset, its card, its sources and the pairing of its files."""
