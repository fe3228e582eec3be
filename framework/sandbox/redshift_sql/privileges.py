"""GRANT, REVOKE, users, groups and roles.

PostgreSQL knows roles only. A user is a role that may log in, a group is the role `group:<name>`, a role the
role `role:<name>`: so a user, a group and a role may have one name, as on Redshift.
"""

from __future__ import annotations

from framework.sandbox.redshift_sql.long_names import MAX_KEPT_BYTES, long_names
from framework.sandbox.redshift_sql.parsed import Parsed, fixed
from framework.sandbox.redshift_sql.postgres_text import quote_name, quote_names
from framework.sandbox.redshift_sql.reader import Reader
from framework.sandbox.redshift_sql.refusal import Refused, not_supported

_TABLE_PRIVILEGES = ("select", "insert", "update", "delete", "references")
_SCHEMA_PRIVILEGES = ("usage", "create")
_NOT_IN_POSTGRES = ("drop", "alter", "truncate")
PREFIXES = {"group": "group:", "role": "role:"}


def grantee(kind: str, name: str) -> str:
    """Return the PostgreSQL role of a user, group or role of Redshift."""
    prefix = PREFIXES.get(kind, "")
    if not prefix and name.startswith(tuple(PREFIXES.values())):
        raise not_supported(f'the user name "{name}"')
    return prefix + name


def parse_grant(reader: Reader, verb: str) -> Parsed:
    """Parse what follows GRANT or REVOKE."""
    preposition = "to" if verb == "grant" else "from"
    if reader.sees("role"):
        return _grant_role(reader, verb, preposition)
    option_for = verb == "revoke" and reader.accept("grant", "option", "for")
    privileges = _read_privileges(reader)
    reader.expect("on")
    on = _read_objects(reader, privileges)
    reader.expect(preposition)
    grantees, only_users = _read_grantees(reader)
    with_option = verb == "grant" and reader.accept("with", "grant", "option")
    if with_option and not only_users:
        raise Refused("Grant options can only be granted to individual users", "0LP01")
    behavior = _read_behavior(reader) if verb == "revoke" else ""
    reader.expect_end()
    granted = ", ".join(privileges)
    head = f"{verb} {'grant option for ' if option_for else ''}{granted} on {on} {preposition} {', '.join(grantees)}"
    return fixed(verb.upper(), head + (" with grant option" if with_option else "") + behavior)


def _read_behavior(reader: Reader) -> str:
    if reader.accept("cascade"):
        return " cascade"
    reader.accept("restrict")
    return ""


def _read_privileges(reader: Reader) -> list[str]:
    if reader.accept("all"):
        reader.accept("privileges")
        return ["all"]
    privileges = []
    while True:
        word = reader.word()
        if word in _NOT_IN_POSTGRES:
            raise not_supported(f"GRANT {word.upper()}")
        if word not in (*_TABLE_PRIVILEGES, *_SCHEMA_PRIVILEGES):
            reader.place -= 1
            raise reader.error()
        privileges.append(word + _read_columns(reader))
        if not reader.accept_mark(","):
            return privileges


def _read_columns(reader: Reader) -> str:
    if not reader.accept_mark("("):
        return ""
    reader.place -= 1
    return f" ({quote_names(reader.names())})"


def _read_objects(reader: Reader, privileges: list[str]) -> str:
    """Step over the objects; ALL is narrowed to what Redshift means by it."""
    if reader.accept("schema"):
        return _checked(privileges, _SCHEMA_PRIVILEGES, "schema ") + _names(reader)
    if reader.accept("all", "tables", "in", "schema"):
        return _checked(privileges, _TABLE_PRIVILEGES, "all tables in schema ") + _names(reader)
    for word in (
        "database",
        "function",
        "procedure",
        "language",
        "model",
        "external",
        "datashare",
        "copy",
        "assumerole",
    ):
        if reader.accept(word):
            raise not_supported(f"GRANT ON {word.upper()}")
    reader.accept("table")
    relations = ", ".join(relation.sql for relation in reader.relations())
    return _checked(privileges, _TABLE_PRIVILEGES, "table ") + relations


