"""The statistical constants of error rates, as `sk_deepfeat.theory.one_sample.tuning` has the rest.

What each means stands in the first paragraph under it, and after "Why:" the argument for it.
"""

from __future__ import annotations

# Scores along κ, and their noise.

SCORE_DF_SHARES = (0.995, 0.97, 0.9, 0.75)
"""Shares of the most degrees of freedom at which scores are kept, near the ridgeless end.

Why: scores and their noise change fastest there."""

SCORE_DF_STEP = 1.8
"""Ratio of degrees of freedom between the other places at which scores are kept.

Why: between two of them scores are taken as linear in log κ; error rates of leave-one-out then
agree with those in between to a fraction of their sampling error."""

SCORE_LOW_DF = (0.4, 0.1)
"""Degrees of freedom at which scores are kept last.

Why: from there on nothing but the scale of the scores changes."""

WILD_COLUMNS, WILD_DRAWS = 160, (8, 32)
"""Columns of resampled labels at each place, codes times draws, and the least and most draws.

Why: with four draws error rates are 2-6 % too low, from eight on no difference is seen; two classes
take more, since each row's variance is a mean over them."""

CLOUD_POINTS = 80_000
"""Rows times draws of noise, at least, over which an error rate of several classes is a mean.

Why: steps of one in so many are no more to be seen in a curve, and the draws' own scatter is a
fraction of the rows'."""

LOG_LOSS_TEMPERATURE = 0.5
"""Temperature of the log-loss where none is asked for, and at which subsets measure it.

Why: scores of codes -1 and 1 lie about as far apart as makes probabilities of them there that are
neither near chance nor near certainty."""

# Less noise than in the scores.

LEAST_SPREAD = 0.05
"""Share of the variance of a class's margins that is left in any direction, however much of it
seems to be noise.

Why: noise is known to some per cent of itself, and a cloud has some width."""

SIMEX_STEPS = (0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 1.5, 2.0)
"""Multiples of the excess noise that are added, to extrapolate to minus one.

Why: up to one alone the line is noisier, and a parabola through them noisier still, at 3,000 and at
1,000 rows of image features."""

REMOVAL_DOUBTS = (0.2, 0.6)
"""What multiplies the growth that removal gives, and the square of the log-distance that it adds to
the clouds, to be its relative errors.

Why: of a cloud with little noise, what is removed is right; where noise is most of it, it is not.
Where classes lie far apart and few rows are confused, as of trained features, a little noise less
changes much: removal made too much of the growth there, by a quarter of it."""

# The bridge to the squared error.

BRIDGE_SLOPES = (0.3, 3.0)
"""Least and largest slope of log error rate on log squared error.

Why: between them lie the slopes of all sets that were looked at; what is beyond is noise."""

BRIDGE_DOUBT = 0.15
"""Standard error of that slope, beside half of what it changes within the rows.

Why: slopes up to n₀ and beyond it differ by about as much."""

# What is known.

CLASS_DOUBT = 0.02
"""Relative standard error that every error rate has, from the way in which it is found.

Why: between subsets and theory two per cent are left where the rows are many."""

MOST_CLASS_NOISE = 0.15
"""Relative standard error of the growth beyond which an error rate is not known.

Why: what either way says is then no more than a guess."""
