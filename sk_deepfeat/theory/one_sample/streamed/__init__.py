"""From rows that come in blocks: sums that grow and merge, a sample, and what they tell.

`accumulator` adds blocks up to moments and keeps a uniform sample of the rows in a `reservoir`;
`sampled_factorization` is a training set of which the moments are those of all rows, and what needs
rows is learned from the sample.
"""
