"""Contrastive loss (tiled), margin KL, masked regression."""
