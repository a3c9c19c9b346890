"""``python -m tallystick.sensors``: what a program that is started here would be called, and whether it is heard."""

import sys

from tallystick import sensors


def main() -> int:
    """Count once, say where that went; the exit status is 1 if nobody took it."""
    sensors.counter("sensors.tried", description="Somebody looked whether numbers arrive.").increment()
    heard = sensors.flush()
    print(sensors.dump())
    print()
    for seen in sensors.snapshot():
        print("\n".join(seen.sent_as))
    print()
    print("All of it is safe where it was sent." if heard else "Nobody has taken it.")
    return 0 if heard else 1


if __name__ == "__main__":
    sys.exit(main())
