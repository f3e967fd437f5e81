"""Which class each row is of."""

import numpy as np
import pytest

from sk_deepfeat.theory import RowClasses, ridge_factorization


def test_codes_are_those_of_ridge_classifiers():
    np.testing.assert_array_equal(RowClasses([1, 0, 1], 2).codes, [[1], [-1], [1]])
    np.testing.assert_array_equal(RowClasses([2, 0], 3).codes, [[-1, -1, 1], [1, -1, -1]])


def test_means_count_by_weights_and_leave_out_empty_classes():
    classes = RowClasses([0, 0, 2], 3, weights=[1.0, 3.0, 4.0])
    np.testing.assert_allclose(classes.share, [0.5, 0.0, 0.5])
    np.testing.assert_allclose(classes.means(np.array([0.0, 1.0, 1.0])), [0.75, np.nan, 1.0])
    assert classes.counts.tolist() == [2, 0, 1]


def test_some_rows():
    some = RowClasses([0, 1, 2, 1], 3).some(np.array([False, True, False, True]))
    assert some.number.tolist() == [1, 1] and some.n_classes == 3


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [[0, 1]]])
def test_numbers_out_of_range_are_refused(labels):
    with pytest.raises(ValueError, match=r"labels.* must"):
        RowClasses(labels, 3)


def test_classes_that_do_not_fit_the_targets_are_refused():
    path = ridge_factorization(np.eye(3), [1.0, -1.0, 1.0])
    with pytest.raises(ValueError, match="do not fit"):
        path.with_classes(RowClasses([0, 1, 2], 3))
