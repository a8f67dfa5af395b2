"""The domain: journal, incidents, outcomes, accounts and the board; owns every table."""
