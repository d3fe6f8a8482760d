"""Tests of the App Server backend: recordings, the real server, lost sockets and restarts."""
