"""The head: what arrived since the last sealing, in memory."""
