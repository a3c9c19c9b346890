"""Programs that are run: scripts and plug-ins, well-behaved and not."""

import os
import pwd
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from servers import cannot_run, wait_until
from tallystick.agent.services.command import OUTPUT_BYTES_MAX, run
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.munin import Way, way_of
from tallystick.agent.services.nagios import Range, range_of
from tallystick.config import Collector
from tallystick.model.errors import ConfigError
from watched import Watched


def script(root: Path, text: str, name: str = "script") -> str:
    file = root / name
    file.write_text("#!/bin/sh\n" + textwrap.dedent(text))
    file.chmod(0o755)
    root.chmod(0o755)
    return str(file)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that nobody waits for is dead all the same.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_lines_of_a_script_become_points(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("100")
    command = script(tmp_path, f'echo "queue.length 42"; echo "queue.taken $(cat {counter})"; date +"now.s 1 %s"')
    watched = Watched("exec", instance="shop", command=[command], growing=["*.taken"])
    first = watched.look()
    assert (first["up"], first["queue.length"], first["now.s"]) == (1, 42, 1) and "queue.taken" not in first
    counter.write_text("150")
    assert watched.look()["queue.taken"] == 5
    counter.write_text("3")
    assert "queue.taken" not in watched.look(), "it was begun anew"


def test_a_script_that_fails_is_down_and_says_why(tmp_path: Path) -> None:
    command = script(tmp_path, "echo 'a 1'; echo 'no such queue' >&2; exit 7")
    watched = Watched("exec", command=[command])
    seen = watched.look()
    assert (seen["up"], seen.get("a")) == (0, None)
    assert "it ended with 7 and 'no such queue'" in watched.cause


def test_lines_that_are_none_are_told_and_cost_themselves(tmp_path: Path) -> None:
    watched = Watched("exec", command=[script(tmp_path, "echo 'a 1'; echo nonsense; echo 'b 2'")])
    seen = watched.look()
    assert (seen["up"], seen["a"], seen["b"]) == (1, 1, 2)
    assert "cannot read 'nonsense'" in watched.cause


@pytest.mark.parametrize(("status", "state"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3)])
def test_a_plug_in_of_nagios_tells_its_state(tmp_path: Path, status: int, state: int) -> None:
    command = script(tmp_path, f'echo "DISK OK | /=12MB;80%;90;0;100 time=25ms;;;"; exit {status}')
    seen = Watched("exec", command=[command], format="nagios").look()
    assert (seen["up"], seen["state"], seen["root_bytes"], seen["time_s"]) == (1, state, 12 << 20, 0.025)


def test_arguments_are_words_that_no_shell_reads(tmp_path: Path) -> None:
    command = script(tmp_path, 'echo "count $#"; test "$1" = "\\$(touch x); *" && echo "same 1"')
    seen = Watched("exec", command=[command, "$(touch x); *", ""]).look()
    assert (seen["count"], seen["same"]) == (2, 1)


def test_roots_agent_runs_a_program_as_somebody_else_with_no_group_of_roots() -> None:
    if os.geteuid() != 0:
        cannot_run("only root's agent can choose who a program is run as")
    said = (
        "import os; print('uid', os.geteuid()); print('gid', os.getegid()); print('groups', len(set(os.getgroups())))"
    )
    nobody = pwd.getpwnam("nobody")
    seen = Watched("exec", command=["/usr/bin/python3", "-c", said], user="nobody").look()
    assert (seen["uid"], seen["gid"], seen["groups"]) == (nobody.pw_uid, nobody.pw_gid, 1)
    stranger = Watched("exec", command=["/bin/true"], user="nobody-there")
    assert stranger.look()["up"] == 0 and "nobody-there" in stranger.cause


def test_it_gets_no_more_of_the_environment_than_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "secret")
    result = run(["/usr/bin/env"], 10, {"GIVEN": "yes"})
    assert "secret" not in result.output and "GIVEN=yes" in result.output


def test_who_does_not_end_is_killed_with_all_that_he_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = script(tmp_path, f'sleep 300 & echo $! > {pids}; echo $$ >> {pids}; trap "" TERM; wait')
    with pytest.raises(ServiceError, match=r"no end within 0\.5 s; killed it"):
        run([command], 0.5)
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) == 2
    wait_until(lambda: not any(is_alive(pid) for pid in started), "all to have ended")


