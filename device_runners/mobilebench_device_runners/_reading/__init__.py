"""Read devices: from the answers of adb, devicectl, go-ios and boards to what they mean.

Nothing here starts a program. A reader gets `ask`, which puts one command to the device and returns
its answer; an answer that is missing, cut or strange makes an unknown, never an error or a guess.
"""
