"""Starts the page: parses flags, sets the privacy switches, launches. Everything else lives in ``agent``."""

from agent.cli import main

if __name__ == "__main__":
    import sys

    sys.exit(main(["serve", *sys.argv[1:]]))
