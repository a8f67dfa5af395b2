"""Gridwall: `python3 run.py` starts everything, `python3 run.py --help` says what else it does. Linux, Python 3.11+."""

import sys

if sys.version_info < (3, 11) or sys.platform != "linux":
    needed = "Gridwall needs Linux and Python 3.11 or newer. 网格指挥屏需要 Linux 和 Python 3.11 或更新的版本。"
    sys.exit(needed + " (" + sys.platform + ", Python " + sys.version + ")")  # the files of texts need 3.11 themselves

from config import setup

if __name__ == "__main__":
    setup.enter(sys.argv[1:])  # returns only inside .venv, with everything installed

    from dashboard import cli

    sys.exit(cli.main(sys.argv[1:]))
