"""Agent servers: the protocol, what both kinds of server share, and a folder for each kind.

A *turn* in this room is the server's: what it makes of one input, in one or several runs.
"""
