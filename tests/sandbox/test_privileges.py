"""Privileges that the spec names: granted, and taken away only where it says so."""

from tests.harness import FeedHarness, MakeFeed, csv_text


def privileges(feed: FeedHarness, name: str) -> set[tuple[object, ...]]:
    """Return who has which privilege on a table or view, the sandbox's own user left out."""
    return set(
        feed.sql(
            "select privilege_type, identity_type, identity_name from svv_relation_privileges "
            f"where relation_name = '{name}' and (identity_name like '%{feed.name}' or identity_type = 'public')"
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


def test_privileges_of_the_spec_are_granted_and_others_stay_unless_it_says_otherwise(make_feed: MakeFeed) -> None:
    feed = make_feed(with_grants("{select: [group g_{name}, u_{name}], insert: [role r_{name}]}"))
    name = feed.name
    feed.sql(f"create group g_{name}", f"create user u_{name} password 'Abcdefg1'", f"create role r_{name}")
    ours = {
        ("SELECT", "group", f"g_{name}"),
        ("SELECT", "user", f"u_{name}"),
        ("INSERT", "role", f"r_{name}"),
    }

    first = feed.load("1.csv", csv_text("id,a", "1,x"))

    assert first.status == "SUCCESS", first.failure and first.failure.message
    assert privileges(feed, name) == ours
    assert privileges(feed, f"v_{name}") == {("SELECT", "group", f"g_{name}")}

    feed.sql(
        f"revoke select on {feed.table} from u_{name}",
        f"grant delete on {feed.table} to u_{name}",
        f"grant select on reporting.v_{name} to u_{name} with grant option",
    )
    feed.load("2.csv", csv_text("id,a", "2,x"))

    assert privileges(feed, name) == ours | {("DELETE", "user", f"u_{name}")}
    assert ("SELECT", "user", f"u_{name}") in privileges(feed, f"v_{name}")

    feed.spec_body = with_grants("{select: [group g_{name}], insert: [role r_{name}]}", exclusive=True)
    feed.load("3.csv", csv_text("id,a", "3,x"))

    assert privileges(feed, name) == {("SELECT", "group", f"g_{name}"), ("INSERT", "role", f"r_{name}")}
    assert privileges(feed, f"v_{name}") == {("SELECT", "group", f"g_{name}")}
    assert feed.rows("id", "id") == [(1,), (2,), (3,)]


def test_a_privilege_for_somebody_who_is_not_there_is_the_specs_fault_and_loads_nothing(make_feed: MakeFeed) -> None:
    feed = make_feed(with_grants("{select: [group nobody_{name}]}").replace("group g_", "group nobody_"))

    result = feed.load("1.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert result.failure.type == "SpecError"
    assert f"nobody_{feed.name}" in result.failure.message
    assert len(feed.keys("data/in/")) == 1
    # The load itself has created the table: its warning must not blame another one.
    (replanning,) = [entry["msg"] for entry in feed.entries() if entry["msg"].startswith("replanning")]
    assert replanning == "replanning: the target has changed since it was observed"
