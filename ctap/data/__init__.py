"""Splits with target speakers, datasets, length-bucketed batches, collation."""
