"""Reads deploy/feedway.yml as CloudFormation does, and its policies as IAM does, as far as they go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).resolve().parents[1] / "deploy" / "feedway.yml"
ACCOUNT = "123456789012"
WORKGROUP = f"arn:aws:redshift-serverless:us-east-1:{ACCOUNT}:workgroup/11111111-2222-3333-4444-555555555555"
_PSEUDO = {
    "AWS::StackName": "feedway",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": ACCOUNT,
}
_NOTHING = object()


@dataclass(frozen=True)
class Grant:
    """One action on one resource, which may have wildcards, and the condition under which it is allowed."""

    action: str
    resource: str
    condition: Mapping[str, Mapping[str, Any]]

    def allows(self, action: str, resource: str, context: Mapping[str, str]) -> bool:
        """Say whether IAM would allow a call by this grant."""
        return self.action == action and _matches(self.resource, resource) and self._holds(context)

    def _holds(self, context: Mapping[str, str]) -> bool:
        for operator, keys in self.condition.items():
            for key, allowed in keys.items():
                if key not in context:
                    if operator.endswith("IfExists"):
                        continue
                    return False
                patterns = allowed if isinstance(allowed, list) else [allowed]
                if not any(_matches(pattern, context[key]) for pattern in patterns):
                    return False
        return True


class Stack:
    """The template with values for its parameters."""

    def __init__(self, **parameters: str) -> None:
        self._template: Any = cfn_yaml.load(str(TEMPLATE))
        defaults = {
            name: field["Default"] for name, field in self._template["Parameters"].items() if "Default" in field
        }
        self._values = {**_PSEUDO, **defaults, **parameters}

    def parameters(self) -> Any:
        """Return what the template says of its parameters."""
        return self._template["Parameters"]

    def grants(self, role: str) -> list[Grant]:
        """Return what the policies of a role allow."""
        policies = self.resolved(self._template["Resources"][role]["Properties"]["Policies"])
        return [grant for policy in policies for grant in _grants(policy["PolicyDocument"])]

    def properties(self, resource: str) -> Any:
        """Return the properties of a resource."""
        return self.resolved(self._template["Resources"][resource]["Properties"])

    def resolved(self, value: Any) -> Any:
        """Return a value without intrinsic functions; attributes of other resources become `<name>.<attribute>`."""
        if isinstance(value, list):
            return [each for each in map(self.resolved, value) if each is not _NOTHING]
        if not isinstance(value, dict):
            return value
        match dict(value):
            case {"Ref": "AWS::NoValue"}:
                return _NOTHING
            case {"Ref": name}:
                return self._values.get(name, name)
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self._values.get(found[1], found[1])), text)
            case {"Fn::GetAtt": path}:
                return ".".join(path)
            case {"Fn::If": [name, yes, no]}:
                return self.resolved(yes if self._is_true(self._template["Conditions"][name]) else no)
            case fields:
                resolved = {name: self.resolved(field) for name, field in fields.items()}
                return {name: field for name, field in resolved.items() if field is not _NOTHING}

    def _is_true(self, condition: Any) -> bool:
        match dict(condition):
            case {"Condition": name}:
                return self._is_true(self._template["Conditions"][name])
            case {"Fn::Not": [other]}:
                return not self._is_true(other)
            case {"Fn::And": others}:
                return all(self._is_true(other) for other in others)
            case {"Fn::Equals": [left, right]}:
                return bool(self.resolved(left) == self.resolved(right))
            case unknown:
                raise AssertionError(f"no reading of the condition {unknown}")


def _grants(document: Any) -> Iterator[Grant]:
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in _several(statement["Action"]):
            for resource in _several(statement["Resource"]):
                yield Grant(action, resource, statement.get("Condition", {}))


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: str, text: str) -> bool:
    """Say whether a text fits a pattern of IAM, in which `*` stands for anything, slashes too."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
