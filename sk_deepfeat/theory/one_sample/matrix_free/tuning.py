"""Statistical constants of this room, kept as those of ``theory.one_sample.tuning``."""

from __future__ import annotations

SAMPLED_ROWS = 2000
"""Rows of the sample from which the spread of leverages is taken, and subsets are drawn.

Why: their factorisation takes seconds however many features there are, and the sums over them are
known to two or three per cent, of which the error at n₀ takes no notice."""

N_FOLDS = 10
"""Folds that are left out in turn.

Why: errors are then those of nine tenths of the rows, so near to all that the theory of the
difference hardly counts; twice as many cost twice as much."""

N_PROBES = 16
"""Random vectors by which traces are estimated.

Why: a trace f is then known to √(2/(16 f)), less than one per cent from f = 1250 on."""

MOST_STEPS = 400
"""Most Lanczos steps.

Why: each takes about two passes over the rows; where 400 do not settle an error, the ridge is so
small beside the largest eigenvalue that a factorisation is the better way."""

UNSETTLED = 0.25
"""Change of the left-out errors e over the last quarter of the steps, in units of the relative
standard error of mean e² and of e itself, up to which a ridge counts as settled.

Why: what changes by d moves mean e² by 2d at most, and steps to come change less than those that
were taken: half a standard error at worst, usually a small part of it."""

LEAST_NOISE = 0.004
"""Relative standard error of mean e² below which more steps are not asked for.

Why: with UNSETTLED, errors are off by 0.2 % at worst, a tenth of what they are meant for."""

RIDGES_BELOW_BEST = 0.05
"""Share of the best ridge down to which the steps go on, where they may.

Why: ten times as many rows meet, at their best alpha, the κ of a ridge of about a tenth of the best
for these; the other half is for a best one that is badly known. Steps grow as its inverse root."""

MOST_VARIANCE_SHARE = 0.25
"""Largest share of the sample's own variance in mean e² at which it tells how unequal rows are.

Why: leverages then scatter by a third more, in their squares, than those of many rows; at one half
by twice as much, and towards interpolation without bound."""

NEARLY_ALL = 0.97
"""Share of the rows of a fit without a fold that its degrees of freedom reach, from which on
squared bias and noise are carried on to those of all rows.

Why: with fewer features than rows nothing is missing; with more, a tenth of the rows lies between
the smallest κ of such fits and that of all, over which squared bias and noise hardly move."""

CARRIED_FROM = 0.5
"""Share of the largest degrees of freedom measured above which their slope in κ is taken.

Why: a factor of two in degrees of freedom levels the noise of single points."""
