"""Health of cameras: what their pictures, their keepalives and their catalogue say, joined. Nothing about people."""
