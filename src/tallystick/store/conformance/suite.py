"""`StoreConformance`: the tests of the suite in one class; `KeepingStoreConformance`: and those of a store on disk."""

from tallystick.store.conformance.history import Histories
from tallystick.store.conformance.keeping import Keeping
from tallystick.store.conformance.life import Life
from tallystick.store.conformance.merging import Merging
from tallystick.store.conformance.names import Names
from tallystick.store.conformance.promises import Promises
from tallystick.store.conformance.samples import Samples
from tallystick.store.conformance.tallies import Tallies


class StoreConformance(Names, Samples, Tallies, Merging, Promises, Histories, Life):
    """What `tallystick.store.contract.Store` promises; derive from it and say how a store is opened."""


class KeepingStoreConformance(StoreConformance, Keeping):
    """The same of a store that has its content when it is opened again."""
