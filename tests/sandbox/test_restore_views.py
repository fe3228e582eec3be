"""`restore-views`: puts back what is down, or says what stands in the way."""

from __future__ import annotations

from tests.command_line import Shop
from tests.sandbox.under_views import NATIVE


def left_down(shop: Shop) -> None:
    """Leave a view of the project's feed down, as a run that died long ago would."""
    spec = f"pipelines/{shop.name}.yml"
    shop.write(spec, (shop.root / spec).read_text(encoding="utf-8") + NATIVE)
    shop.land("1.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
    for statement in (
        "create schema if not exists reporting",
        f"create view reporting.down_{shop.name} as select a from {shop.name}",
        f"grant select on reporting.down_{shop.name} to public",
    ):
        assert shop.run("sandbox", "sql", statement)[0] == 0
    shop.land("2.csv", "id,a\n2," + "y" * 300 + "\n")
    code, plan = shop.json("plan", shop.name)
    assert code == 0
    (taken,) = [part for part in plan["loads"][0]["transactions"] if part["name"] == "drop_views"]
    for statement in taken["statements"]:
        assert shop.run("sandbox", "sql", statement["sql"])[0] == 0


def test_restore_views_puts_back_what_is_down_and_says_so(shop: Shop) -> None:
    left_down(shop)
    gone = f"select count(*) from pg_views where viewname = 'down_{shop.name}'"
    assert shop.json("sandbox", "sql", gone)[1]["rows"] == [[0]]

    code, document = shop.json("restore-views", f"reporting.down_{shop.name}")

    (view,) = [view for view in document["views"] if view["view"] == f"reporting.down_{shop.name}"]
    assert code == 0
    assert (view["status"], view["target"], view["pipeline"]) == ("RESTORED", f"public.{shop.name}", shop.name)
    assert shop.json("sandbox", "sql", gone)[1]["rows"] == [[1]]
    granted = f"select count(*) from svv_relation_privileges where relation_name = 'down_{shop.name}'"
    assert shop.json("sandbox", "sql", f"{granted} and identity_type = 'public'")[1]["rows"] == [[1]]
    assert f"reporting.down_{shop.name}: not in the view journal" in shop.run("restore-views", view["view"])[2]


def test_restore_views_says_what_stands_in_the_way_and_can_let_a_view_go(shop: Shop) -> None:
    left_down(shop)
    name = f"reporting.down_{shop.name}"
    assert shop.run("sandbox", "sql", f"create view {name} as select 1 as other")[0] == 0

    code, out, err = shop.run("restore-views", name, "--output", "text")

    assert code == 4
    assert "another definition" in err
    assert f'create view "reporting"."down_{shop.name}"' in out
    code, document = shop.json("restore-views", name, "--forget")
    assert (code, [view["status"] for view in document["views"]]) == (0, ["FORGOTTEN"])
    assert shop.json("sandbox", "sql", f"select other from {name}")[1]["rows"] == [[1]]
    code, _, err = shop.run("restore-views", name)
    assert (code, "not in the view journal" in err) == (2, True)
    assert shop.run("restore-views", "--forget")[0] == 2
