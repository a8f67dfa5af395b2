"""Gridwall: `python3 run.py` starts everything, `python3 run.py --help` says what else it does. Linux, Python 3.11+."""

import sys

if sys.version_info < (3, 11) or sys.platform != "linux":
    sys.exit("Gridwall needs Linux and Python 3.11 or newer; this is " + sys.platform + " with Python " + sys.version)

from config import setup

if __name__ == "__main__":
    setup.enter(sys.argv[1:])  # returns only inside .venv, with everything installed

    from dashboard import cli

    sys.exit(cli.main(sys.argv[1:]))
