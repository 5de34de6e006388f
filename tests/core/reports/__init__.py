"""Tests of reports and costs."""
