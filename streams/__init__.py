"""Intake, sources and workers; joins geo and operations."""
