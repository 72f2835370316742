"""``scripts/rig``."""

import sys

from emulated.commands import main

sys.exit(main(sys.argv[1:]))
