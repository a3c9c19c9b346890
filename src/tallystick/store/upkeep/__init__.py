"""Upkeep: sealing, compaction, re-shaping, forgetting and scrubbing, behind the back of reads and writes."""
