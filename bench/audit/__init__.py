"""Audit the raw data: faults of files and masks, duplicates, and source images on both sides of a split."""
