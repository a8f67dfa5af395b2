"""Figures with their method, printed and written as JSON."""
