"""What one training set shows, from products with its rows alone: nothing is factorised.

`folded_products` applies the smaller Gram matrix to vectors, for all rows and for all but a fold at
once; `lanczos` advances all of them side by side, one pass over the rows a step, and
`spectral_sums` and `fold_errors` read traces and errors off what it leaves, for any ridge.
`sample_shape` takes from a sample of the rows what these do not tell: how unequal leverages are,
and which rows are hard. `assembled_curve` makes a `KappaCurve` of it all. `conjugate_gradients`
solves for coefficients.
"""
