"""What is maximised: one file per objective, all behind ``objective.Objective``."""
