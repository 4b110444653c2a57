"""Choose the width of a network so that frames are in time on a hot phone.

    Observation (latency, temperatures, state) -> controller -> Decision (the width from now on)

A controller is a pure state machine: no clock, no sensor, no randomness. A policy is one file of
`policies`. Phones are simulated to compare policies without one:

    Phone + Widths -> simulation: heat, governor, frames -> Frames -> score, report, timeline
    series of a real phone -> fitting -> Phone

Everything that comes from a simulation is labelled `simulated` wherever it is shown.
"""
