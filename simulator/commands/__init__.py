"""The commands in Python: a function each, whose result shows itself as the command's table.

``settings`` are those of ``--set``; other arguments have the names of the options.
"""
