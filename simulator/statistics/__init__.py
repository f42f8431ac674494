"""What do several seeds say?  Medians, intervals, arrivals and exponents, where never is a time."""
