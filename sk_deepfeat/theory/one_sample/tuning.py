"""Every statistical constant of the room: what it means, and why it has this value.

A constant is a choice that theory does not make: how much noise is too much, how many subsets are
enough. Each stands here once; the other modules read it as ``tuning.NAME`` when they run. Its
docstring says in the first paragraph what it is, in the second, after "Why:", the argument or the
measurement for it. What fidelity, coverage and extrapolation do when it is halved or doubled is in
``docs/tables/sensitivity.csv``, made by ``benchmarks/sensitivity.py``.

Tolerances of rounding, sizes of grids and widths of bins are no choices of this kind: they stand
where they are used.
"""

from __future__ import annotations

# The jackknife over rows.

JACKKNIFE_BLOCKS = 20
"""Groups of rows that the jackknife leaves out in turn; one less is the degrees of freedom of every
interval.

Why: Student's t with 19 degrees of freedom is 5 % wider than the normal at 90 %; more groups cost
time in proportion and gain less than that."""

JACKKNIFE_KNOWN_SHARE = 0.75
"""Share of the replicates that must know a number for its variance to be finite.

Why: where a quarter of the groups decides whether a number exists at all, the others do not tell
how uncertain it is."""

SMALL_SAMPLE_SCATTER = 1.0
"""√n times the relative scatter of the error from training set to training set, where the rows are
too few for subsets to tell it.

Why: with 15 and 20 rows, intervals of nominal 90 % without it hold the error far less often than
with 60 (docs/tables/small_samples.csv is with it)."""

MOMENT_NOISE = 2.0
"""Multiples of N^(-1/2) mean e² below which squared bias and noise are lost in the variance; what
the next larger κ shows stands for them.

Why: the noise of mean a is about that, and a number below twice its noise may as well be zero."""

# Where errors of subsets are measured, to check the theory.

SUBSET_DF_RATIOS = (0.1, 0.5, 0.85, 0.98)
"""Values of df1/n at which subsets are measured for the check.

Why: from strong regularisation to the edge of interpolation, where the theory fails first; the
scatter between training sets grows towards 1, so that the points move closer."""

SUBSET_DF_RATIOS_FINE = (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.96, 0.99)
"""The same for a correction, where the check has failed.

Why: a correction is interpolated between these points; twice as many halve the steps."""

SUBSET_SIZES_COUNT = 6
"""Most sizes of subsets, each half of the next.

Why: six halvings span learning curves as they are usually drawn; the smallest subsets cost nothing
beside the largest."""

SMALLEST_SUBSET = 12
"""Rows of the smallest subset.

Why: below a dozen rows the error of a single subset scatters by its own size."""

LARGEST_SUBSET_SHARE = 0.8
"""Largest share of the rows in a subset.

Why: a fifth of the rows stays outside to be measured on."""

SUBSET_SHARES_NEAR_ALL, FINE_STEPS_PER_OCTAVE = (0.7, 0.9), 2
"""Shares of the rows in the two largest subsets of a correction, and its sizes for each halving.

Why: where directions are carried by few rows the error of the theory grows up to the last row, and
a straight line from 0.8 n₀ to n₀ would not follow. Between sizes an octave apart an error can rise
and fall; between half octaves it bends."""

CHECK_COST, CORRECTION_COST = (0.25, 1.5e9), (4.0, 5e9)
"""What the subsets of a check and of a correction may cost together: a share of the factorisation,
and operations of matrix products that are never too many.

Why: a check that costs more than what it checks is not made; where it has failed, twice as long as
everything else is worth waiting for. A hundredth and a twentieth of a second nobody waits for."""

FEWEST_SIZES = 4
"""Sizes of subsets that are measured whatever they cost.

Why: three parameters of a power law, and one size to contradict them."""

SUBSET_ROW_COST, SUBSET_FIXED_COST = 100.0, 1e7
"""What copying one row costs for each of its features, and what a subset costs beside all products,
in operations.

Why: memory is read some hundred times more slowly than numbers are multiplied; a tenth of a
millisecond is what the smallest fit takes."""

