"""Tests of Deskbell; the folders mirror `functions/` and `infra/`."""
