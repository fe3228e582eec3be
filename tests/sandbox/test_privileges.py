"""Privileges that the spec names: granted, and taken away only where it says so."""

from collections.abc import Callable

from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]


def privileges(shop: Workshop, name: str) -> set[tuple[object, ...]]:
    """Return who has which privilege on a table or view, the sandbox's own user left out."""
    return set(
        shop.sql(
            "select privilege_type, identity_type, identity_name from svv_relation_privileges "
            f"where relation_name = '{name}' and (identity_name like '%{shop.name}' or identity_type = 'public')"
        )
    )


def with_grants(grants: str, exclusive: bool = False) -> str:
    return f"""
source: {{prefix: data/in/{{name}}/}}
target: {{table: "{{name}}"}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null, file_name: null}}
views:
  - schema: reporting
    name: "v_{{name}}"
    definition: "select * from {{{{ target }}}}"
    grants: {{select: [group g_{{name}}]}}
grants: {grants}
grants_exclusive: {str(exclusive).lower()}
"""


def test_privileges_of_the_spec_are_granted_and_others_stay_unless_it_says_otherwise(feed: Feed) -> None:
    shop = feed(with_grants("{select: [group g_{name}, u_{name}], insert: [role r_{name}]}"))
    name = shop.name
    shop.sql(f"create group g_{name}", f"create user u_{name} password 'Abcdefg1'", f"create role r_{name}")
    ours = {
        ("SELECT", "group", f"g_{name}"),
        ("SELECT", "user", f"u_{name}"),
        ("INSERT", "role", f"r_{name}"),
    }

    first = shop.load("1.csv", csv_text("id,a", "1,x"))

    assert first.status == "SUCCESS", first.failure and first.failure.message
    assert privileges(shop, name) == ours
    assert privileges(shop, f"v_{name}") == {("SELECT", "group", f"g_{name}")}

    shop.sql(
        f"revoke select on {shop.table} from u_{name}",
        f"grant delete on {shop.table} to u_{name}",
        f"grant select on reporting.v_{name} to u_{name} with grant option",
    )
    shop.load("2.csv", csv_text("id,a", "2,x"))

    assert privileges(shop, name) == ours | {("DELETE", "user", f"u_{name}")}
    assert ("SELECT", "user", f"u_{name}") in privileges(shop, f"v_{name}")

    shop.spec_body = with_grants("{select: [group g_{name}], insert: [role r_{name}]}", exclusive=True)
    shop.load("3.csv", csv_text("id,a", "3,x"))

    assert privileges(shop, name) == {("SELECT", "group", f"g_{name}"), ("INSERT", "role", f"r_{name}")}
    assert privileges(shop, f"v_{name}") == {("SELECT", "group", f"g_{name}")}
    assert shop.rows("id", "id") == [(1,), (2,), (3,)]


def test_a_privilege_for_somebody_who_is_not_there_is_the_specs_fault_and_loads_nothing(feed: Feed) -> None:
    shop = feed(with_grants("{select: [group nobody_{name}]}").replace("group g_", "group nobody_"))

    result = shop.load("1.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert result.failure.type == "SpecError"
    assert f"nobody_{shop.name}" in result.failure.message
    assert len(shop.keys("data/in/")) == 1
