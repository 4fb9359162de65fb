"""Text that came from outside, made harmless where people read it: a terminal, Dagster's metadata, its descriptions.

What a source sends or a file is called may hold control characters, turn the direction of what follows, or be markdown
and HTML, which Dagster renders in descriptions.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f"  # control characters but the line feed; ESC among them
    # invisible, or turning the direction of what follows
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters with which a value that somebody sent could steer a terminal or hide from the person who reads it."""
LONGEST = 500


def visible(text: str) -> str:
    """The text with such characters written as Python and JSON write them: `\\u001b`."""
    return HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def quoted(value: object) -> str:
    """The value as markdown that shows it and nothing else: one code span (CommonMark 6.1), in which neither markup nor
    HTML nor an address is read. Line feeds are written out: a blank line would end the span."""
    text = visible(str(value)).replace("\n", "\\n")
    text = text if len(text) <= LONGEST else text[:LONGEST] + " ..."
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text.strip() else f"`{json.dumps(text)}`"


def metadata(told: Mapping[str, Any]) -> dict[str, Any]:
    """Dagster metadata whose texts, and the cells of whose tables, are visible."""
    import dagster as dg

    def shown(value: Any) -> Any:
        if isinstance(value, str):
            return visible(value)
        if isinstance(value, dg.TableMetadataValue):
            return dg.MetadataValue.table([_record(record) for record in value.records], schema=value.schema)
        return value

    def _record(record: dg.TableRecord) -> dg.TableRecord:
        return dg.TableRecord({name: shown(cell) for name, cell in record.data.items()})

    return {visible(name): shown(value) for name, value in told.items()}
