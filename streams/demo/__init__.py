"""The demonstration city: a fictional city and the reports that come from it."""
