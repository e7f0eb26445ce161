"""``python -m tinyconv`` is the command ``tinyconv``."""

import sys

from .cli import main

sys.exit(main())