FEWEST_SUBSETS = (2, 3, 4)
"""Least number of subsets of a size: of large ones, near the rank, and else.

Why: two say whether they scatter at all; near the rank, where the scatter counts most, three."""

MOST_SUBSETS = (4, 16)
"""Most subsets of a size: of large ones, which overlap, and of those that are disjoint for a while.

Why: the standard error falls by half from 4 to 16, and large subsets share most of their rows."""

LARGE_SUBSET_SHARES = (0.2, 1.0 / 3.0)
"""Shares of the rows from which a subset is large for its least and for its most number.

Why: up to a fifth, four subsets and more are disjoint, and cheap. Beyond a third fewer than three
are, and their scatter says as much about the rows outside as about those inside."""

NEAR_RANK = 0.5
"""Distance of log size to log rank within which a subset interpolates for the first time.

Why: within a factor of e^0.5 of the peak the error of single subsets scatters most, and the scatter
itself is known badly."""

OVERLAPPING_SCATTER_WEIGHT = 0.1
"""Weight of the scatter between overlapping subsets in the pooled one.

Why: they differ in the rows outside as much as in those inside."""

SCATTER_REACH = (0.5, 1.1)
"""The scatter of one size counts for df1/n down to and up to these multiples of those measured.

Why: the scatter varies over df1/n by factors only; a size should not speak for far ones."""

# When the check fails, and what is corrected then.

DISAGREEMENT_OF_CONCERN = 0.05
"""Log-ratio of measured to predicted error below which nothing is wrong.

Why: 5 % is the accuracy that the predictions are meant for."""

ERRORS_AT_ONE_SIZE, ERRORS_AT_TWO_SIZES = 4.0, 3.0
"""Standard errors of a disagreement that fail the check: at one size, and at two sizes or more.

Why: of some forty correlated comparisons one at four standard errors, or two at three, is no
chance. With t outputs they are as many more as the largest of t numbers of Student's t needs."""

POOLED_DEGREES = 4
"""Degrees of freedom that the scatter at other sizes adds to that of few subsets.

Why: scatter times √n is about the same at all sizes with the same df1/n, within tens of per cent,
as if four more subsets told it."""

ALPHA_OF_USE = 1e-4
"""Share of the best alpha down to which a disagreement fails the check.

Why: units of a network that few rows switch on make the theory wrong at alphas of nearly nothing,
where measured errors take over without a word. Four decades below the best alpha hardly anybody
looks, and rare columns, outliers and groups show above."""

SHRINKAGE = 1.0
"""A log-ratio is multiplied by max(0, 1 - 1/z²), with z² the mean squared number of its standard
errors at a size and its two neighbours.

Why: noise alone makes z² one on average. What is left estimates the share that is no noise; three
sizes, whose noise is apart and whose fault is not, tell it better than one."""

WIDEST_ALPHA_STEPS = (1000.0, 4.0)
"""Largest factor between neighbouring alphas of a check and of a correction.

Why: across a gap of the spectrum df1/n stands still over decades of alpha, and a straight line
would carry what is wrong at its far end to where the theory holds. A fault goes on down to the
ridgeless end, where the check sees it; how it comes about along alpha is for the correction."""

MISFIT_NEIGHBOURS = (0.3, 3.0)
"""Multiples of alpha whose misfit counts as well for the weight of the theory's shape.

Why: a misfit changes its sign along alpha, and is small there by that chance alone; a step of the
correction's alphas to either side."""

CHECK_BAR = 4.0
"""Standard errors from a predicted error to the ends that a check shows.

Why: as for one size: with some forty cells three happen by chance."""

# Beyond the training size.

MOST_GROWTH_NOISE = 0.3
"""Standard error of the theory's log growth from n₀ at which it stops counting; its weight is
1 - (s/0.3)².

Why: the theory's growth is lognormal at best, and beyond 0.3 its noise is as large as the growth
that a tenfold sample brings."""

REACH_WEIGHT = 0.5
"""Weight of the theory's growth down to which a cell is reachable: s < 0.21.

Why: below it what continues the theory decides more than the theory."""

