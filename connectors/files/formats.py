"""The formats a stream of files may have; `register_format` adds one."""

from connectors.config_kinds import SftpStream
from connectors.files.lines import parse_csv, parse_jsonl
from connectors.files.parsed import Parsed, Parser
from connectors.files.x12_945 import parse_x12_945

FORMATS: dict[str, Parser] = {"x12_945": parse_x12_945, "jsonl": parse_jsonl, "csv": parse_csv}


def register_format(name: str, parser: Parser) -> None:
    """Make a format known to the reader. (The configuration has its own list of allowed names.)"""
    FORMATS[name] = parser


def parse(stream: SftpStream, path: str, data: bytes) -> Parsed:
    """The content of a file by its stream's format. Never raises for what the content is."""
    return FORMATS[stream.format](stream, path, data)
