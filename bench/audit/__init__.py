"""What the raw data really are: faults of files and masks, duplicates, and photographs on both sides of a split."""
