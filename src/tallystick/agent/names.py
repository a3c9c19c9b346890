"""Names that collected series get: the prefix of the host, and one component for whatever a device is called."""

import re
import socket


def component(text: str) -> str:
    """`text` as one component of a name: ``/`` is ``root``, ``/var/log`` is ``var-log``, ``eth0.5`` is ``eth0_5``."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text.replace(".", "_")).strip("-") or "root"


def short_host(name: str | None = None) -> str:
    """The host's name up to its first dot, as one component; by default that of this machine."""
    name = socket.gethostname() if name is None else name
    first = name.partition(".")[0]
    return component(name if first.isdigit() else first)


def host_prefix(template: str, host: str) -> str:
    """What stands before each name, with its dot: ``hosts.{host}`` gives ``hosts.web1.``."""
    return template.replace("{host}", host).strip(".") + "."
