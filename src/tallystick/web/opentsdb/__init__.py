"""OpenTSDB's HTTP API for who reads: `OpenTsdb` has its routes."""

from tallystick.web.opentsdb.routes import OpenTsdb

__all__ = ["OpenTsdb"]
