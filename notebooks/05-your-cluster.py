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
# # Your cluster
#
# A cluster has a log. Which method and which batch suit it?
#
# Four steps lead from the log to a decision: `calibrate` fits a cluster to the log, `advise` ranks
# methods and batches without training, `compare` trains the best ones, and the decision follows.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from simulator import advise, analysis, calibrate, compare

plt.style.use(analysis.STYLE)
small = bool(os.environ.get("STRAGGLE_SMALL"))  # a quick check that all of this runs

# %% [markdown]
# ## 1. The log
#
# A row per computation and per upload: the worker, and the seconds. Here we draw one: eight
# workers, two of them three times slower, with uploads of about four seconds.

# %%
chance, rows = np.random.default_rng(0), []
for worker in range(8):
    seconds = 3.0 if worker >= 6 else 1.0
    computed = chance.gamma(9, seconds / 9, size=60 if small else 200)
    uploaded = chance.lognormal(np.log(4.0), 0.1, size=40)
    rows += [("compute", worker, value) for value in computed]
    rows += [("upload", worker, value) for value in uploaded]
log = pd.DataFrame(rows, columns=["kind", "worker", "seconds"])
log.to_csv("log.csv", index=False)
log.groupby(["kind", "worker"])["seconds"].mean().unstack().round(2)

# %% [markdown]
# ## 2. The cluster
#
# The fit finds the two groups of workers, and the law of the uploads. On the command line:
# `straggle calibrate log.csv --out mine.toml`.

# %%
cluster = calibrate("log.csv", out="mine.toml")
cluster.plot()
cluster

# %% [markdown]
# ## 3. The advice
#
# `straggle advise mine.toml` needs no more than this file. How noisy are the gradients? A run of
# the real model tells: say that the mean of 60 gradients is accurate enough.

# %%
names = ["rennala-nigt", "malenia-nigt", "afedpg", "synchronous-nigt"]
found = advise("mine.toml", methods=names, noise=60, quiet=True)
found

# %% [markdown]
# The time of every size, as a multiple of the leader's. The curve is flat around the best batch.

# %%
sized = found.frame[found.frame["setting"].notna()]
fig, axes = plt.subplots(figsize=(5, 3))
for method, own in sized.groupby("method"):
    axes.plot(own["size"], own["times"], marker="o", label=method)
axes.set(xscale="log", yscale="log", xlabel="batch", ylabel="times as long as the leader")
_ = axes.legend()

# %% [markdown]
# ## 4. The comparison
#
# Advice is a forecast. A comparison trains: every method is tuned over equally many steps, and the
# best ones race on fresh seeds. A quadratic with the same noise stands for the model.

# %%
leader = found.method
rivals = [name for name in found.ranking["method"] if name != leader][:2]
batch = {row["method"]: row["size"] for row in found.ranking.to_dict("records")}
methods = {
    name: {"step": 0.1, "momentum": 0.15} | ({"batch": int(batch[name])} if batch[name] > 0 else {})
    for name in [leader, *rivals]
}
scenario = cluster.tables | {
    "title": "My cluster",
    "seeds": [0, 1] if small else [0, 1, 2],
    "objective": {"kind": "quadratic", "dimension": 20, "scale": 0.8},
    "stop": {"seconds": 500 if small else 1000, "target": 0.1},
    "methods": methods,
}
steps = "0.2,0.4" if small else "0.02,0.05,0.1,0.2,0.4,0.5"
fresh = [10, 11] if small else [10, 11, 12, 13, 14]
compared = compare(scenario, tune=f"methods.*.step={steps}", levels=[0.1], seeds=fresh, quiet=True)
compared

# %%
compared.plot()

# %% [markdown]
# ## 5. The decision
#
# Training has the leader that the advice named. With the batch of the table, and the step that
# the comparison found, the method is ready for the real cluster. What would change the answer?

# %%
print("advised: ", found.method, found.settings)
print("measured:", compared.frame.sort_values("seconds")["method"].tolist())
found.changes
