"""Do the examples that the documents show do what they show?"""

import tomllib

from test_docs import blocks_of

from simulator import analysis

MARGIN = 50.0
"""By how much every run has to improve; all of ten seeds do by 80."""


def scenario_in(document, title):
    """The text of the scenario with this title."""
    texts = [block.text for block in blocks_of(document, "toml")]
    [text] = [text for text in texts if tomllib.loads(text).get("title") == title]
    return text


def test_the_policies_of_the_readme_learn(tmp_path):
    file = tmp_path / "slow-network.toml"
    file.write_text(scenario_in("README.md", "Six workers behind a slow network"))
    results = analysis.run(file, out=tmp_path / "results", quiet=True)
    found = results.steps.dropna(subset="return").groupby(["method", "seed"])["return"]
    assert len(found) == len(results.runs) == 4
    assert (found.last() - found.first()).min() > MARGIN
