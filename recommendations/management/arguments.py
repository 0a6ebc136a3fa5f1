"""Arguments that several commands take."""

import argparse
from datetime import UTC, datetime

from django.core.management.base import CommandParser
from django.utils.dateparse import parse_date, parse_datetime


def add_as_of(parser: CommandParser) -> None:
    """Take `--as-of`: pretend that it is this moment, and that nothing after it has happened."""
    parser.add_argument("--as-of", type=moment, metavar="TIME", help="ISO 8601; without a zone, UTC. Default: now.")


def moment(text: str) -> datetime:
    """Parse an ISO 8601 date or time; UTC where it names no zone."""
    try:
        parsed = parse_datetime(text)
        day = parse_date(text) if parsed is None else None
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if parsed is None and day is not None:
        parsed = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if parsed is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 time.")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
