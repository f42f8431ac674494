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
# # A first race
#
# Ten workers train one policy together, and one of them is a hundred times slower than the others.
# Which method still learns quickly, and what do the others spend their time on?
#
# A policy gradient is a mean over episodes, so it is easy to distribute: every worker plays
# episodes and sends its gradient. The methods differ in *which workers the server waits for*
# before a step, and with unequal workers that decides almost everything.

# %%
import os

import matplotlib.pyplot as plt

from simulator import analysis, run
from simulator.scenario.files import shipped

plt.style.use(analysis.STYLE)
small = bool(os.environ.get("STRAGGLE_SMALL"))  # a quick check that all of this runs

# %% [markdown]
# ## The scenario
#
# A comparison is described by a file. This one comes with straggle; `straggle run straggler` would
# run it from a shell.

# %%
print(shipped()["straggler"].read_text())

# %% [markdown]
# - **synchronous-nigt** takes one gradient from every worker, so a step lasts as long as its
#   slowest worker.
# - **malenia-nigt** waits for all workers, too, but the fast ones go on computing meanwhile, and
#   their gradients count.
# - **rennala-nigt** takes the first 18 gradients of any workers, and recalls the others.
# - **afedpg** steps with every single gradient on its arrival, however old its point is.
#
# `run` does the same as the command, and its results print as the command's table.

# %%
settings = ["stop.seconds=150", "evaluation.episodes=20"] if small else []
results = run("straggler", *settings, seeds=[0] if small else None)
results

# %% [markdown]
# ## Which methods reach the target
#
# The curves are medians over the seeds, with a band from their 20% to their 80% quantile. The axis
# is time on the simulated cluster, not on the machine that simulates it.

# %%
axes = results.plot()

# %%
arrivals = analysis.time_to(results)
axes = analysis.plot_time_to(arrivals)
analysis.summarise(arrivals)

# %% [markdown]
# The two methods that wait for the straggler make one step every hundred seconds, ten by the end. A
# run that misses the target counts as infinitely long and is not left out, so a method cannot look
# better by failing.
#
# Against the number of *used* episodes, the picture differs. Per gradient the synchronous method is
# not behind: it has only used few. Malenia has used ten times as many as Rennala, but made only ten
# steps of them, and a step has the same length however many gradients it uses.

# %%
axes = analysis.plot_metric(results.steps, metric="return", x="gradients", target=150)

# %%
runs = results.runs.groupby("method", sort=False)
columns = ["simulated_seconds", "steps", "used", "idle_share", "wasted_share"]
table = runs[columns].median()
table["gradients per step"] = table["used"] / table["steps"]
table["seconds per step"] = table["simulated_seconds"] / table["steps"]
table.round(3)

# %% [markdown]
# ## How workers spend their time
#
# Worker 9 is the slow one. The synchronous server lets the nine others wait for 99 seconds out of
# a hundred; under the other three methods no worker waits. Rennala wastes all that the straggler
# does, as it is never done when the batch is full: a tenth of the work, and no time.

# %%
figure, grid = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
for place, method in zip(grid.flat, results.scenario.methods, strict=True):
    analysis.plot_workers(results.workers, place, method=method)

# %% [markdown]
# One run, second by second. A vertical line is a step of the server; the first step of the
# synchronous method comes only at the hundredth second.

# %%
axes = analysis.plot_timeline(results, "synchronous-nigt", seconds=12)

# %%
axes = analysis.plot_timeline(results, "rennala-nigt", seconds=12)

# %%
axes = analysis.plot_timeline(results, "afedpg", seconds=12)

# %% [markdown]
# ## The price of not waiting
#
# AFedPG steps at once, so its gradients were computed at points that are some steps old: here
# eight, as the eight other fast workers report in the meantime. The straggler's first gradient
# would be some nine hundred steps old, but the race ends before it. The gradients of the other
# three methods are never old.

# %%
axes = analysis.plot_staleness(results.steps)

# %% [markdown]
# ## What this shows, and what it does not
#
# With one extreme straggler, a server that waits for all workers moves at the straggler's pace,
# whatever it does with the gradients. Not waiting costs either some recalled work (Rennala) or some
# old gradients (AFedPG), and both are cheap here.
#
# It does not show which method is best. The settings are untuned and three seeds are few, so the
# order of Rennala and AFedPG means little. With equal workers all four are close. And if the
# workers have *different* objectives, the result is only right if the server waits for all of
# them: see [heterogeneous objectives](03-heterogeneous-objectives.ipynb).
