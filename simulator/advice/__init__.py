"""Which method and which batch suit a cluster?  Answers from the schedule plane and from theory."""
