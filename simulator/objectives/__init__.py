"""The functions to maximise: one file per objective, all behind ``objective.Objective``."""
