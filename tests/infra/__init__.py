"""Tests of deployment, the local system, the console and the bench."""
