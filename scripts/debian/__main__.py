"""``scripts/deb``."""

import sys

from debian.commands import main

sys.exit(main(sys.argv[1:]))
