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
# A policy gradient is a mean over episodes, so it is easily shared out: every worker plays episodes
# and sends in what it finds. The methods differ in *whom the server waits for* before it makes a
# step, and with unequal workers that decides almost everything.

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
# - **malenia-nigt** waits for everybody too, but the fast ones go on computing meanwhile, and their
#   gradients count.
# - **rennala-nigt** takes the first 18 gradients, whoever made them, and recalls what is under way.
# - **afedpg** steps on every single gradient as it arrives, however old the point it was computed
#   at.
#
# `run` does what the command does, and its results show themselves as the command's table does.

# %%
settings = ["stop.seconds=150", "evaluation.episodes=20"] if small else []
results = run("straggler", *settings, seeds=[0] if small else None)
results

# %% [markdown]
# ## Who gets there
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
# Those who wait for the straggler have made one step every hundred seconds, ten by the end. A run
# that never gets there counts as infinitely long and is not left out, so a method cannot look
# better by failing.
#
# Against the number of episodes that were *used*, the picture is another one. Per gradient the
# synchronous method is not behind: it has just not seen many. Malenia has seen ten times as many as
# Rennala, but made only ten steps of them, and a step has the same length whatever went into it.

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
# ## Who waits for whom
#
# What each worker did with its time. Worker 9 is the slow one. The synchronous server lets the nine
# others wait for 99 seconds out of a hundred; under the other three nobody waits. What Rennala
# wastes is all that the straggler does, as it is never done when the batch is full: a tenth of the
# work, and no time.

# %%
figure, grid = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
for place, method in zip(grid.flat, results.scenario.methods, strict=True):
    analysis.plot_workers(results.workers, place, method=method)

# %% [markdown]
# Second by second, in one run. A vertical line is a step of the server; of the synchronous method's
# first there is nothing to be seen before the hundredth second.

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
# eight, as the eight other fast workers report in the meantime. The straggler's first would be some
# nine hundred steps old, but the race is over before it is done. The gradients of the other three
# are never old.

# %%
axes = analysis.plot_staleness(results.steps)

# %% [markdown]
# ## What this shows, and what it does not
#
# With one extreme straggler, a server that waits for everybody moves at the straggler's pace,
# whatever it does with the gradients. Not waiting costs either some recalled work (Rennala) or some
# old gradients (AFedPG), and both are cheap here.
#
# It does not show who is best. The settings are untuned and three seeds are few, so the order of
# Rennala and AFedPG means little; with equal workers all four are close; and where the workers have
# *different* objectives, waiting for everybody is what makes the answer right: see [heterogeneous
# objectives](03-heterogeneous-objectives.ipynb).
