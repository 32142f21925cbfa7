"""Run notebooks: which ones, in what order, in which kernel, and where executed copies go.  Start at `execute`."""
