"""Which method is ahead on a cluster, after each was tuned alike?"""
