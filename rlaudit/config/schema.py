"""The JSON schema of configs, for editors."""

from typing import Any

from rlaudit.config.models import AuditConfig


def json_schema() -> dict[str, Any]:
    """What editors complete and check with; `task` is the short form of `tasks`."""
    schema = AuditConfig.model_json_schema(mode="validation")
    task = schema["properties"]["tasks"]["items"]
    properties = {"name": schema["properties"]["name"], "task": task, **schema["properties"]}
    required = [name for name in schema["required"] if name != "tasks"]
    agent = schema["$defs"]["AgentConfig"]
    agent["required"].remove("timesteps")
    agent["anyOf"] = [{"required": ["timesteps"]}, {"required": ["zoo"]}]  # the zoo's file says them, too
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "rlaudit config",
        "properties": {name: _without_titles(value) for name, value in properties.items()},
        "$defs": _without_titles(schema["$defs"]),
        "required": required,
        "oneOf": [{"required": ["task"]}, {"required": ["tasks"]}],
    }


def _without_titles(schema: Any) -> Any:
    """Pydantic titles every key with its own name; a title that is a key called `title` would be a mapping."""
    if isinstance(schema, list):
        return [_without_titles(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}
