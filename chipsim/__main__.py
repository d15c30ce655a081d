"""`python -m chipsim` is `chipsim`."""

import sys

from chipsim.cli import main

sys.exit(main())
