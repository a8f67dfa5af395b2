"""Incidents 事件 and their loop 闭环: one configurable engine."""
