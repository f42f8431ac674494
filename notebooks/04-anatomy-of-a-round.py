# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # The anatomy of a round
#
# What does a worker do between two steps of the server, which of its gradients are used, and with
# which delays?
#
# This decides a method's curve before any gradient has a value. So this notebook shows mostly
# times, on the cluster of the literature: ten workers, the i-th of which takes the root of i
# seconds for a gradient.

# %%
import os

import matplotlib.pyplot as plt
import pandas as pd

from simulator import (
    Cluster,
    Evaluation,
    Power,
    Quadratic,
    RennalaNigt,
    Stop,
    analysis,
    load,
    run,
)
from simulator.figures.style import number_ticks

plt.style.use(analysis.STYLE)
small = bool(os.environ.get("STRAGGLE_SMALL"))  # a quick check that all of this runs
usual = load("sqrt-workers")
roots = usual.replace(
    cluster=Cluster(workers=10, compute=Power(exponent=0.5)),
    objective=Quadratic(dimension=10),  # cheap: only the times matter here
    stop=Stop(seconds=60 if small else 400),
)

# %% [markdown]
# ## Four ways to spend fifteen seconds
#
# A bar is a gradient, a vertical line a step of the server.

# %%
results = run(roots, seeds=[0], tickets=True)

# %%
for method in results.scenario.methods:
    axes = analysis.plot_timeline(results, method, seconds=15)

# %% [markdown]
# - **Rennala** closes a batch of 20 gradients every 5 seconds: by then worker 0 has made five, and
#   the four slowest one each. Computations under way are recalled, and all workers start at the new
#   point.
# - **Malenia** goes on until its counts are balanced, which here takes a second longer.
# - **AFedPG** never stops a worker. A step follows every single gradient.
# - The **synchronous** server steps every 3.16 seconds, when its slowest worker, which takes the
#   root of 10, is done; worker 0 has been waiting for two thirds of that time.
#
# These times are exact, as the next cell checks.

# %%
last = results.steps.groupby("method", sort=False).last()
pace = last["time"] / last["step"]
assert abs(pace["rennala-nigt"] - 5) < 1e-9
assert abs(pace["malenia-nigt"] - 6) < 1e-9
assert abs(pace["synchronous-nigt"] - 10**0.5) < 1e-9
pace.rename("seconds per step").to_frame()

# %% [markdown]
# ## Where the time goes
#
# Shares of each worker's time. The synchronous server lets the fast ones wait. Rennala wastes the
# most on workers 6 to 9: they need more than half of the five seconds, so that they are always
# recalled in the middle of their second gradient. Malenia's six seconds suit other workers, and
# worker 9, for which it waits once, is recalled half-way. AFedPG neither waits nor wastes; its
# price comes last in this notebook.

# %%
figure, grid = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
for place, method in zip(grid.flat, results.scenario.methods, strict=True):
    analysis.plot_workers(results.workers, place, method=method)

# %% [markdown]
# ## Recall, or finish?
#
# Can a worker be stopped in the middle of a gradient? If not, it finishes an obsolete gradient, the
# server drops it, and the worker joins the next batch late. `cluster.in_flight` chooses between the
# two.

# %%
batches = [2, 5, 10, 20, 50, 100] if not small else [5, 20]
methods = {f"m{batch}": RennalaNigt(batch=batch, step=0.1, momentum=0.1) for batch in batches}
rows = []
for in_flight in ("recall", "finish"):
    cluster = Cluster(workers=10, compute=Power(exponent=0.5), in_flight=in_flight)
    found = run(roots.replace(cluster=cluster, methods=methods), seeds=[0])
    last = found.steps.groupby("method", sort=False).last()
    pace = (last["time"] / last["step"]).to_numpy()
    rows.append(found.runs.assign(in_flight=in_flight, batch=batches, pace=pace))
either = pd.concat(rows).pivot(index="batch", columns="in_flight", values=["pace", "wasted_share"])
either.round(3)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for in_flight, marker, dashes in (("recall", "o", "-"), ("finish", "s", "--")):
    drawn = {"marker": marker, "linestyle": dashes, "label": in_flight}
    left.plot(either["pace"][in_flight] / either["pace"]["recall"], **drawn)
    right.plot(100 * either["wasted_share"][in_flight], **drawn)
left.set(xscale="log", xlabel="batch (gradients)", ylabel="time of a step, against recall")
right.set(xscale="log", xlabel="batch (gradients)", ylabel="computing wasted (%)")
right.set_ylim(bottom=0)
number_ticks(left.xaxis)
number_ticks(right.xaxis)
legend = left.legend()

# %% [markdown]
# A small batch leaves more gradients unfinished than it takes: a batch of five is full while all
# ten workers compute, and a worker that cannot be stopped joins the next batch late. This makes
# steps up to a third longer here, and at most twice as long in any case. In a large batch few
# gradients are unfinished, and both ways are nearly equal. The waste shows why a very small batch
# is a poor use of many workers, recalled or not.

# %%
assert (either["pace"]["finish"] <= 2 * either["pace"]["recall"] * (1 + 1e-9)).all()

# %% [markdown]
# ## How old are used gradients?
#
# The delay of a gradient is the number of server steps between its order and its use. All gradients
# of a Rennala, Malenia or synchronous step are made at the current point: delay 0. Under AFedPG the
# delay depends on the speeds: while a worker computes for h seconds, all others make their steps.

# %%
used = results.tickets[results.tickets["outcome"] == "used"]
axes = analysis.plot_staleness(used)

# %%
own = used[used["method"] == "afedpg"]
delays = (own["used_in_step"] - own["version"] - 1).astype(float).groupby(own["worker"]).mean()
speeds = 1 / (1 + pd.RangeIndex(10).to_series()) ** 0.5
table = pd.DataFrame(
    {"mean delay": delays, "steps of the others": (speeds.sum() - speeds) / speeds}
)
table.rename_axis("worker").round(1)

# %% [markdown]
# ## How much of a step is signal?
#
# The length of the aggregated gradient's expectation over its standard deviation, measured at some
# steps from gradients that are drawn for it. Now the values matter: this is the noisy quadratic of
# the scenario, as it comes.

# %%
noisy = usual.replace(
    stop=roots.stop, evaluation=Evaluation(every_seconds=5, diagnostics_every_steps=5)
)
noisy = run(noisy, seeds=[0])
axes = analysis.plot_signal_to_noise(noisy.steps)

# %% [markdown]
# An average of M gradients has the root of M times the signal of one at the same point. On the way
# to the optimum the gradient shrinks and the noise stays, so the ratio falls for all methods:
# soonest for AFedPG, which approaches it first, and to less than a tenth. A single gradient is
# nearly all noise there. Momentum averages over steps, as a batch averages within one.

# %% [markdown]
# ## What to take away
#
# - Each method has a price, which the timeline shows: idle workers if it waits, wasted work if it
#   recalls, and delays if it does neither.
# - The batch decides how much a recall costs, and whether it matters that workers cannot be
#   stopped.
# - A batch improves the signal; without a batch, momentum must do so.
# - All but the signal follows from the cluster alone: `straggle run --schedule-only` computes it
#   for a hundred thousand workers, without a gradient.
