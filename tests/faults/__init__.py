"""Faults injected on purpose: outages, poison, repetition, reordering, kills."""
