"""Methods in real time: their stories on actors of a Ray cluster, with injected delays.

The third driver of the vocabulary, beside ``engine/`` and ``reference/``.  Read `messages`,
`worker`, `fleet` and `server` in this order.
"""
