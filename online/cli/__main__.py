"""Lets `python -m online.cli` be `lockgate`."""

import sys

from online.cli import main

sys.exit(main())
