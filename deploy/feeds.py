"""Writes the CloudFormation template of the feeds, from their specs: what starts each, and its alarms.

A new feed is a new YAML file here too. Its spec already names where files arrive and how often they are expected.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from framework.errors import SpecError
from framework.spec.environment import Environment
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project

Template = dict[str, Any]

MOST_RESOURCES = 500
"""Of a stack. Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
LONGEST_ALARM = timedelta(days=7)
"""An alarm looks back seven days at most, and one day with periods of less than an hour. Source:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
STACK_DEFAULTS = {"SourcePrefix": "data/in/", "MetricsNamespace": "Feedway"}
"""Parameters of deploy/feedway.yml that specs and environment have to agree with, and their defaults there."""
_HOUR = timedelta(hours=1)
_SHORT_PERIOD = timedelta(minutes=5)


def feeds_template(specs: Sequence[PipelineSpec], environment: Environment) -> Template:
    """Return the template of a stack beside the one of deploy/feedway.yml, whose name is the parameter Base.

    Raises:
        SpecError: the environment sends no metrics, or there are no feeds, or too many for one stack.
    """
    namespace = environment.notify.metrics_namespace
    if namespace is None:
        raise SpecError(
            f"the environment {environment.name!r} sends no metrics, so that no alarm would ever see a load. "
            f"Add to it: notify: {{metrics_namespace: Feedway, event_bus: default}}"
        )
    if not specs:
        raise SpecError("there is no feed to write a template for")
    resources: Template = _schedule([spec.pipeline for spec in specs])
    for spec in specs:
        resources |= _feed(spec, environment, namespace)
    if len(resources) > MOST_RESOURCES:
        raise SpecError(
            f"{len(specs)} feeds need {len(resources)} resources, and a stack may have {MOST_RESOURCES}. "
            f"Name a part of the feeds, and make a stack of each part."
        )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Feedway: what starts each feed, and its alarms. Written by deploy/feeds.py from the specs.",
        "Parameters": {
            "Base": {
                "Type": "String",
                "Default": "feedway",
                "Description": "Name of the stack made from deploy/feedway.yml.",
            },
            "Schedule": {
                "Type": "String",
                "Default": "rate(1 hour)",
                "Description": "When one job run loads all feeds: files without an event and files that an "
                "outage left pending.",
            },
        },
        "Resources": resources,
    }


def warnings_of(specs: Sequence[PipelineSpec], environment: Environment, stack: Mapping[str, str]) -> Iterator[str]:
    """Yield each disagreement between the stack and the specs; `stack` has the parameters of deploy/feedway.yml."""
    for name in without_stale_alarm(specs):
        yield f"{name}: no alarm looks back further than 7 days; see feedway stale"
    allowed = stack["SourcePrefix"]
    for spec in specs:
        if not spec.source.prefix.startswith(allowed):
            yield (
                f"{spec.pipeline}: its files arrive below {spec.source.prefix}, and the job may read below {allowed} "
                "only; see the parameter SourcePrefix of deploy/feedway.yml"
            )
    notify = environment.notify
    if notify.metrics_namespace != stack["MetricsNamespace"]:
        yield (
            f"the job may put metrics into {stack['MetricsNamespace']} only, and the environment {environment.name} "
            f"sends them to {notify.metrics_namespace}; see the parameter MetricsNamespace of deploy/feedway.yml"
        )
    if notify.event_bus is None:
        yield (
            f"the environment {environment.name} has no notify.event_bus, so no mail will say why a load failed; "
            "the account's own bus is: default"
        )


def without_stale_alarm(specs: Sequence[PipelineSpec]) -> list[str]:
    """Return the feeds that are expected less often than an alarm can look back."""
    return [spec.pipeline for spec in specs if spec.expect.every is not None and spec.expect.every > LONGEST_ALARM]


def _schedule(names: Sequence[str]) -> Template:
    loads = {"Fn::ImportValue": {"Fn::Sub": "${Base}-loads"}}
    may_start = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": loads}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    return {
        "ScheduleRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [
                    {"PolicyName": "start", "PolicyDocument": {"Version": "2012-10-17", "Statement": [may_start]}}
                ],
            },
        },
        "EveryFeed": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "Description": "Loads all feeds.",
                "ScheduleExpression": {"Ref": "Schedule"},
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": loads,
                    "RoleArn": {"Fn::GetAtt": ["ScheduleRole", "Arn"]},
                    # One name of all: one job run for all feeds, most of which have nothing to load.
                    "Input": json.dumps([{"pipeline": ",".join(names)}]),
                },
            },
        },
    }


def _feed(spec: PipelineSpec, environment: Environment, namespace: str) -> Template:
    name = _logical_id(spec.pipeline)
    resources = {f"{name}Arrived": _rule(spec, environment), f"{name}Failed": _failed(spec, environment, namespace)}
    every = spec.expect.every
    if every is not None and every <= LONGEST_ALARM:
        resources[f"{name}Stale"] = _stale(spec, environment, namespace, every)
    return resources


def _rule(spec: PipelineSpec, environment: Environment) -> Template:
    prefix = environment.lake.prefix + spec.source.prefix
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        # The run decides which names match the feed. A run for which none matches ends immediately.
        "detail": {
            "bucket": {"name": [environment.lake.bucket]},
            "object": {"key": [{"prefix": prefix}]},
        },
    }
    target = {
        "Id": "arrivals",
        "Arn": {"Fn::ImportValue": {"Fn::Sub": "${Base}-arrivals"}},
        "Input": json.dumps({"pipeline": spec.pipeline}),
    }
    description = f"New files of the feed {spec.pipeline}."
    properties = {"Description": description, "EventPattern": pattern, "Targets": [target]}
    return {"Type": "AWS::Events::Rule", "Properties": properties}


def _failed(spec: PipelineSpec, environment: Environment, namespace: str) -> Template:
    return _alarm(
        spec,
        _loads(spec, environment, namespace, "FAILED"),
        "failed",
        f"A load of the feed {spec.pipeline} failed.",
        {
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Period": int(_SHORT_PERIOD.total_seconds()),
            "EvaluationPeriods": 1,
            "TreatMissingData": "notBreaching",
        },
    )


def _stale(spec: PipelineSpec, environment: Environment, namespace: str, every: timedelta) -> Template:
    period = _HOUR if every >= _HOUR else _SHORT_PERIOD
    return _alarm(
        spec,
        _loads(spec, environment, namespace, "SUCCESS"),
        "stale",
        f"No load of the feed {spec.pipeline} has succeeded for as long as its spec expects one (expect.every).",
        {
            "ComparisonOperator": "LessThanThreshold",
            "Period": int(period.total_seconds()),
            # Rounded up: a feed is not late before its time.
            "EvaluationPeriods": -(-every // period),
            # A period without a load has no data at all.
            "TreatMissingData": "breaching",
        },
    )


def _loads(spec: PipelineSpec, environment: Environment, namespace: str, status: str) -> Template:
    dimensions = {"Environment": environment.name, "Pipeline": spec.pipeline, "Status": status}
    return {
        "Namespace": namespace,
        "MetricName": "Loads",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Statistic": "Sum",
        "Threshold": 1,
    }


def _alarm(
    spec: PipelineSpec, metric: Template, kind: str, description: str, condition: Mapping[str, object]
) -> Template:
    owner = f" Owner: {spec.owner}." if spec.owner else ""
    properties = {
        "AlarmName": {"Fn::Sub": f"${{Base}}-{spec.pipeline}-{kind}"},
        "AlarmDescription": description + owner,
        "AlarmActions": [{"Fn::ImportValue": {"Fn::Sub": "${Base}-alarms"}}],
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**properties, **metric, **condition}}


def _logical_id(pipeline: str) -> str:
    """Return a name of letters and digits only, which no other pipeline has and which stays."""
    words = "".join(word.capitalize() for word in re.split("[_-]", pipeline))
    return f"{words}{hashlib.sha256(pipeline.encode()).hexdigest()[:6]}"


def main(argv: Sequence[str]) -> None:
    """Print the template of the named feeds of a project, or of all."""
    parser = argparse.ArgumentParser(prog="python -m deploy.feeds", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="feeds; all if left out")
    parser.add_argument("--project", default=".", metavar="DIR", help="where environments.yml and pipelines/ are")
    parser.add_argument("--env", required=True, metavar="NAME", help="an entry of environments.yml")
    for name, default in STACK_DEFAULTS.items():
        option = "--" + re.sub("(?<=.)(?=[A-Z])", "-", name).lower()
        parser.add_argument(option, dest=name, default=default, help=f"{name} of the stack (default {default})")
    arguments = parser.parse_args(argv)
    if "://" in arguments.project:
        raise SpecError(f"--project {arguments.project}: the template is made from the specs in a folder")
    project = Project(Path(arguments.project).resolve())
    names = list(dict.fromkeys(arguments.names)) or project.pipeline_names()
    specs, environment = [project.pipeline(name) for name in names], project.environment(arguments.env)
    template = feeds_template(specs, environment)
    for warning in warnings_of(specs, environment, {name: getattr(arguments, name) for name in STACK_DEFAULTS}):
        sys.stderr.write(f"warning: {warning}\n")
    sys.stdout.write(json.dumps(template, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SpecError as error:
        raise SystemExit(f"error: {error}") from None
