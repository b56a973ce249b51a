"""Raw data: download, unpack, pair, decode, compare and split images and masks."""
