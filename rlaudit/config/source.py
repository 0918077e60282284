"""Where a config stands, so that a problem can be shown with its line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlaudit import yaml_source
from rlaudit.errors import ConfigError
from rlaudit.types import Problem
from rlaudit.yaml_source import KeyPath, Override, YamlText, dotted


@dataclass(frozen=True)
class ConfigSource:
    """The text that a config came from, so that whoever finds a problem later can still point at its line."""

    document: YamlText
    overrides: tuple[Override, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)  # with the overrides applied
    notes: tuple[str, ...] = ()  # what its user should know about values from other files

    @property
    def path(self) -> Path:
        return self.document.path

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def positions(self) -> Mapping[KeyPath, yaml_source.Place]:
        return self.document.places

    def yaml(self) -> str:
        """The document with overrides applied and comments kept; `experiment` is always there."""
        return yaml_source.rewritten(self.text, self.overrides, {"experiment": "audit"})

    def error(self, problems: Sequence[Problem]) -> ConfigError:
        """All problems in one error, in the order of the file."""
        ordered = sorted(problems, key=lambda problem: self.document.place(self._as_written(problem.path)))
        return ConfigError("\n".join(self._shown(problem) for problem in ordered))

    def _shown(self, problem: Problem) -> str:
        """The sentence with the key's name in front, in the words of the file."""
        path = self._as_written(problem.path)
        name, message = dotted(problem.path), problem.message
        message = dotted(path) + message[len(name) :] if message.startswith(name) else f"{dotted(path)}: {message}"
        behind = [override for override in self.overrides if path[: len(override.path)] == override.path]
        if behind:
            nearest = max(reversed(behind), key=lambda override: len(override.path))
            return f"{nearest.option}: {message}{nearest.excerpt}"
        return self.document.show(self.document.place(path), message) if self.text else message

    def _as_written(self, path: KeyPath) -> KeyPath:
        """`task` and `tasks[0]` are one thing under two names."""
        if path[:2] == ("tasks", 0) and "task" in self.data:
            return ("task", *path[2:])
        if path[:1] == ("task",) and "task" not in self.data:
            return ("tasks", *path[1:])
        return path
