"""``python -m simulator`` is ``straggle``."""

from simulator.cli import main

main()
