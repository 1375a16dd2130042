"""``python -m makegood.cli``: the same command for processes that start one another."""

from makegood.cli.main import run

if __name__ == "__main__":
    run()
