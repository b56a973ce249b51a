"""Raw data: reading, fetching, unpacking, pairing, splitting and comparing images and masks."""
