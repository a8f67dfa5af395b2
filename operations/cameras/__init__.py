"""Cameras 摄像机: what ledgers and platforms told of each, dated, and where each is."""
