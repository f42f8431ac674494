"""The documentation as a site: ``make site``."""

from importlib.metadata import version as version_of

project = "straggle"
author = "The straggle authors"
version = release = version_of("straggle")

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
# tests/test_docs.py checks all links; some lead out of docs/, where the site has no page.
suppress_warnings = ["myst.xref_missing", "myst.header"]  # generated sections are H3

html_theme = "furo"
html_title = f"straggle {release}"
