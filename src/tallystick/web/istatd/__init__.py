"""istatd's HTTP API for who reads: `make_istatd_app` is all of it, `SettingsStore` what its front-end remembers."""

from tallystick.web.istatd.routes import make_istatd_app
from tallystick.web.istatd.settings import SettingsStore

__all__ = ["SettingsStore", "make_istatd_app"]
