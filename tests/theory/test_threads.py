import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits

from sk_deepfeat.theory.threads import threads_for


def most_threads():
    return max(
        lib.num_threads for lib in ThreadpoolController().select(user_api="blas").lib_controllers
    )


def test_small_matrices_get_one_thread_and_give_the_others_back():
    np.linalg.eigvalsh(np.eye(2))  # loads what there is to limit
    with threadpool_limits(2, user_api="blas"):
        with threads_for(20):
            assert most_threads() == 1
        assert most_threads() == 2
        with threads_for(2000):
            assert most_threads() == 2
