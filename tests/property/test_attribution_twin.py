"""The kernel that tells prefixes and cells, against a plain twin."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernels.names import NameTable
from tallystick.ledger import Ledger
from tallystick.ledger.attribution import Attribution, Senders
from tallystick.ledger.prefixes import prefix_of
from tallystick.model.clock import ManualClock

in_the_tree = st.lists(st.sampled_from(["hosts", "a", "", "hostsx", ";k=hosts"]), min_size=1, max_size=7)
words = st.text("ab.;=", min_size=1, max_size=9) | in_the_tree.map(".".join).filter(len)
rows = st.lists(st.tuples(st.integers(0, 2), st.lists(words, max_size=6)), max_size=8)
"""Stretches of rows: an account and names."""


@given(rows, rows, st.integers(1, 3), st.integers(1, 6))
def test_rows_are_counted_for_their_account_and_prefix(
    first: list[tuple[int, list[str]]], second: list[tuple[int, list[str]]], depth: int, prefixes_max: int
):
    ledger, names = Ledger(ManualClock(), prefix_depth=depth, prefixes_max=prefixes_max), NameTable()
    accounts = [ledger.account("udp", f"10.0.0.{k}") for k in range(3)]
    attribution = Attribution(ledger.book, names)
    known: list[str] = []
    for stretches in (first, second):
        ids = names.intern_many([name.encode() for _, found in stretches for name in found])
        ends = np.cumsum([len(found) for _, found in stretches], dtype=np.int64)
        senders = Senders(np.array([accounts[who].number for who, _ in stretches], np.int32), ends)
        cells, shares = attribution.attribute(ids, senders)
        # In the order of first sight; what comes when there is no place left is counted together.
        for name in (name for _, found in stretches for name in found):
            prefix = prefix_of(name, depth)
            if prefix not in known and len(known) < prefixes_max:
                known.append(prefix)
        expected: Counter[tuple[int, str]] = Counter()
        for who, found in stretches:
            for name in found:
                prefix = prefix_of(name, depth)
                expected[accounts[who].number, prefix if prefix in known else "other"] += 1
        told = Counter(
            (int(ledger.book.account_of[cell]), ledger.prefixes.text(int(ledger.book.prefix_of[cell])))
            for cell in cells.tolist()
        )
        assert told == expected
        assert dict(zip(shares.cells.tolist(), shares.counts.tolist(), strict=True)) == dict(Counter(cells.tolist()))
