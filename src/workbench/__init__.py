"""Instruments for experiments that a reader can run again."""
