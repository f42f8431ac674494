"""Do the notebooks run, and do they match their sources?

    python notebooks/execute.py            run the sources on small settings; write nothing
    python notebooks/execute.py --refresh  run them at full size, and write the notebooks

The source of a notebook is a script, ``NAME.py``, in the percent format of jupytext; ``NAME.ipynb``
has its outputs as well.  Results go to a temporary folder.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
SOURCES = sorted(HERE.glob("[0-9]*.py"))
SECONDS = 900
"""The limit of a cell."""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main(arguments: list[str]) -> int:
    refresh = arguments == ["--refresh"]
    if arguments and not refresh:
        print(__doc__)
        return 2
    os.environ["STRAGGLE_SMALL"] = "" if refresh else "1"
    failures = [failure for source in SOURCES for failure in check(source, refresh)]
    print(*failures, sep="\n", file=sys.stderr, end="\n" if failures else "")
    return 1 if failures else 0


def check(source: Path, refresh: bool) -> Iterator[str]:
    """Run a source; yields problems with it or with its notebook."""
    began = time.monotonic()
    try:
        notebook = execute(source)
    except CellExecutionError as error:
        yield f"{source.name}: {error}"
        return
    print(f"{source.name}: ran in {time.monotonic() - began:.0f} s", flush=True)
    if text := complaints(notebook):
        yield f"{source.name}: prints to stderr: {text}"
        return
    if refresh:
        nbformat.write(notebook, source.with_suffix(".ipynb"))
    yield from differences(source)


def execute(source: Path) -> Any:
    """The notebook of a source, with its outputs."""
    notebook = jupytext.read(source)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=SECONDS, resources=where).execute()
    return tidy(notebook)


def tidy(notebook: Any) -> Any:
    """Remove all that differs between executions: times, random names of cells."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", nbformat.from_dict({})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def complaints(notebook: Any) -> str:
    """The text that its cells print to stderr."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.get("name") == "stderr").strip()


def differences(source: Path) -> Iterator[str]:
    """The first cell in which a notebook differs from its source."""
    path = source.with_suffix(".ipynb")
    remedy = "make refresh runs the sources and writes the notebooks"
    if not path.exists():
        yield f"{path.name}: is missing; {remedy}"
        return
    cells = jupytext.read(source).cells, nbformat.read(path, as_version=4).cells
    for number, (own, other) in enumerate(zip_longest(*cells)):
        if own is None or other is None or _content(own) != _content(other):
            yield f"{path.name}: cell {number} is not that of {source.name}; {remedy}"
            return


def _content(cell: Any) -> tuple[str, str]:
    return cell.cell_type, cell.source


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
