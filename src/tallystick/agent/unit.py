"""The unit that systemd runs an agent by, which ``tallystick agent unit`` prints."""

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
ProtectClock=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
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
    return UNIT.format(command=command, config=config)
