"""What should pytest collect here?  Nothing: the benchmarks are run by hand, by ``run.py``."""

collect_ignore_glob = ["*.py"]
