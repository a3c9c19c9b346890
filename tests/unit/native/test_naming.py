"""Names are made by rule: of the environment, the class of the host, the host, the program and its version."""

import socket

import pytest

from tallystick.native.names import APP, APP_ON_HOST, FIELDS, HOST, Place, class_of, component, dotted, here, short_host

WEB1 = Place("prod", "web", "web1", "shop", "1_2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("/", "root"), ("/var/log", "var-log"), ("eth0.5", "eth0_5"), ("/mnt/My Disk", "mnt-My-Disk"), ("Ünder", "nder")],
)
def test_devices_and_mounts_become_one_component(text: str, expected: str) -> None:
    assert component(text) == expected


def test_each_part_of_a_dotted_name_becomes_a_component() -> None:
    assert dotted("http.GET /cart..time.") == "http.GET-cart.time"


def test_a_host_is_named_by_its_short_name() -> None:
    assert short_host("web1.example.org") == "web1"
    assert short_host("10.0.0.1") == "10_0_0_1"
    assert short_host() == short_host(socket.gethostname())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("web12", "web"),
        ("web12.example.org", "web"),
        ("db-3", "db"),
        ("mail", "mail"),
        ("k8s-node-2", "k8s-node"),
        ("17", "unknown"),
        ("", "root"),
    ],
)
def test_the_class_of_a_host_is_its_name_without_the_number(host: str, expected: str) -> None:
    assert class_of(host) == expected


def test_rules_give_classes_and_the_first_that_matches_counts() -> None:
    rules = [(r"^\w+-(\w+-\w+?)\d+", r"\1"), (r"\.db\.", "store/age"), ("^web", "front")]
    assert class_of("oak-tp-web001", rules) == "tp-web"
    assert class_of("a1.db.example.org", rules) == "store-age"
    assert class_of("web7.db.example.org", rules) == "store-age"
    assert class_of("web7", rules) == "front"
    assert class_of("mail3", rules) == "mail"


def test_what_is_configured_goes_before_the_environment_and_that_before_the_hosts_name() -> None:
    environ = {"TALLYSTICK_ENVIRONMENT": "stage", "TALLYSTICK_HOST": "web3.example.org", "TALLYSTICK_VERSION": "1.2"}
    assert here(environ) == Place("stage", "web", "web3", "", "1_2")
    assert here(environ, environment="prod", host="db1", app="the shop") == Place(
        "prod", "db", "db1", "the-shop", "1_2"
    )
    assert here(environ | {"TALLYSTICK_CLASS": "front", "TALLYSTICK_APP": "shop"}).host_class == "front"
    assert here({}) == Place("dev", class_of(socket.gethostname()), short_host())


def test_the_planned_tree() -> None:
    assert WEB1.name(HOST) == "prod.hosts.web.web1"
    assert WEB1.name(APP, "cart.added") == "prod.apps.shop.cart.added"
    assert WEB1.name(APP_ON_HOST, "cart.added") == "prod.hosts.web.web1.shop.cart.added"


def test_a_component_that_nobody_said_is_left_out() -> None:
    everything = ".".join(f"{{{field}}}" for field in FIELDS)
    assert WEB1.name(everything, "x") == "prod.web.web1.shop.1_2.x"
    assert Place("dev", "web", "web1").name(everything, "x") == "dev.web.web1.x"
