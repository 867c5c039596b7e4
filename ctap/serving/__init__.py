"""A server of trained models: limits, a queue that says several sentences at once, HTTP, a page."""
