"""What goes wrong with a service: one sentence that says what to do."""

from tallystick.model.errors import TallystickError


class ServiceError(TallystickError):
    """A service cannot be reached, refuses who asks, or answers what cannot be understood."""


class RefusedError(ServiceError):
    """The server refuses a query, and goes on to take others."""
