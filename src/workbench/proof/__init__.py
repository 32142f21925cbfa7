"""Prove what was run: outputs against committed ones, exercises against wrong answers, claims.  Start at `verify`."""
