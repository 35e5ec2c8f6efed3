"""``python -m sim`` is ``telex``."""

import sys

from sim.cli import main

sys.exit(main())