def _checked(privileges: list[str], known: tuple[str, ...], on: str) -> str:
    if privileges == ["all"]:
        privileges[:] = known
    for privilege in privileges:
        if privilege.split(" ")[0] not in known:
            raise Refused(f"invalid privilege type {privilege.upper()} for {on.split()[-1]}", "0LP01")
    return on


def _names(reader: Reader) -> str:
    names = [reader.name()]
    while reader.accept_mark(","):
        names.append(reader.name())
    return quote_names(names)


def _read_grantees(reader: Reader) -> tuple[list[str], bool]:
    grantees = []
    only_users = True
    while True:
        if reader.accept("public"):
            grantees.append("public")
            only_users = False
        else:
            kind = "group" if reader.accept("group") else "role" if reader.accept("role") else "user"
            grantees.append(quote_name(grantee(kind, reader.name())))
            only_users = only_users and kind == "user"
        if not reader.accept_mark(","):
            return grantees, only_users


def _grant_role(reader: Reader, verb: str, preposition: str) -> Parsed:
    reader.expect("role")
    role = quote_name(grantee("role", reader.name()))
    reader.expect(preposition)
    grantees, _ = _read_grantees(reader)
    reader.expect_end()
    return fixed(verb.upper(), f"{verb} {role} {preposition} {', '.join(grantees)}")


def parse_create_identity(reader: Reader, kind: str) -> Parsed:
    """Parse what follows CREATE USER, CREATE GROUP or CREATE ROLE."""
    name = quote_name(grantee(kind, reader.name()))
    if long_names(reader.tokens):
        raise not_supported(f"A name of more than {MAX_KEPT_BYTES} bytes in CREATE {kind.upper()}")
    if kind == "user":
        return _create_user(reader, name)
    members = ""
    if kind == "group" and (reader.accept("with", "user") or reader.accept("user")):
        members = f" role {_names(reader)}"
    reader.expect_end()
    return fixed(f"CREATE {kind.upper()}", f"create role {name} nologin{members}")


def _create_user(reader: Reader, name: str) -> Parsed:
    """The password is not kept: nobody connects to the sandbox's database with one."""
    reader.accept("with")
    attributes = ["login"]
    groups = ""
    while not reader.at_end:
        if reader.accept("password"):
            if not reader.accept("disable"):
                reader.text()
        elif reader.accept("createuser"):
            attributes.append("superuser")
        elif reader.accept("in", "group"):
            groups = ", ".join(_identities(reader, "group"))
        elif not any(reader.accept(word) for word in ("createdb", "nocreatedb", "nocreateuser")):
            raise not_supported(f"CREATE USER with {reader.word().upper()}")
    if groups:
        attributes.append(f"in role {groups}")
    return fixed("CREATE USER", f"create role {name} {' '.join(attributes)}")


def parse_drop_identity(reader: Reader, kind: str) -> Parsed:
    """Parse what follows DROP USER, DROP GROUP or DROP ROLE."""
    if_exists = "if exists " if reader.accept("if", "exists") else ""
    names = ", ".join(_identities(reader, kind))
    reader.expect_end()
    return fixed(f"DROP {kind.upper()}", f"drop role {if_exists}{names}")


def _identities(reader: Reader, kind: str) -> list[str]:
    names = [quote_name(grantee(kind, reader.name()))]
    while reader.accept_mark(","):
        names.append(quote_name(grantee(kind, reader.name())))
    return names


def parse_alter_group(reader: Reader) -> Parsed:
    """Parse what follows ALTER GROUP."""
    group = quote_name(grantee("group", reader.name()))
    if reader.accept("add", "user"):
        sql = f"grant {group} to {_names(reader)}"
    elif reader.accept("drop", "user"):
        sql = f"revoke {group} from {_names(reader)}"
    else:
        raise not_supported("ALTER GROUP but for ADD USER and DROP USER")
    reader.expect_end()
    return fixed("ALTER GROUP", sql)
