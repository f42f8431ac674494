"""What do the commands do, from Python?  The same: a function each, and an object that shows it.

``settings`` are those of ``--set``; other arguments have the names of the commands' options.
"""
