"""The host as its kernel tells of it: files of ``/proc`` and ``/sys``, what runs, and what is listened to."""

from tallystick.agent.host.host import Host
from tallystick.agent.host.surroundings import Process, Surroundings

__all__ = ["Host", "Process", "Surroundings"]
