"""GB/T 28181 signalling 国标信令: SIP, MANSCDP and ourselves as the upper platform."""
