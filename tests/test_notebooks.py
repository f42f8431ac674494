"""Are the notebooks those of their sources, run from top to bottom, and fit to be shown?

That the sources run is for ``make notebooks``.
"""

import json
import re
from pathlib import Path

import nbformat
import pytest
from execute import HERE, SOURCES, check, differences, tidy

NAMES = [source.stem for source in SOURCES]
PLACES = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|Users|usr|opt|var|mnt|work)/|[A-Z]:\\\\|file://|at 0x[0-9a-f]+"
)


def notebook_of(name):
    return nbformat.read(HERE / f"{name}.ipynb", as_version=4)


def code_cells(name):
    return [cell for cell in notebook_of(name).cells if cell.cell_type == "code"]


def test_every_notebook_has_a_source():
    assert NAMES
    assert sorted(path.stem for path in HERE.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_that_of_its_source(name):
    assert not list(differences(HERE / f"{name}.py"))


def test_another_word_or_another_cell_is_noticed(tmp_path):
    source = tmp_path / "00-a.py"
    source.write_text("# %% [markdown]\n# Why?\n\n# %%\n1 + 1\n")
    cells = [nbformat.v4.new_markdown_cell("Why?"), nbformat.v4.new_code_cell("1 + 1")]
    for there, wrong in [
        (cells, None),
        (cells[:1], "cell 1"),
        ([*cells, nbformat.v4.new_code_cell("1 + 1")], "cell 2"),
        ([nbformat.v4.new_markdown_cell("What?"), cells[1]], "cell 0"),
        ([nbformat.v4.new_code_cell("Why?"), cells[1]], "cell 0"),
    ]:
        nbformat.write(nbformat.v4.new_notebook(cells=there), source.with_suffix(".ipynb"))
        message = list(differences(source))
        assert len(message) == (wrong is not None)
        assert all(str(wrong) in line for line in message)


def test_outputs_of_a_notebook_are_kept_and_timestamps_are_not():
    outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="90"),
        nbformat.v4.new_output("display_data", data={"image/png": "eA=="}),
    ]
    cell = nbformat.v4.new_code_cell("race()", outputs=outputs, metadata={"moment": 1})
    [kept] = tidy(nbformat.v4.new_notebook(cells=[cell])).cells
    assert kept.outputs == outputs
    assert not kept.metadata


def test_a_notebook_that_prints_to_stderr_fails_and_is_not_written(tmp_path):
    source = tmp_path / "00-a.py"
    source.write_text("# %%\nimport sys\n\nprint('oh', file=sys.stderr)\n")
    assert list(check(source, True)) == ["00-a.py: prints to stderr: oh"]
    assert not source.with_suffix(".ipynb").exists()


@pytest.mark.parametrize("name", NAMES)
def test_it_was_run_from_top_to_bottom_without_an_error(name):
    cells = code_cells(name)
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    kinds = [output.output_type for cell in cells for output in cell.outputs]
    assert "error" not in kinds


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_with_a_question_and_shows_figures(name):
    first = notebook_of(name).cells[0]
    assert first.cell_type == "markdown"
    heading, question = first.source.split("\n\n")[:2]
    assert heading.startswith("# ")
    assert "?" in question
    drawn = [
        cell for cell in code_cells(name) if re.search(r"analysis\.plot_|\.plot\(\)", cell.source)
    ]
    assert len(drawn) >= 2
    for cell in drawn:
        assert any("image/png" in output.get("data", {}) for output in cell.outputs), cell.source


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_holds_no_machine_and_no_timestamp(name):
    for cell in code_cells(name):
        for output in cell.outputs:
            shown = {
                kind: text for kind, text in output.get("data", {}).items() if "/png" not in kind
            }
            assert not PLACES.search(json.dumps([shown, output.get("text", "")]))


@pytest.mark.parametrize("document", ["README.md", "docs/index.md"])
def test_the_documents_lead_to_every_notebook(document):
    text = (Path(HERE).parent / document).read_text(encoding="utf-8")
    for name in NAMES:
        assert f"notebooks/{name}.ipynb" in text
