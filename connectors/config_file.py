"""One system file: parsed, its variables filled in, each part checked by its model, each fault told with its line."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from connectors.config_kinds import KINDS
from connectors.config_limits import too_much
from connectors.config_model import Defaults, System, Write

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One fault of one file. `line` counts from 1; `key` is dotted, such as streams[2].pattern."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key + ': ' if self.key else ''}{self.message}"


class SystemFile:
    """One system file being read; collects its problems with their lines."""

    def __init__(self, path: Path, env: Mapping[str, str], require_env: bool) -> None:
        self.path, self.env, self.require_env = path, env, require_env
        self.problems: list[Problem] = []
        self.unset: set[Location] = set()
        self.root: Any = None

    def system(self) -> System | None:
        self.root = self._parse()
        if self.root is None:
            return None
        if not isinstance(self.root, CommentedMap):
            return self.report((), "is not a mapping; allowed: system, role, read, streams, ...")
        data = self._expand(self.root, ())
        kind = self._kind(data)
        parts: dict[str, Any] = dict(data)
        if kind is not None:
            parts["read"] = self._part(kind.read, data["read"], ("read",))
            parts["streams"] = self._streams(kind.stream, data.get("streams"))
        for name, model in (("defaults", Defaults), ("write", Write)):
            written = parts.pop(name, None)
            if written is not None and (part := self._part(model, written, (name,))) is not None:
                parts[name] = part
        found = self._part(System, parts, ())
        return None if self.problems else found

    def report(self, where: Location, message: str) -> Any:
        """Note a fault; returns None, so that a caller can report and give up in one line."""
        self.problems.append(Problem(self.path.name, self._line(where), _dotted(where), message))
        return None

    def _parse(self) -> Any:
        try:
            text = self.path.read_text("utf-8")
            if (found := too_much(text)) is not None:
                self.problems.append(Problem(self.path.name, found[0], "", found[1]))
                return None
            parsed = YAML(typ="rt").load(text)
        except UnicodeDecodeError:
            return self.report((), "is not UTF-8 text")
        except DuplicateKeyError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            key = re.search(r'duplicate key "([^"]+)"', error.problem or "")
            self.problems.append(Problem(self.path.name, line, key[1] if key else "", "is written twice"))
            return None
        except MarkedYAMLError as error:
            mark = error.problem_mark
            problem = Problem(self.path.name, mark.line + 1 if mark else 1, "", f"is not YAML: {error.problem}")
            self.problems.append(problem)
            return None
        except YAMLError:
            return self.report((), "is not YAML")
        return self.report((), "is empty; allowed: system, role, read, streams, ...") if parsed is None else parsed

    def _kind(self, data: dict[str, Any]) -> Any:
        read = data.get("read")
        if not isinstance(read, dict):
            return self.report(("read",), "is missing or not a mapping; needs `kind`") if "read" in data else None
        kind = KINDS.get(str(read.get("kind")))
        if kind is None:
            self.report(("read", "kind"), f"is missing or unknown; allowed: {', '.join(sorted(KINDS))}")
        return kind

    def _streams(self, model: type[BaseModel], streams: Any) -> Any:
        if not isinstance(streams, list) or not streams:
            return (
                streams if streams is None else self.report(("streams",), "is not a list of streams with one or more")
            )
        found: list[Any] = []
        for index, stream in enumerate(streams):
            found.append(self._part(model, stream, ("streams", index)))
        self._once(streams, "name", "is the name of streams[{}] already")
        self._once(streams, "table", "is the table of streams[{}] already; a table is one stream: take one of them out")
        return found

    def _once(self, streams: list[Any], key: str, message: str) -> None:
        """Report every stream whose `key` an earlier one has."""
        first: dict[str, int] = {}
        for index, stream in enumerate(streams):
            value = stream.get(key) if isinstance(stream, dict) else None
            if isinstance(value, str) and first.setdefault(value, index) != index:
                self.report(("streams", index, key), message.format(first[value]))

    def _part(self, model: type[BaseModel], data: Any, where: Location) -> Any:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            faults = [(where + tuple(fault["loc"]), fault) for fault in error.errors(include_input=False)]
        real = [(loc, fault) for loc, fault in faults if loc not in self.unset]
        reported = {problem.key for problem in self.problems}
        for loc, fault in real:
            if not any(_dotted(loc) == key or _dotted(loc).startswith(key + ".") for key in reported if key):
                self.report(loc, _explain(fault, model, loc[len(where) :]))
        return None if real else _with_stand_ins(model, data, [loc[len(where) :] for loc, _ in faults])

    def _expand(self, node: Any, where: Location) -> Any:
        if isinstance(node, CommentedMap):
            return {str(key): self._expand(value, (*where, str(key))) for key, value in node.items()}
        if isinstance(node, CommentedSeq):
            return [self._expand(value, (*where, index)) for index, value in enumerate(node)]
        return self._substitute(str(node), where) if isinstance(node, str) else node

    def _substitute(self, text: str, where: Location) -> str:
        def value(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            if self.env.get(match[1]):
                return self.env[match[1]]
            self.unset.add(where)
            if self.require_env:
                self.report(where, f"needs the environment variable {match[1]}, which is not set")
            return match[0]

        return re.sub(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value, text)

    def _line(self, where: Location) -> int:
        """The line of a key, or of the nearest enclosing one that exists."""
        node, line = self.root, 1
        for step in where:
            try:
                place = node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step)
                line, node = place[0] + 1, node[step]
            except (KeyError, IndexError, AttributeError, TypeError):
                break
        return line


def _with_stand_ins(model: type[BaseModel], data: Any, unset: list[Location]) -> Any:
    """A part whose only faults are unset variables in typed fields, which get a value that reaches nothing."""
    for stand_in in ("https://unset.invalid", 1):
        data = copy.deepcopy(data)
        for where in unset:
            node = data
            for step in where[:-1]:
                node = node[step]
            node[where[-1]] = stand_in
        try:
            return model.model_validate(data)
        except ValidationError as error:
            unset = [tuple(fault["loc"]) for fault in error.errors(include_input=False)]
    return None


def _dotted(where: Location) -> str:
    text = ""
    for step in where:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _explain(fault: Mapping[str, Any], model: type[BaseModel], where: Location) -> str:
    """A sentence without the value, with what is allowed where the model knows it."""
    context = fault.get("ctx") or {}
    match fault["type"]:
        case "extra_forbidden":
            return f"is not a known key; allowed: {', '.join(_fields(model, where))}"
        case "missing":
            return "is missing"
        case "literal_error":
            return f"has an unknown value; allowed: {context.get('expected', '')}"
        case "string_pattern_mismatch":
            return f"does not have the right form; allowed: text that matches {context.get('pattern', '')}"
        case "value_error":
            return str(context.get("error", fault["msg"]))
        case _:
            return str(fault["msg"])


def _fields(model: type[BaseModel], where: Location) -> list[str]:
    """The keys of the model in which an unknown key stands, following the path as far as models reach."""
    for step in where[:-1]:
        field = model.model_fields.get(str(step))
        kinds = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
        model = inner or model
    return sorted(model.model_fields)
