"""``python -m merl`` is ``merl``."""

from merl.cli import main

main()
