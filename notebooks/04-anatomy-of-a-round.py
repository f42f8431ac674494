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
# What does a worker do between two steps of the server, which of its work is used, and how old is
# it by then?
#
# A method's curve is decided here, before any gradient has a value. So this notebook looks mostly
# at times, on the cluster of the literature: ten workers, the i-th of which takes the root of i
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
#   the four slowest one each. What is under way at that moment is recalled, and everybody begins at
#   the new point.
# - **Malenia** goes on until its counts are balanced, which here takes a second longer.
# - **AFedPG** never stops anybody. A step follows every single gradient.
# - The **synchronous** server steps every 3.16 seconds, when its slowest worker, which takes the
#   root of 10, is done; worker 0 has been waiting for two thirds of that time.
#
# These times are exact, so they can be held to be so.

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
# worker 9, which it waits for once, is recalled half-way. AFedPG neither waits nor wastes; what it
# pays comes last in this notebook.

# %%
figure, grid = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
for place, method in zip(grid.flat, results.scenario.methods, strict=True):
    analysis.plot_workers(results.workers, place, method=method)

# %% [markdown]
# ## Recall, or finish?
#
# Can a worker be stopped in the middle of a gradient? Where it cannot, it finishes what is obsolete
# already, the server drops it, and the worker joins the next batch late. `cluster.in_flight` says
# which of the two it is.

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
# A small batch leaves behind more than it takes: a batch of five is full while all ten are
# computing, and whoever cannot be stopped comes late to the next one. That costs up to a third of a
# step's time here, and never more than as much again. In a large batch there are many gradients for
# each that is under way at its end, and both ways come to the same. The waste says why a batch of
# very few is a poor use of many workers, recalled or not.

# %%
assert (either["pace"]["finish"] <= 2 * either["pace"]["recall"] * (1 + 1e-9)).all()

# %% [markdown]
# ## How old is what is used?
#
# The delay of a gradient is the number of server steps between the order to compute it and its use.
# All gradients of a Rennala, Malenia or synchronous step are made at the point that is stepped
# from: delay 0. Under AFedPG it is the others' speed against one's own: a worker that takes h
# seconds sees the steps of everybody else in these h seconds.

# %%
used = results.tickets[results.tickets["outcome"] == "used"]
axes = analysis.plot_staleness(used)

# %%
mine = used[used["method"] == "afedpg"]
delays = (mine["used_in_step"] - mine["version"] - 1).astype(float).groupby(mine["worker"]).mean()
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
# to the optimum the gradient shrinks and the noise stays, so the ratio falls for everybody: soonest
# for AFedPG, which gets near it first, and to less than a tenth. A single gradient says hardly
# anything there. Momentum averages over steps what a batch averages within one.

# %% [markdown]
# ## What to take away
#
# - Waiting shows as idle workers, recalling as wasted work, doing neither as delays: each method
#   pays in one of these, and the timeline says in which.
# - The batch decides how much a recall costs, and whether it matters that workers cannot be
#   stopped.
# - A batch buys signal, which momentum has to make up for where there is none.
# - All but the signal follows from the cluster alone: `straggle run --schedule-only` tells it for a
#   hundred thousand workers, without a gradient.
