"""What the collectors of services share: how a service is asked, within bounds, and how its answer becomes points.

- `reading`: what an answer says (`Metric`, `Reading`) and the points of it (`Looks`).
- `stream` and `web`: sockets and HTTP with a limit in time and in bytes.
- `secret`: passwords, from where they belong.
- `running`: which services run on this host.

Below the collectors, and standard library only; what is heavy (TLS, HTTP) is imported when it is needed.
"""
