"""Tests of storage on moto."""
