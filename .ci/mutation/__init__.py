"""Mutants of the package: small wrong changes, each of which some test must notice."""
