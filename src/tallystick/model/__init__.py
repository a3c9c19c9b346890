"""The words and the three shapes of data that every stage shares.

``errors``, ``clock``, ``kind``, ``address``, ``description`` and the like are plain Python and import nothing
heavy: the agent uses them. ``sample`` (`SampleBatch`), ``tally`` (`Tally`) and ``grid`` (`Grid`) are columns of NumPy
arrays: what a parser yields, what folding yields and the store keeps, and what a query function takes and gives.
"""
