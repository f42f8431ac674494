"""Objectives whose value and gradient are known exactly."""
