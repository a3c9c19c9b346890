"""What is said beside the numbers is read now and then, and never costs much."""

from tallystick.model.clock import ManualClock
from tallystick.parse.meant import Meant
from tallystick.receive.meanings import Meanings

TEXT = memoryview(b"# HELP up Whether it answers.\nup 1\n" + b"# HELP m%d x\n" * 2000)


def test_after_a_look_there_is_none_for_a_while() -> None:
    clock, told = ManualClock(), list[list[Meant]]()
    meanings = Meanings(clock)
    meanings.look("exposition", TEXT)
    meanings.when_told(lambda meant: told.append(list(meant)))
    for _ in range(3):
        meanings.look("exposition", TEXT)
        meanings.look("carbon", TEXT)
    assert [looks[0] for looks in told] == [Meant("up", "", "Whether it answers.")]
    clock.advance(60)
    meanings.look("openmetrics", TEXT)
    assert len(told) == 2
