"""Objectives whose value and gradient are known, so that every step can be measured."""
