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
# # Heterogeneous objectives
#
# Every worker has a task of its own, and one policy should be good at all of them on average. Which
# methods find it, and where do the others end?
#
# In federated learning a slow worker is also the only one with its own data. A method that takes
# gradients as they arrive gets more of them from fast workers, and so maximises a mean in which
# these have more weight. It does not converge slowly: it converges to another point.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from simulator import (
    Afedpg,
    Cluster,
    Evaluation,
    MaleniaNigt,
    Quadratic,
    RennalaNigt,
    RingleaderNigt,
    Stop,
    Tabular,
    analysis,
    load,
    run,
)

plt.style.use(analysis.STYLE)
small = bool(os.environ.get("STRAGGLE_SMALL"))  # a quick check that all of this runs

# %% [markdown]
# ## Where everything is known
#
# Ten workers, the i-th of which takes the root of i seconds, have a quadratic each. The objective
# J is their mean, and its gradient is measured exactly. `heterogeneity` is the distance of each
# worker from that mean, and does not change J.

# %%
methods = {
    "rennala-nigt": RennalaNigt(batch=20, step=0.1, momentum=0.1),
    "malenia-nigt": MaleniaNigt(batch=20, step=0.1, momentum=0.1),
    "afedpg": Afedpg(step=0.0125, momentum=0.1),
    "ringleader-nigt": RingleaderNigt(step=0.02, momentum=0.1),
}
roots = load("sqrt-workers")


def quadratic(heterogeneity):
    return roots.replace(
        objective=Quadratic(
            dimension=20,
            variant="random",
            curvature=0.02,
            scale=0.1,
            heterogeneity=heterogeneity,
        ),
        stop=Stop(seconds=300 if small else 3000),
        evaluation=Evaluation(every_seconds=20, metric="gradient_norm"),
        methods=methods,
    )


mild = 0.1
seeds = [0] if small else [0, 1]
alike = run(quadratic(0.0), seeds=seeds)
unlike = run(quadratic(mild), seeds=seeds)

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained", sharey=True)
for place, found, title in zip(
    axes, (alike, unlike), ("the same quadratic for all", "to each its own"), strict=True
):
    analysis.plot_metric(found.steps, place, metric="gradient_norm")
    place.set_title(title, pad=42, loc="left")

# %% [markdown]
# On the left the four methods reach the floor that their noise and their step allow. On the right
# Malenia and Ringleader do the same, while the norm of the gradient stops falling for Rennala and
# AFedPG, more than ten times as high. More time, smaller steps or larger batches would not help:
# there is no noise in it.

# %%
rows = []
for name, found in (("alike", alike), ("unlike", unlike)):
    late = found.steps[found.steps["time"] >= found.scenario.stop.seconds / 2]
    median = late.groupby("method", sort=False)["gradient_norm"].median()
    rows.append(median.rename(name))
floor = pd.concat(rows, axis=1)
floor["ratio"] = floor["unlike"] / floor["alike"]
floor.round(3)

# %% [markdown]
# ## The wrong point is known beforehand
#
# Where worker i makes a share w_i of all gradients, a method that takes them as they come can only
# settle where the w-weighted sum of the workers' gradients vanishes. AFedPG's shares are those of
# the speeds; Rennala's are its counts in a batch, 5, 3, 2, 2, 2, 2, 1, 1, 1 and 1 of twenty. On a
# quadratic that point follows from a linear system.

# %%
table = quadratic(mild).objective
quadratics = table.quadratics(workers=10)
objective = table.build(workers=10)
speeds = 1 / np.sqrt(np.arange(1, 11))
counts = np.array([5, 3, 2, 2, 2, 2, 1, 1, 1, 1])
points = {
    "rennala-nigt": quadratics.stationary(counts / counts.sum()),
    "afedpg": quadratics.stationary(speeds / speeds.sum()),
    "malenia-nigt": quadratics.best,
    "ringleader-nigt": quadratics.best,
}
rows = {}
for method, point in points.items():
    ends = [unlike.parameters(method, seed) for seed in seeds]
    rows[method] = {
        "its distance from there": np.mean([np.linalg.norm(end - point) for end in ends]),
        "from the optimum": np.mean([np.linalg.norm(end - quadratics.best) for end in ends]),
    }
pd.DataFrame(rows).T.round(2)

# %% [markdown]
# The first column is the distance between the last point and the predicted one, the second that to
# the optimum of the mean.
#
# ## Policies
#
# The same with policies: two workers have each a decision process of their own, drawn at random,
# and one of them is ten times faster. J is the mean of the two returns, and known exactly. The
# figure shows one such pair.

# %%
policies = {
    "rennala-nigt": RennalaNigt(batch=40, step=0.15, momentum=0.1),
    "malenia-nigt": MaleniaNigt(batch=6, step=0.08, momentum=0.1),
    "afedpg": Afedpg(step=0.004, momentum=0.02),
    "ringleader-nigt": RingleaderNigt(step=0.02, momentum=0.05),
}


def pair(number):
    scenario = roots.replace(
        objective=Tabular(states=5, actions=3, heterogeneity=1.0, problem_seed=number),
        cluster=Cluster(workers=2, compute=[1, 10]),
        stop=Stop(seconds=200 if small else 8000),
        evaluation=Evaluation(every_seconds=100),
        methods=policies,
    )
    return run(scenario, seeds=[0])


pairs = {number: pair(number) for number in ([1] if small else [0, 1, 2, 3])}

# %%
axes = analysis.plot_metric(pairs[1].steps, metric="value", higher=True)

# %% [markdown]
# And the last value of J on each of the pairs.

# %%
last = {}
for number, found in pairs.items():
    looked = found.steps.dropna(subset=["value"]).groupby("method", sort=False)
    last[f"pair {number}"] = looked["value"].last()
table = pd.DataFrame(last)
table["mean"] = table.mean(axis=1)
table.round(2)

# %% [markdown]
# On each of the four pairs Malenia and Ringleader, which give every worker the same weight, end
# higher than the other two. This is weaker evidence than that of the quadratic: it is one seed on
# four pairs, and a return is not concave, so the last point depends on the steps as well. The
# settings above were the fourth that were tried, on these very pairs. With longer steps, 0.2
# for Malenia and Rennala and 0.01 for AFedPG, Malenia settled early on a poor policy on two pairs
# (5.54 on pair 1, 5.97 on pair 2), and its mean was 6.36, no more than Rennala's.
#
# ## What to take away
#
# - Unequal speeds *and* unequal tasks together make a bias that neither time nor more gradients
#   removes. With either alone there is none.
# - On the quadratic the wrong point is known beforehand, and the runs end there.
# - Malenia pays for the right answer by waiting for the slowest worker at every step, Ringleader by
#   using old gradients of it. Where all workers share one task, that price buys nothing: [a first
#   race](01-first-race.ipynb) shows the other side.
