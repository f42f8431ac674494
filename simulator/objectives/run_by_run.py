"""How does one compiled call serve several runs, so that none of them depends on the others?"""

from collections.abc import Callable
from typing import Any


def run_by_run(of_one: Callable[..., Any], *, shared: tuple[int, ...] = ()) -> Callable[..., Any]:
    """The same for several runs, one after another; all arguments but the shared have an axis.

    ``jax.vmap`` would compute the runs side by side, but XLA sums in another order where there are
    more of them: a run's last bits would depend on what it trains beside.
    """
    import jax

    def of_all(*arguments: Any) -> Any:
        barrier: Any = jax.lax.optimization_barrier
        own = [argument for at, argument in enumerate(arguments) if at not in shared]

        def of_run(mine: list[Any]) -> Any:
            # The barriers keep XLA from compiling a single run otherwise than one of several.
            rest = iter(barrier(mine))
            given = (x if at in shared else next(rest) for at, x in enumerate(arguments))
            return barrier(of_one(*given))

        return jax.lax.map(of_run, own)

    return of_all
