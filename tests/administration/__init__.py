"""Tests of the function that carries out what administrators ask for."""
