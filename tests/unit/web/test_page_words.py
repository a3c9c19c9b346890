"""What the pages say of the server's words."""

import re
from pathlib import Path

from tallystick.model.reason import Reason

REASONS = Path(__file__).parents[3] / "web/src/ledger/reasons.ts"


def test_the_ledger_page_says_of_each_reason_what_it_means() -> None:
    told = re.findall(r'^  (\w+): "(.+)",$', REASONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert [word for word, _ in told] == [reason.name.lower() for reason in Reason if reason is not Reason.NONE]
