"""The command ``tallystick``; `tallystick.cli.verbs` has what follows it.

``tallystick send`` is called by scripts, often and many times: what is plain of it is done without what makes commands.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says, and end the process.

    Parameters
    ----------
    arguments
        By default those of the process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["send"]:
        from tallystick.cli.sending import send_at_once

        if send_at_once(words[1:]):
            sys.exit(0)
    from tallystick.cli.verbs import verbs

    verbs(words, prog_name="tallystick")
