"""`restore-views`: restores views that crashed runs dropped, or says what stands in the way."""

from __future__ import annotations

from tests.harness import FeedHarness
from tests.sandbox.under_views import NATIVE


def leave_dropped(feed: FeedHarness) -> None:
    """Leave a view of the project's feed dropped, as a run that crashed long ago would."""
    spec = f"pipelines/{feed.name}.yml"
    feed.write(spec, (feed.root / spec).read_text(encoding="utf-8") + NATIVE)
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    for statement in (
        "create schema if not exists reporting",
        f"create view reporting.down_{feed.name} as select a from {feed.name}",
        f"grant select on reporting.down_{feed.name} to public",
    ):
        assert feed.command("sandbox", "sql", statement)[0] == 0
    feed.land("2.csv", "id,a\n2," + "y" * 300 + "\n")
    code, plan = feed.json("plan", feed.name)
    assert code == 0
    (taken,) = [part for part in plan["loads"][0]["transactions"] if part["name"] == "drop_views"]
    for statement in taken["statements"]:
        assert feed.command("sandbox", "sql", statement["sql"])[0] == 0


def test_restore_views_restores_what_was_dropped_and_says_so(feed: FeedHarness) -> None:
    leave_dropped(feed)
    gone = f"select count(*) from pg_views where viewname = 'down_{feed.name}'"
    assert feed.json("sandbox", "sql", gone)[1]["rows"] == [[0]]

    code, document = feed.json("restore-views", f"reporting.down_{feed.name}")

    (view,) = [view for view in document["views"] if view["view"] == f"reporting.down_{feed.name}"]
    assert code == 0
    assert (view["status"], view["target"], view["pipeline"]) == ("RESTORED", f"public.{feed.name}", feed.name)
    assert feed.json("sandbox", "sql", gone)[1]["rows"] == [[1]]
    granted = f"select count(*) from svv_relation_privileges where relation_name = 'down_{feed.name}'"
    assert feed.json("sandbox", "sql", f"{granted} and identity_type = 'public'")[1]["rows"] == [[1]]
    assert f"reporting.down_{feed.name}: not in the view journal" in feed.command("restore-views", view["view"])[2]


def test_restore_views_says_what_stands_in_the_way_and_can_forget_a_view(feed: FeedHarness) -> None:
    leave_dropped(feed)
    name = f"reporting.down_{feed.name}"
    assert feed.command("sandbox", "sql", f"create view {name} as select 1 as other")[0] == 0

    code, out, err = feed.command("restore-views", name, "--output", "text")

    assert code == 4
    assert "another definition" in err
    assert f'create view "reporting"."down_{feed.name}"' in out
    code, document = feed.json("restore-views", name, "--forget")
    assert (code, [view["status"] for view in document["views"]]) == (0, ["FORGOTTEN"])
    assert feed.json("sandbox", "sql", f"select other from {name}")[1]["rows"] == [[1]]
    code, _, err = feed.command("restore-views", name)
    assert (code, "not in the view journal" in err) == (2, True)
    assert feed.command("restore-views", "--forget")[0] == 2
