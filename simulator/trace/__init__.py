"""What every worker did all the time, as tracks and for Perfetto."""
