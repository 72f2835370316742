"""``backend VERB``."""

import sys

from backend.commands import main

sys.exit(main(sys.argv[1:]))
