"""Blocks: immutable files of the slots of many series in one range of time, written once and mapped to be read."""
