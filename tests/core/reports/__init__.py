"""Tests of `functions/core/reports`: rules with plain values, files that are opened again."""
