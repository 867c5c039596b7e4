"""Say whether a published model is available, and what it gives; exit status 3 if it is not.

A recipe asks this before it dumps a system's features, and leaves the system out on status 3. A model given
by name is in the hub's cache afterwards, so that jobs running side by side do not all fetch it.
"""

from __future__ import annotations

from ctap.bin.entry import command
from ctap.upstream.registry import Published


def check_upstream(published: Published) -> None:
    """Check that a published model is available, and print its dimension, frame rate and bits per second.

    Exit status 3 if it is not: a recipe then leaves the system out.

    Args:
        published: The model.
    """
    print(published.load().representation)


main = command(check_upstream)

if __name__ == "__main__":
    main()
