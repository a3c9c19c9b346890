"""HAProxy before two nginx, of which one goes away."""

from pathlib import Path

import pytest

import services
from servers import wait_until
from services import ask
from watched import Watched, wait_until_found

pytestmark = [pytest.mark.senders, pytest.mark.usefixtures("counted_alone")]


def test_it_tells_of_requests_and_of_servers_that_go_away(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("one", "two", "haproxy")]
    for root in roots:
        root.mkdir()
    (one, first), (two, second) = services.nginx(roots[0]), services.nginx(roots[1])
    haproxy, port, stats = services.haproxy(roots[2], first, second)
    daemons = [one, two, haproxy]
    try:
        for daemon in daemons:
            daemon.start()
        watched = Watched("haproxy", address=f"unix://{roots[2]}/admin.sock")
        wait_until(lambda: watched.look()["backend.app.servers_up"] == 2, "both servers to be up")
        for _ in range(30):
            assert ask(port).startswith(b"HTTP/1.1 200")
        seen = watched.look()
        counted = {name: round(10 * seen[name]) for name in seen if name.endswith("responses_2xx")}
        assert counted["frontend.web.responses_2xx"] == counted["backend.app.responses_2xx"] == 30
        assert counted["server.app.one.responses_2xx"] == counted["server.app.two.responses_2xx"] == 15
        assert 10 * seen["frontend.web.requests"] == 30 and seen["frontend.web.up"] == seen["server.app.one.up"] == 1

        two.kill()
        wait_until(lambda: watched.look()["server.app.two.up"] == 0, "the server to be found down")
        seen = watched.look()
        assert (seen["backend.app.up"], seen["backend.app.servers_up"], seen["up"]) == (1, 1, 1)
        two.start()
        wait_until(lambda: watched.look()["server.app.two.up"] == 1, "the server to be found up")

        for each in (first, second):
            assert wait_until_found("nginx", url=f"http://127.0.0.1:{each}/nginx_status") == f"nginx.{each}"

        by_page = Watched("haproxy", address=f"http://127.0.0.1:{stats}/stats;csv").look()
        assert by_page["up"] == by_page["backend.app.up"] == 1
        assert wait_until_found("haproxy", address=f"unix://{roots[2]}/admin.sock").startswith("haproxy.")

        haproxy.kill()
        assert watched.look() == {"up": 0}
        haproxy.start()
        back = watched.look()
        assert back["up"] == 1 and "frontend.web.requests" not in back
    finally:
        for daemon in daemons:
            daemon.kill()
