"""Campaigns: sets of runs that are done once, resumed after a kill, and reported."""
