"""``python -m moviegen_core.cli``: the same as ``moviegen``."""

from . import main

raise SystemExit(main())
