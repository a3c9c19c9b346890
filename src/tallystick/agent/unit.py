"""The unit that systemd runs an agent by, which ``tallystick agent unit`` prints."""

import re
from pathlib import Path

UNIT = """\
[Unit]
Description=Tallystick agent
Documentation=man:systemd.exec(5)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={command} agent --config {config}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
# A user of its own, and a directory of its own for what waits for the servers.
DynamicUser=yes
StateDirectory=tallystick-agent
StateDirectoryMode=0700
RuntimeDirectory=tallystick-agent
# To read logs of services: SupplementaryGroups=adm systemd-journal
UMask=0077
MemoryMax=256M
CPUQuota=50%
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
# The collector 'clock' asks how right the clock is by the calls that set it for whoever may: the agent may not.
# So there is no ProtectClock= either, which forbids to ask.
SystemCallFilter=@system-service adjtimex clock_adjtime
SystemCallErrorNumber=EPERM
CapabilityBoundingSet=
# A secret that is in no config: systemd hands it to us alone.
#LoadCredential=token:/etc/tallystick/token

[Install]
WantedBy=multi-user.target
"""


def unit(command: Path, config: Path) -> str:
    """The unit's text.

    Parameters
    ----------
    command
        Where ``tallystick`` is installed.
    config
        The agent's config file.
    """
    # Variables are put in for $, in arguments only.
    return UNIT.format(command=_quoted(str(command)), config=_quoted(str(config)).replace("$", "$$"))


def _quoted(path: str) -> str:
    """A path as one word of a command line of systemd's, see systemd.service(5)."""
    if not re.search(r"[^A-Za-z0-9/._+-]", path):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
