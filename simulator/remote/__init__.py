"""Campaigns on the nodes of a Ray cluster.  Nothing else imports this room, or Ray.

The driver plays the part of the local runner: it hands out jobs, takes their reports and writes all
results.  A node needs straggle and nothing of the driver's disk.
"""
