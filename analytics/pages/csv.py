"""A table as a CSV file, streamed line by line."""

import csv
from collections.abc import Iterator

from django.http import StreamingHttpResponse

from analytics.pages.cells import csv_names, csv_values
from analytics.pages.tables import Order, Table
from reemio.database.reading import kept_reading

# Without it, a spreadsheet reads accents as two characters.
BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def csv_response(table: Table, *, order: Order | None, name: str) -> StreamingHttpResponse:
    """Return every row of a table as a file to download."""
    return StreamingHttpResponse(
        kept_reading(_lines(table, order)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def _lines(table: Table, order: Order | None) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow([name for column in table.columns for name in csv_names(column)])
    for row in table.rows(order):
        yield writer.writerow([text for column in table.columns for text in csv_values(column, row)])
