"""File formats: what one stage writes and the next one reads."""
