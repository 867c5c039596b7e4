"""Metrics, pictures and the results page."""
