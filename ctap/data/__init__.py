"""Datasets, length-bucketed batches, collation."""
