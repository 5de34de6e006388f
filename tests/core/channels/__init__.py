"""Tests of the chat adapters, with fake providers and a folder of requests for each."""
