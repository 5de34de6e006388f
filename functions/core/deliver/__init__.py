"""Calls to the providers, one module for each channel, and their failures (`failures`).

May import all of core but `assistant`.
"""
