"""Numbers people can say 编号, counted per county and day inside the transaction that uses them."""

from datetime import UTC, datetime, tzinfo

import sqlalchemy as sa

from operations import tables
from operations.database import Transaction


class Numbers:
    """The numbers of one transaction; `store` writes the counters back."""

    def __init__(self, transaction: Transaction, zone: tzinfo, now: int) -> None:
        self._transaction = transaction
        local = datetime.fromtimestamp(now / 1e6, UTC).astimezone(zone)
        self._day, self._shown = f"{local:%Y%m%d}", f"{local:%m%d}"
        self._last: dict[str, int] = {}

    def next(self, county: str) -> str:
        """Return the next number of the day of a county, or of a series of its own: "1122-0031"."""
        if county not in self._last:
            self._last[county] = self._load(county)
        self._last[county] += 1
        return f"{self._shown}-{self._last[county]:04d}"

    def store(self) -> None:
        """Write the counters back."""
        rows = [(last, county, self._day) for county, last in self._last.items()]
        self._transaction.many("UPDATE day_number SET last = ? WHERE county = ? AND day = ?", rows)

    def _load(self, county: str) -> int:
        statement = "INSERT INTO day_number (county, day) VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._transaction.many(statement, [(county, self._day)])
        table = tables.day_number
        query = sa.select(table.c.last).where(table.c.county == county, table.c.day == self._day)
        return int(self._transaction.connection.execute(query.with_for_update()).scalar_one())
