"""`dataclass` as in the standard library, but defined in a quarter of the time.

The standard library compiles six methods for each frozen class. A load imports about 270 such classes, which took a
sixth of a small load's time. Here only `__init__` is compiled; the other methods are functions that classes share.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Sequence
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        cls: type[Any] | None = None, *, frozen: bool = False, order: bool = False
    ) -> Callable[[type[Any]], type[Any]] | type[Any]:
        """Return the class, or a decorator: its instances behave as those of `dataclasses.dataclass`."""
        return _define(cls, frozen, order) if cls else lambda decorated: _define(decorated, frozen, order)


_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")


def _define(cls: type[Any], is_frozen: bool, has_order: bool) -> type[Any]:
    # A class without a docstring gets its signature for one, which takes as long as everything else together.
    cls.__doc__ = cls.__doc__ or cls.__name__
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    fields = dataclasses.fields(cls)
    values = _getter([field.name for field in fields if field.compare])
    methods: dict[str, Any] = {"__init__": _compiled_init(cls, fields), "__repr__": _repr}
    methods |= {name: _comparison(name, values) for name in ("__eq__", *(_ORDER if has_order else ()))}
    methods["__hash__"] = (lambda self: hash(values(self))) if is_frozen else None
    if is_frozen:
        methods |= {"__setattr__": _refuse_assignment, "__delattr__": _refuse_deletion}
    own = {name for name, value in cls.__dict__.items() if value is not None}
    for name, method in methods.items():
        if name not in own:
            setattr(cls, name, method)
    return cls


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gives the values of attributes; `attrgetter` gives no tuple for a single one."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _comparison(name: str, values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, Any], bool]:
    compare = getattr(operator, name)

    def method(self: Any, other: Any) -> bool:
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return method


def _compiled_init(cls: type[Any], fields: Sequence[dataclasses.Field[Any]]) -> Callable[..., None]:
    """Return `__init__`. Compiled, it makes instances as fast as the standard library's does."""
    names: dict[str, Any] = {"_put": object.__setattr__, "_nothing": object()}
    parameters, lines = ["self"], []
    for field in fields:
        if not field.init or field.kw_only:
            raise TypeError(f"{cls.__qualname__}.{field.name}: init=False and kw_only=True are not supported here")
        value = field.name
        if field.default_factory is not dataclasses.MISSING:
            names[f"_new_{field.name}"] = field.default_factory
            parameters.append(f"{field.name}=_nothing")
            value = f"_new_{field.name}() if {field.name} is _nothing else {field.name}"
        elif field.default is not dataclasses.MISSING:
            names[f"_default_{field.name}"] = field.default
            parameters.append(f"{field.name}=_default_{field.name}")
        else:
            parameters.append(field.name)
        lines.append(f"_put(self, {field.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"]), names)
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {field.name: field.type for field in fields} | {"return": None}
    return init


@recursive_repr()
def _repr(self: Any) -> str:
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({shown})"


def _refuse_assignment(self: Any, name: str, value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: Any, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
