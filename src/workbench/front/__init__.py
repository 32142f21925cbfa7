"""What the command line shows and asks: tables, the doctor, set-up, the cleaner before a commit."""