def test_who_leaves_somebody_behind_with_his_output_is_not_waited_for(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    result = run([script(tmp_path, f'sleep 300 & echo $! > {pids}; echo "a 1"')], 30)
    assert (result.status, result.output) == (0, "a 1\n")
    wait_until(lambda: not is_alive(int(pids.read_text())), "it to have ended")


def test_who_says_too_much_is_killed(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="says more than"):
        run(
            [
                script(
                    tmp_path, "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"
                )
            ],
            60,
        )


def test_a_long_output_and_long_complaints_are_heard_to_their_end() -> None:
    talk = "import sys; sys.stdout.write('x' * 900_000); sys.stderr.write('e' * 900_000); sys.exit(3)"
    result = run([sys.executable, "-c", talk], 60)
    assert (result.status, len(result.output)) == (3, 900_000) and len(result.output) < OUTPUT_BYTES_MAX


def test_who_is_ended_by_a_signal_is_told_as_a_shell_tells_it(tmp_path: Path) -> None:
    assert run([script(tmp_path, "kill -9 $$")], 10).status == 128 + signal.SIGKILL


@pytest.mark.parametrize(
    ("command", "cause"), [(["/does/not/exist"], "No such file"), (["/etc/passwd"], "Permission denied")]
)
def test_what_cannot_be_started_is_told(command: list[str], cause: str) -> None:
    watched = Watched("exec", command=command)
    assert watched.look()["up"] == 0 and cause in watched.cause


@pytest.mark.parametrize("command", [[], ["relative"], [""], ["/bin/sh", "a\0b"]])
def test_a_command_is_a_path_and_words(command: list[str]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        Watched("exec", command=command)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", Range(0, 10)),
        ("10:", Range(10, None)),
        ("~:10", Range(None, 10)),
        ("10:20", Range(10, 20)),
        ("@10:20", Range(10, 20, inside=True)),
        ("-5:-1.5", Range(-5, -1.5)),
        ("", None),
        ("x", None),
        ("10:x", None),
    ],
)
def test_thresholds_are_ranges(text: str, expected: Range | None) -> None:
    assert range_of(text) == expected


CONF_D = """
# as Debian has it
[*]
env.everywhere 1
[if_*]
user root
timeout 15
env.speed a b c
[mysql* postgres_*]
group (adm), mysql
[if_eth0]
env.speed 1000
"""


def test_configuration_of_plug_ins_is_read_section_by_section() -> None:
    eth0 = way_of("if_eth0", [CONF_D])
    assert eth0 == Way("root", "", 15, {"everywhere": "1", "speed": "1000"})
    assert way_of("mysql_bytes", [CONF_D, "[mysql_bytes]\nuser mysql"]) == Way(
        "mysql", "adm", None, {"everywhere": "1"}
    )
    assert way_of("cpu", ["env.x 1\n[other]\nuser root"]) == Way()


def test_plug_ins_of_munin_are_run_and_one_that_fails_costs_itself(open_path: Path) -> None:
    plugins, conf_d, ticks = open_path / "plugins", open_path / "conf.d", open_path / "ticks"
    plugins.mkdir()
    conf_d.mkdir()
    ticks.write_text("1000")
    (conf_d / "some").write_text("[ticks]\nenv.offset 7\ntimeout 5\n[slow]\ntimeout 0.3\n")
    says = "case $1 in config) {config};; *) {values};; esac"
    for name, config, values in (
        (
            "ticks",
            "echo t.type DERIVE; echo t.label x",
            f"echo t.value $(($(cat {ticks}) + $offset)); echo g.value 4.5",
        ),
        ("once", "echo a.type ABSOLUTE", "echo a.value 30"),
        ("broken", "echo b.label b", "echo 'no such thing' >&2; exit 2"),
        ("slow", "echo s.label s", "sleep 60"),
        ("dirty", "test $MUNIN_CAP_DIRTYCONFIG = 1 && echo d.value 12", "echo d.value 0"),
        (
            "rooms",
            "echo multigraph rooms.kitchen; echo warm.label w",
            "echo multigraph rooms.kitchen; echo warm.value 23.25; test -w $MUNIN_PLUGSTATE && echo state.value 1",
        ),
    ):
        script(plugins, says.format(config=config, values=values), name)
    (plugins / "notes.conf").write_text("not a plug-in")
    watched = Watched("munin", directory=str(plugins), configuration=str(conf_d), interval_s=30, timeout_s=20)
    first = watched.look()
    assert (first["up"], first["ticks.g"], first["dirty.d"], first["rooms.kitchen.warm"]) == (1, 4.5, 12, 23.25)
    assert first["rooms.kitchen.state"] == 1 and not first.keys() & {"ticks.t", "once.a", "broken.b", "slow.s"}
    assert "plug-in broken: it ended with 2 'no such thing'" in watched.cause and "1 other" in watched.cause
    ticks.write_text("1250")
    seen = watched.look()
    assert (seen["ticks.t"], seen["once.a"]) == (25, 3)
    watched.close()


def test_a_directory_of_plug_ins_that_is_not_there_is_told(tmp_path: Path) -> None:
    watched = Watched("munin", directory=str(tmp_path / "none"))
    assert watched.look() == {"up": 0} and "expected a directory" in watched.cause


def test_an_item_of_the_config_has_the_keys_of_its_collector() -> None:
    assert Collector(name="exec", further={"command": ["/bin/true"]}).further == {"command": ["/bin/true"]}
    with pytest.raises(ConfigError, match="comand"):
        Watched("exec", comand=["/bin/true"])
