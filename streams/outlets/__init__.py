"""What carries messages out 外发: one module a kind of outlet, and the carrier that hands them what waits."""
