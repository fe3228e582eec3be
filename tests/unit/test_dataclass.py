"""Our `dataclass` makes the same of a class as the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import dataclass as defined_here

Decorator = Callable[..., Any]
Item = TypeVar("Item")


def simple(dataclass: Decorator) -> Any:
    @dataclass(frozen=True)
    class Place:
        """A place."""

        file: str
        row: int = 0

    return Place


def single(dataclass: Decorator) -> Any:
    @dataclass(frozen=True)
    class Single:
        value: Any

    return Single


def empty(dataclass: Decorator) -> Any:
    @dataclass(frozen=True)
    class Empty:
        pass

    return Empty


def ordered(dataclass: Decorator) -> Any:
    @dataclass(frozen=True, order=True)
    class Name:
        schema: str
        table: int = 3

    return Name


def mutable(dataclass: Decorator) -> Any:
    @dataclass
    class Counts:
        file: str
        rows: Any = dataclasses.field(default_factory=list)

    return Counts


def with_secrets(dataclass: Decorator) -> Any:
    @dataclass(frozen=True)
    class Connection:
        url: str
        password: str = dataclasses.field(default="x", repr=False)
        seen: Any = dataclasses.field(default=None, compare=False)

    return Connection


def derived(dataclass: Decorator) -> Any:
    @dataclass(frozen=True)
    class Base(Generic[Item]):
        item: Item
        size: int = 1

    @dataclass(frozen=True)
    class Derived(Base[int]):
        name: str = "derived"

        def __post_init__(self) -> None:
            object.__setattr__(self, "name", f"{self.name}!")

        def __repr__(self) -> str:
            return f"<{self.name}>"

    return Derived


def compared_its_own_way(dataclass: Decorator) -> Any:
    @dataclass(frozen=True)
    class Folded:
        text: str
        other: str = ""

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and str(self.text).lower() == str(other.text).lower()

    return Folded


KINDS = (simple, single, empty, ordered, mutable, with_secrets, derived, compared_its_own_way)
VALUES = st.one_of(st.integers(0, 2), st.sampled_from(["a", "A", "b"]), st.just(float("nan")), st.lists(st.integers()))


def outcome(act: Callable[[], Any]) -> Any:
    """Return what an action returns, or the type and the words of its error."""
    try:
        return act()
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_instances_behave_as_those_of_the_standard_library(
    kind: Callable[[Decorator], Any], data: st.DataObject
) -> None:
    ours, theirs = kind(defined_here.dataclass), kind(dataclasses.dataclass)
    names = [field.name for field in dataclasses.fields(theirs)]
    arguments = st.lists(VALUES, max_size=len(names) + 1)
    one, other = data.draw(arguments), data.draw(arguments)
    changes = data.draw(st.dictionaries(st.sampled_from([*names, "unknown"]), VALUES))

    def observed(cls: Any) -> list[Any]:
        acts: list[Callable[[], Any]] = [
            lambda: repr(cls(*one)),
            lambda: cls(*one) == cls(*one),
            lambda: cls(*one) == cls(*other),
            lambda: cls(*one) != cls(*other),
            lambda: cls(*one) == tuple(one),
            lambda: hash(cls(*one)),
            lambda: cls(*one) < cls(*other),
            lambda: sorted([cls(*one), cls(*other)])[0] >= cls(*one),
            lambda: dataclasses.asdict(cls(*one)),
            lambda: repr(dataclasses.replace(cls(*one), **changes)),
            lambda: repr(copy.deepcopy(cls(*one))),
            lambda: vars(cls(**changes)),
            lambda: setattr(cls(*one), names[0] if names else "any", 1),
            lambda: delattr(cls(*one), names[0] if names else "any"),
        ]
        return [outcome(act) for act in acts]

    assert repr(observed(ours)) == repr(observed(theirs))


@pytest.mark.parametrize("kind", KINDS)
def test_classes_describe_themselves_as_those_of_the_standard_library(kind: Callable[[Decorator], Any]) -> None:
    ours, theirs = kind(defined_here.dataclass), kind(dataclasses.dataclass)

    assert ours.__match_args__ == theirs.__match_args__
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
    assert ours.__init__.__annotations__ == theirs.__init__.__annotations__
    assert [(field.name, field.type) for field in dataclasses.fields(ours)] == [
        (field.name, field.type) for field in dataclasses.fields(theirs)
    ]


def test_a_default_that_is_made_is_made_for_each_instance() -> None:
    counts = mutable(defined_here.dataclass)
    one, other = counts("a"), counts("a")

    one.rows.append(1)

    assert (one.rows, other.rows) == ([1], [])


def test_an_instance_within_itself_is_shown_once() -> None:
    counts = mutable(defined_here.dataclass)("a")
    counts.rows.append(counts)

    assert repr(counts).endswith("Counts(file='a', rows=[...])")


@pytest.mark.parametrize("field", [dataclasses.field(kw_only=True), dataclasses.field(init=False, default=1)])
def test_a_field_that_would_mean_something_else_is_refused(field: Any) -> None:
    with pytest.raises(TypeError, match=r"Odd\.value: init=False and kw_only=True are not supported here"):

        @defined_here.dataclass(frozen=True)
        class Odd:
            value: int = field
