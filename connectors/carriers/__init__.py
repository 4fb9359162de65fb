"""Carriers: one parser per way of telling, one neutral tracking document; codes and times stay as sent."""

from connectors.carriers.tracking import tracking_document

__all__ = ["tracking_document"]
