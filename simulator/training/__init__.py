"""How is a policy trained?  Schedule, gradients and rule meet in ``train.py``."""
