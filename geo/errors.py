"""Errors of the package: one base, one class per cause; the words for people are in `config/i18n`."""


class GeoError(Exception):
    """Base of all errors of `geo`: a text code and its parameters."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


class UnknownDatum(GeoError):
    """A datum that is none of `geo.datum.DATUMS`."""


class NoGrids(GeoError):
    """An index or a map was asked for without a single grid."""
