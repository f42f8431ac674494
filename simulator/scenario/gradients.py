"""Can the objective make the gradients that a method needs?  If not, a line says so.

Workers with steps of their own, ``importance`` and ``update = "during"`` need more of an objective
than gradients of tickets at their own points.
"""

from algorithms.methods import METHODS
from simulator.mistakes import Mistake
from simulator.objectives.tables.objective import ObjectiveTable
from simulator.scenario.tables import MethodTable

IN_JAX = "an environment in JAX, such as CartPole-v1; this one is played on the host"


def check_gradients(label: str, table: MethodTable, objective: ObjectiveTable, per: str) -> None:
    """Refuse a method whose gradients this objective cannot make."""
    settings = table.settings()
    local = METHODS[table.method].works_locally(settings)
    if local:
        _check_local(label, objective, per)
    if settings.get("importance") is not None:
        _check_importance(f"methods.{label}.importance", local, objective)
    if settings.get("update") == "during":
        _check_mixtures(f"methods.{label}.update = 'during'", local, objective, per)


def _check_local(label: str, objective: ObjectiveTable, per: str) -> None:
    own = f"methods.{label}: its workers take steps of their own, which"
    if per == "environment-step":
        raise Mistake(f"{own} are timed as gradients; use cluster.per = 'gradient'")
    if not objective.local:
        raise Mistake(f"{own} needs {IN_JAX}")


def _check_importance(place: str, local: bool, objective: ObjectiveTable) -> None:
    if local:
        others = "these workers send more than gradients"
        raise Mistake(f"{place}: weighs plain gradients, and {others}; leave importance out")
    if not objective.local:
        raise Mistake(f"{place}: a likelihood needs {IN_JAX}, so leave importance out")


def _check_mixtures(place: str, local: bool, objective: ObjectiveTable, per: str) -> None:
    remedy = "use update = 'between'"
    if local:
        raise Mistake(f"{place}: these workers send more than gradients; {remedy}")
    if not objective.local:
        raise Mistake(f"{place}: a gradient of several points needs {IN_JAX}, so {remedy}")
    if not objective.decides:
        kind = f"the samples of {objective.kind} are not made of decisions"
        raise Mistake(f"{place}: {kind}, which could follow several points; {remedy}")
    if per == "environment-step":
        known = "the length of an episode must be known when it starts"
        raise Mistake(f"{place}: {known}; {remedy}, or cluster.per = 'gradient'")