THEORY_DRIFT, POWER_LAW_DRIFT = 0.02, 0.04
"""Relative errors for each unit of log(n/n₀) that no noise shows.

Why: neither form holds exactly. A tenfold sample is 2.3 units, 5 and 9 %: at ten times 1000 rows of
random features of MNIST the two are off by so much more than the rows alone
(docs/tables/extrapolation.csv)."""

GROWTH_NOISE_FLOOR = 0.01
"""Relative error of every measured point of a power law beside its own noise.

Why: no such form holds quite, and a point that is exact by chance must not carry the whole fit."""

POWER_LAW_FORM = 0.15
"""Relative error of a power law's form for each unit of log n back from its last point.

Why: errors bend where directions come into play one after the other; what lies near n₀ tells most
of how they go on. Of 0, 0.05 and 0.15 it was the best on mixed tables (``real_tables.py``); the
sets of ``extrapolation.py`` did not choose it, and most are no worse."""

POWER_LAW_SIZES = 4
"""Fewest sizes of subsets for a power law, beside all rows.

Why: three parameters, and one size to contradict them."""

POWER_LAW_CUTS = (0.55, 0.3)
"""Shares of the rows from which a power law is fitted again, to see how it would have predicted n₀.

Why: half and a quarter of the rows, with room for sizes that are not quite those."""

POWER_LAW_NEIGHBOURS = (0.4, 2.5)
"""Multiples of alpha whose misses count as well.

Why: a miss changes its sign along alpha, and is small there by that chance alone."""

MISSES_SHARES = (0.2, 0.8)
"""After a failed check: shares of the rows at which the theory's miss tells how far its growth is.

Why: about half and a quarter of the rows, as far below n₀ as extrapolation goes beyond. Nearer to
n₀ the miss is divided by next to nothing."""

FAULT_SHARE = 0.25
"""Share of the rows from which on a subset tells whether the theory fails at a κ.

Why: far smaller subsets fail for reasons of their own, such as rare columns that none of their rows
has; two octaves below n₀ are what the misses of the growth are read from, too."""

CAUTION = 2.0
"""Standard errors of the growth that a search over alpha adds to the error.

Why: the least of many noisy numbers is too low, and the smallest alphas known are the noisiest; two
standard errors keep a search from their edge."""

# The functionals continued below the κ at which they are noise.

TAIL_NOISE = 0.25
"""Relative standard error of squared bias and noise from which on it is continued.

Why: beyond a quarter a functional tells less than its own continuation does."""

TAIL_NOISE_FLOOR = 0.02
"""Relative error of every point of the fit, and of the continued functional, beside their noise.

Why: a form that does not quite hold, as for power laws in n."""

TAIL_DRIFT = 0.2
"""Relative error for each unit of log κ continued.

Why: the slope of log df1 is not constant; a fifth for each factor of e keeps ten decades from
being believed."""

TAIL_RANGE = 300.0
"""Factor of κ over which the form is fitted.

Why: two decades and a half: enough to see a power, short enough for one to hold."""

TAIL_LEAST_DF_SHARE = 0.02
"""Share of the largest df1 from which on functionals are fitted.

Why: with less, nearly nothing is learned, and the moments are those of the target alone."""

TAIL_LEAST_POINTS = 6
"""Fewest points of the fit.

Why: twice its parameters."""

TAIL_MOST_DF_RATIO = 0.8
"""Largest df2/n at which the continued functionals answer.

Why: degrees of freedom that come near n are the continuation's, not the population's."""

# Blocks of ordered rows.

LONG_STRETCHES = 5
"""Consecutive stretches of which the rows are made, each left out in turn, to see how errors on new
stretches are correlated.

Why: rows that are left out alone or in short blocks are predicted from their neighbours, which
whitens their residuals: in AR(1) rows of coefficient 0.95 and white noise they look independent
where the row-wise error is 36 % too low. Ten stretches in place of five find a third of the length
there at 500 rows; fewer leave too little to fit on."""

