"""The embedded synthetic sample: images of cracked surfaces, drawn from a seed."""
