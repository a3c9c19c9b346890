"""`subject_of`: whose description a series has, so that one row stands for a thousand hosts and for all tags."""

_HOSTS = "hosts"


def subject_of(name: str) -> str:
    """What a description that a sender says of `name` is about.

    Tags are left out: they part the series of one sensor, not its meaning. In the planned tree the names of a sensor
    on each host differ in the class and the host, and all mean the same.

    Parameters
    ----------
    name
        Of a series: ``prod.hosts.web.web12.shop.orders;version=3``.

    Returns
    -------
    str
        A glob: ``prod.hosts.*.*.shop.orders``; the name itself where it is no host's.
    """
    path = name.partition(";")[0]
    parts = path.split(".", 4)
    if len(parts) == 5 and parts[1] == _HOSTS:
        return f"{parts[0]}.{_HOSTS}.*.*.{parts[4]}"
    return path
