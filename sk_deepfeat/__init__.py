"""Predict the test error of ridge regression on deep features."""
