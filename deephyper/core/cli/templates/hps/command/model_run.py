"""The function to maximize: call a program with a point, return the objective that it prints."""

import subprocess
import sys
from pathlib import Path

# What is called; anything that takes options and prints its result will do.
PROGRAM = [sys.executable, str(Path(__file__).resolve().parent / "program.py")]


def command_line(point):
    """Return the program with a point as its options: ``--units=10 --scale=0.1 ...``."""
    return [*PROGRAM, *(f"--{name}={value}" for name, value in point.items())]


def run(point):
    """Return the objective of a point: the number in the last line that begins with it."""
    done = subprocess.run(command_line(point), stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")  # kept in the output file of this evaluation
    if done.returncode != 0:
        return f"F_the program ended with status {done.returncode}"
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("objective:"):
            return float(line.removeprefix("objective:"))
    return "F_the program printed no objective"


if __name__ == "__main__":
    point = {"activation": "identity", "scale": 0.1, "units": 10}
    print("objective:", run(point))
