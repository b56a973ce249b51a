"""Statistics on scores: arrays in, arrays out."""
