"""Tests of the reports, their figures and costs."""
