"""One HTML file that shows results: tables, curves, and a timeline of the workers to explore."""
