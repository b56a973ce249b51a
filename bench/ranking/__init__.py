"""Ranking: read a results folder, compare and rank its models, check it."""
