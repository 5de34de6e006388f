"""Tests of the engine that finds articles; `sample_encoder` stands in for the model."""
