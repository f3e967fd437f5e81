"""
How many more documents?
========================

A thousand documents have been sorted by hand, and a ridge classifier on their words is wrong about
one time in six. Are a thousand more worth the work? A bag of words has a quarter of a million
columns, nearly all of them zero: such rows are fitted as they are, sparse, and answer like others.
"""

import ast
import re
import sysconfig
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from sk_deepfeat import DeterministicEquivalentRidgeClassifier

N_TRAIN, ALPHA = 1000, 3.0
rng = np.random.default_rng(0)

# %%
# The documents
# -------------
# Text that every Python brings: the functions of nine packages of its standard library, each as its
# words, in the order of the alphabet. The task is to tell from which package a function is. Short
# ones are left out, and of those of the same words all but one.

PACKAGES = "asyncio email importlib logging http multiprocessing unittest urllib xml".split()
library, package_of = Path(sysconfig.get_path("stdlib")), {}
for package in PACKAGES:
    for path in sorted((library / package).rglob("*.py")):
        if "test" in path.relative_to(library).parts:
            continue
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                text = " ".join(lines[node.lineno - 1 : node.end_lineno])
                words = re.findall("[a-z]{2,}", text.lower())
                if len(words) >= 10:
                    package_of.setdefault(" ".join(sorted(words)), package)
documents, packages = np.array(list(package_of), dtype=object), np.array(list(package_of.values()))

# %%
# Words are counted, and weighted by how rare they are among all documents, which needs no labels.
# Weights from the sorted documents alone would make new ones, some of whose words are in none of
# these, unlike them.

vectorizer = make_pipeline(
    HashingVectorizer(n_features=2**18, norm=None, alternate_sign=False),
    TfidfTransformer(sublinear_tf=True),
)
X = vectorizer.fit_transform(documents)
order = rng.permutation(len(documents))
train, others = order[:N_TRAIN], order[N_TRAIN:]
print(f"{X.shape[0]} documents, {X.shape[1]} columns, {X.nnz / X.shape[0]:.0f} words in each")

# %%
# The answer
# ----------
# From the thousand alone. A word that a few documents share gives these large leverages, which the
# theory takes to be spread more evenly; errors measured on parts of the thousand take over, and say
# how far they can be continued.

classifier = DeterministicEquivalentRidgeClassifier(ALPHA).fit(X[train], packages[train])
sizes = np.unique(np.geomspace(N_TRAIN / 10, 2 * N_TRAIN, 30).round())
error, low, high = classifier.predict_test_error(sizes, return_interval=True)
for n in (N_TRAIN, 2 * N_TRAIN):
    print(f"{n} documents: {np.interp(n, sizes, error):.1%} wrong")

# %%
# Was it so?
# ----------
# scikit-learn's classifier on other documents, measured on all that are left.

measured_sizes = N_TRAIN * 2 ** np.arange(5) // 8
measured = []
for n in measured_sizes:
    rates = []
    for _ in range(2000 // n + 2):
        rows = rng.permutation(others)
        refit = RidgeClassifier(alpha=ALPHA).fit(X[rows[:n]], packages[rows[:n]])
        rates.append(1 - refit.score(X[rows[n:]], packages[rows[n:]]))
    measured.append(np.mean(rates))
measured = np.array(measured)

fig, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
ax.fill_between(sizes, 100 * low, 100 * high, color="C0", alpha=0.2, lw=0, label="90 % interval")
ax.plot(sizes, 100 * error, color="C0", label=f"predicted from {N_TRAIN} documents")
ax.plot(measured_sizes, 100 * measured, "ko", label="refits on other documents")
ax.axvline(N_TRAIN, color="black", ls=":", lw=1)
ax.set(
    xscale="log",
    yscale="log",
    xlabel="number of sorted documents",
    ylabel="wrong package, %",
    title="functions sorted by package, ridge on their words",
)
ax.set_xticks(measured_sizes, [f"{n}" for n in measured_sizes])
ax.set_xticks([], minor=True)
ax.set_yticks([10, 20, 30, 50], ["10", "20", "30", "50"])
ax.set_yticks([], minor=True)
ax.legend(fontsize="small")
plt.show()
