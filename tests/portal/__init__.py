"""Tests of the customers' API and pages."""
