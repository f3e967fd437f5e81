"""Error rates of ridge on codes of classes, from one training set.

`row_classes` says which class each row is of; `scores` takes what ridge says of each row that it
has not seen, along a grid of ridges; `wild_noise` the noise that the other rows put into that. With
more of it, scores are those of fewer rows (`clouds` counts their errors); `removal` and `bridge`
are two ways to those of more. `class_surface` puts it together at every (n, alpha).
"""
