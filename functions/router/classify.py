"""The classification of a request, under the path by which other programs import it (A2)."""

from functions.core.domain.classification import (
    Classification as Classification,
    classify as classify,
)
