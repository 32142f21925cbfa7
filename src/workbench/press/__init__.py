"""Make the site and the blog from executed copies: stage, build, check, swap in.  Start at `publish`."""
