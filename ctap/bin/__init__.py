"""One thin entry point per stage command."""
