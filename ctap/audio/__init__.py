"""Wave I/O, log-mel, F0, mel inversion."""
