#!/usr/bin/env python
"""The command line of Reemio: `manage.py help` lists what it can do."""

import sys

from reemio.bootstrap import prepare


def main() -> None:
    """Prepare the environment, then hand over to Django."""
    prepare()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
