"""Derivations: verified steps, and the plans that arrange them for a reader."""
