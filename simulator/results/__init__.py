"""The files of a run, and reading them back."""