AUTOCORRELATION_NOISE = 2.0
"""Multiples of √(log₁₀ n/n) below which an autocorrelation is noise.

Why: the value of Politis and White (2004), 2.8 standard errors of independent residuals at a
hundred rows and 3.5 at a thousand: of a hundred independent data sets one or two get blocks."""

SILENT_LAGS = 5
"""Lags in a row whose autocorrelations are noise, from the first of which on all are taken to be.

Why: the value of Politis and White (2004), for up to 10²⁵ rows."""

BLOCK_PER_CORRELATED_LAG = 3.0
"""Length of a block in units of the lag at which correlation ends.

Why: rows at the ends of a block still have correlated neighbours outside, a share of the rows in
proportion to 1/length. Of the error that is missing row-wise in AR(1) rows of coefficient 0.5 to
0.95, one lag leaves up to two thirds, three lags up to two fifths and mostly less than a fifth;
four gain two per cent of the error and have fewer blocks to tell how uncertain it is."""

FEWEST_BLOCKS = 10
"""Least number of blocks that are chosen.

Why: Student's t with 9 degrees of freedom is 11 % wider than the normal at 90 %; with five blocks
it is 30 %, and each leaves out a fifth of the rows."""

# Whether rows look dependent.

DEPENDENCE_FEWEST_ROWS = 30
"""Rows from which dependence is looked for.

Why: of fewer, not two neighbours can be told from a group."""

FEWEST_GROUPS = 20
"""Rows are left out with up to n/20 nearest ones, and groups are looked for up to that size.

Why: rows of ten or so classes are as near to one another as rows of groups, and new rows come from
the same classes; fewer than twenty groups and as many classes cannot be told apart."""

FEWEST_STRETCHES = 4
"""Stretches of rows in order are at most this part of the rows.

Why: with more than a quarter of the rows out, the fit is another one."""

SCREENED_ROWS, EXAMINED_ROWS = 16, 200
"""Rows that are left out with their nearest, first, and when the first look dependent.

Why: sixteen show the growth of leverages to a few per cent, and cost less than a third of the
factorisation; the error of one row scatters by its own size, and two hundred bring a rise of 20 %
to three standard errors."""

SHARPENING_ROWS, SHARPENINGS = 3, 2
"""A row is replaced by the mean of itself and its three nearest, twice, before its neighbours are
sought.

Why: with half of the variance shared within a group, single partners are no nearer than the
nearest of a thousand strangers, but all are nearer to the mean of some; five would blur pairs."""

SHARPEST_BREAK, SATURATION = 1.5, 0.6
"""The growth of the log leverage for each unit of log(k+1) breaks off to less than 1/1.5 of what it
was, times exp(0.6 log of the growth so far), where rows come in groups.

Why: of 2900 independent sets of nineteen kinds four raised an alarm: two of three-dimensional rows,
where leverages had grown fourfold and more, and two of twenty clusters with three rows each, which
cannot be told from groups."""

BROKEN_ROWS, LARGE_GROUP = 0.75, 0.9
"""Share of the rows that must show a break by themselves, and the quantile of their numbers of
partners at which the error is measured.

Why: a quarter of the rows may come alone or in groups too large to be seen; partners left in would
hide what the large groups cost."""

SHARPEST_ROW_BREAK, ROW_BREAK_ERROR = 2.5, 0.2
"""The same as for the mean, for these rows by themselves, and the standard error of its logarithm.

Why: the largest of many rough ratios is larger than that of their means: of two hundred independent
sets it reaches 2 in continuous features. Groups of many sizes, whose breaks the mean blurs, begin
at 2.7 with half of the variance shared."""

MOST_ORDER_GROWTH = 2.0
"""Neighbours in row order raise leverages as much as this many rows at random.

Why: independent rows sorted by a feature share one direction of many, which is less than twice the
influence of strangers with three features and more."""

SIGN_ERRORS = 2.0
"""Standard errors by which leverages pass these bounds.

Why: the bounds themselves lie beyond what independent rows show; two keep the noise of the
sampled rows out."""

