"""The figures of docs/clusters, drawn by the product's own code; docs/figures.py runs it."""
