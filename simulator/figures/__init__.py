"""What results look like: statistics over seeds, and pictures."""