OPTIMISM_OF_CONCERN = 1.08
"""Rise of the error without the partners from which it is worth a warning.

Why: of the 20 % that must be heard in nine of ten draws, noise of 200 rows takes 8 at worst, and
what is less than the noise is not worth a warning."""

NEAR_DUPLICATE = 0.01
"""Squared distance of two rows over the sum of their squared lengths below which they are near
duplicates.

Why: they share 99 % of their variance."""

EQUAL_ROWS_SHARE = 0.1
"""Share of the rows that equal their nearest from which rows are taken for draws from a discrete
table.

Why: continuous rows are never equal by chance, and a tenth of copies raises errors by less than a
tenth."""

EVEN_COPIES = 0.5
"""Variance over mean of the numbers of copies above which they come by chance.

Why: draws from a discrete table have one or more; groups of one size have none."""

# Why a check fails.

CAUSE_FEWEST_ROWS = 40
"""Rows from which the sizes of rows and of residuals are examined.

Why: the largest tenth, from which tails are read, is four rows then."""

RARE_SHARE = 0.1
"""Share of the rows, at most, in which a rare column differs from its most common value.

Why: of the smallest subsets, a dozen rows, one row in four sees none of a column that one row in
ten carries."""

RARE_LEVERAGE, RARE_EXPLAINS = 0.1, 0.5
"""Share of the leverage of all rows that rare columns must hold to be named, and of that of the
rows of largest leverage to explain them.

Why: two of 400 random ReLU features with biases are rare by chance, and hold less than a hundredth;
indicator columns beside a few Gaussian ones hold most of the leverages that they make."""

LARGEST_ROWS = 64
"""Rows of largest leverage, and as many others, of which leverages are traced to columns.

Why: their shares are means of as many numbers between zero and one, known to a few per cent."""

OUTSIZE_SHARE = 0.05
"""Largest share of the rows that are outsize.

Why: more are no exceptions, but a part of the population of its own."""

OUTSIZE_GAP, OUTSIZE_SPACINGS = 1.5, 12.0
"""Factor in size between outsize rows and the others, and the log of the gap times its rank, in
means of an exponential: where the mean is that of few others, more, for the same probability.

Why: of a power law these are independent exponentials (Rényi): twelve means come in one of 160,000,
and in lighter tails they fall towards the top. Of Student-t(4.5) rows no draw reaches it; where one
row in a hundred is ten times as large, every draw does (docs/tables/causes.csv)."""

TAIL_SHARE = 0.1
"""Largest share of the rows from which a tail index is read, by Hill's estimator.

Why: of 300 rows thirty, with a standard error of 18 %. At a tenth, Student-t rows already fall as
their power law does, within its error."""

HEAVIEST_INDEX, TAIL_EXCESS = 7.0, 2.0
"""Tail index below which rows are heavy-tailed, and how many times its inverse must exceed that of
Gaussian rows of as many degrees of freedom.

Why: with a larger index, leverages have three moments and the theory holds at any size that is
measured here; Gaussian rows have indices of 7 and more from five columns on, but of 5 with two."""

RESIDUAL_TAIL_ERRORS = 4.0
"""Standard errors by which the inverse tail index of residuals exceeds that of normal ones, to be
called heavy-tailed; a little more of them for several outputs.

Why: three are enough for normal residuals, but those of a misfit have tails of their own; of a
hundred sets of random ReLU features one may raise an alarm at most (docs/tables/causes.csv)."""

FAR_OUTLIERS = 0.5
"""Share of the outliers of the targets that may be among the tenth of the rows of largest leverage,
where leverages have heavy tails.

Why: errors of targets do not know of leverages, and one in ten is there by chance."""

SCALES_APART, SCALE_RANKS = 1000.0, 10
"""Ratio of column scales, and by how many times the rank among the columns, from which scales are
apart.

Why: along a power law of exponent 1, 2 or 3 scales fall by 10, 100 or 1000 where the rank grows
tenfold, which is a spectrum; what falls faster is a choice of units."""
