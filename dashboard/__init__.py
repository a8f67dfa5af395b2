"""FastAPI and Dash: pages, panels, the live channel and access."""
