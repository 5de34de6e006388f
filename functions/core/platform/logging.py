"""JSON log lines in which every text is masked before it is written (G4).

Log events have dotted names (`ticket.archived`, `delivery.sent`) and put their fields in `extra`.
Errors are logged with their type and message, masked as well.
"""

import logging
import sys
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from functions.core.text.masking import redact


class MaskingFormatter(LambdaPowertoolsFormatter):
    """Format Powertools' JSON lines and mask personal data as the last step."""

    def serialize(self, log: Any) -> str:
        line: str = super().serialize(redact(dict(log)))
        return line


class StandardOutput(logging.Handler):
    """Write to the current `sys.stdout`, from which Lambda collects log lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self.handleError(record)


def logger(service: str) -> Logger:
    # Without an explicit level, Powertools would read LOG_LEVEL, which may be meant for others.
    return Logger(
        service=service,
        level="INFO",
        logger_handler=StandardOutput(),
        logger_formatter=MaskingFormatter(),
    )
