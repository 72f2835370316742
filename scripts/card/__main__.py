"""``scripts/flash``."""

import sys

from card.commands import main

sys.exit(main(sys.argv[1:]))
