"""How listeners encrypt what is sent to them."""

import ssl
from pathlib import Path

from tallystick.config import Listener
from tallystick.model.errors import StartError


def tls_of(listener: Listener) -> ssl.SSLContext | None:
    """How a listener's connections are encrypted; None if they are not.

    Raises
    ------
    StartError
        If its files cannot be used.
    """
    if not listener.tls_certificate:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        tls.load_cert_chain(Path(listener.tls_certificate).expanduser(), Path(listener.tls_key).expanduser())
    except OSError as error:
        cause = f"cannot use the certificate {listener.tls_certificate} with the key {listener.tls_key}: {error}"
        raise StartError(f"{cause}; expected PEM files that belong together (key listeners)") from None
    return tls
