"""Worker processes: the parent's side (process.py) and the child's (main.py)."""
