"""The rules that specs, environments and tests of feeds are checked by, for the programs that list problems by rule."""

from __future__ import annotations

from collections.abc import Mapping

from framework.dataclass import dataclass


@dataclass(frozen=True)
class Rule:
    """What a rule finds, in one sentence, and the section of the documentation that describes the right way."""

    finds: str
    section: str


_SPEC = "docs/spec.md"
_ANY = f"{_SPEC}#write-a-spec"
_OPTIONS = f"{_SPEC}#sourceoptions"
_TESTS = "docs/testing.md"

RULES: Mapping[str, Rule] = {
    "spec/bad-rows": Rule("A quarantine has no budget, or rows have a budget and no quarantine.", f"{_SPEC}#bad_rows"),
    "spec/cleaned-name": Rule("No column has this name once names are cleaned.", f"{_SPEC}#columns"),
    "spec/column-type": Rule("A text is no type of Redshift that Feedway can load.", f"{_SPEC}#types"),
    "spec/control-schema": Rule(
        "A table or view is in the schema of Feedway's own tables.", f"{_SPEC}#environmentsnamewarehouse"
    ),
    "spec/delimiter": Rule("A text cannot stand between two fields.", _OPTIONS),
    "spec/duplicate-column": Rule("Two columns have one name, or a list names one twice.", f"{_SPEC}#columns"),
    "spec/duplicate-key": Rule("A field is given twice.", _ANY),
    "spec/duplicate-view": Rule("A view has the name of another view or of the table.", f"{_SPEC}#views"),
    "spec/empty": Rule("A file or a value is empty.", _ANY),
    "spec/empty-project": Rule("The project has no spec.", _ANY),
    "spec/encoding": Rule("An encoding is unknown, or a file is not UTF-8.", _OPTIONS),
    "spec/enum": Rule("A value is none of those that the field takes.", _ANY),
    "spec/excluded-column": Rule("A column is used and excluded.", f"{_SPEC}#columns"),
    "spec/fields": Rule("Fields of a fixed width are missing, overlap or have no place in the line.", _OPTIONS),
    "spec/file": Rule("A file cannot be read, or its name does not end in `.yml`.", _ANY),
    "spec/format": Rule("A format of dates is wrong, or contradicts another.", f"{_SPEC}#typesparse"),
    "spec/grantee": Rule("A grantee is no user, group, role or `public`.", f"{_SPEC}#grants"),
    "spec/header": Rule("`header` and `names` contradict each other.", _OPTIONS),
    "spec/key": Rule("The key of a mapping is not text.", _ANY),
    "spec/keys": Rule("Upsert keys are missing.", f"{_SPEC}#load"),
    "spec/metadata-column": Rule("A column has the name of one that Feedway adds.", f"{_SPEC}#metadata_columns"),
    "spec/missing-columns": Rule(
        "A policy of missing columns contradicts itself.", f"{_SPEC}#evolutionmissing_columns"
    ),
    "spec/name": Rule("A name cannot be that of a schema, table, view or column.", f"{_SPEC}#target"),
    "spec/nested-prefix": Rule("Two feeds may take the same files.", f"{_SPEC}#source"),
    "spec/notify": Rule("A target of notifications needs an environment on AWS.", f"{_SPEC}#environmentsnamenotify"),
    "spec/options": Rule("An option is of no use for the format, or contradicts another.", _OPTIONS),
    "spec/order-by": Rule("An entry of `load.order_by` is not a column with `asc` or `desc`.", f"{_SPEC}#load"),
    "spec/parse": Rule("A notation of values contradicts another, or the column's type.", f"{_SPEC}#typesparse"),
    "spec/pattern": Rule("A text does not have the form that the field requires.", _ANY),
    "spec/pipeline-name": Rule("`pipeline` is not the name of its file.", f"{_SPEC}#pipelinesnameyml"),
    "spec/prefix": Rule("The folder of the source files is no place for them.", f"{_SPEC}#source"),
    "spec/range": Rule("A number, or the length of a text or list, is out of bounds.", _ANY),
    "spec/region": Rule("Lake and warehouse are in different regions.", f"{_SPEC}#environmentsnamelake"),
    "spec/renamed-column": Rule("A column is used by its name before `columns.rename`.", f"{_SPEC}#columns"),
    "spec/required": Rule("A required field is missing.", _ANY),
    "spec/reserved-name": Rule("A column has a name that Redshift or Feedway uses.", f"{_SPEC}#columns"),
    "spec/rule": Rule("A rule for types matches nothing.", f"{_SPEC}#typesrules"),
    "spec/shared-files": Rule("Two feeds take the same files.", f"{_SPEC}#source"),
    "spec/shared-target": Rule("Two feeds of one table do not agree on its rows.", f"{_SPEC}#target"),
    "spec/shared-view": Rule("Two feeds define one view, or a view has the name of a table.", f"{_SPEC}#views"),
    "spec/super-key": Rule("A SUPER column is a key, a sort key or in an order.", f"{_SPEC}#load"),
    "spec/tag": Rule("A value carries a tag of YAML.", _ANY),
    "spec/test-file": Rule("A test names a file that does not exist or is not given.", f"{_TESTS}#give-files"),
    "spec/test-name": Rule("A file of tests is named after no pipeline.", f"{_TESTS}#run-tests"),
    "spec/test-row": Rule("Rows of a test name different columns, or cannot be read.", f"{_TESTS}#write-rows"),
    "spec/type": Rule("A value is not of the type that the field takes.", _ANY),
    "spec/type-name": Rule("A text is no type of Redshift that a test can expect.", f"{_TESTS}#write-what-you-expect"),
    "spec/unknown-field": Rule("There is no field of this name here.", _ANY),
    "spec/unnamed-column": Rule("A key is none of the columns that the spec gives the files.", _OPTIONS),
    "spec/upper-case": Rule("Redshift folds a name to lower case.", f"{_SPEC}#target"),
    "spec/view-definition": Rule("The query of a view is not one select.", f"{_SPEC}#views"),
    "spec/warehouse": Rule("A warehouse is not one workgroup or one cluster.", f"{_SPEC}#environmentsnamewarehouse"),
    "spec/webhook": Rule("A webhook has no URL, or several.", f"{_SPEC}#environmentsnamenotifywebhook"),
    "spec/yaml": Rule("The text is not YAML.", _ANY),
}
"""All rules by the name that problems carry."""
