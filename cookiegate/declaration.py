"""Declaration: a frozen value that refuses what it does not know and says where and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from cookiegate.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails


SECRET = frozenset({"secret_keys", "people"})  # keys whose values stand in no error


class Declaration(BaseModel):
    """The ground of all that a site declares.

    The first field may be given without its name: ``Site("Example Shop", …)``.

    Raises:
        ConfigError: one line for each fault, with key, value and remedy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    def __init__(self, first: Any = None, /, **values: Any) -> None:
        if first is not None:
            values = {next(iter(type(self).model_fields)): first, **values}
        try:
            self.__pydantic_validator__.validate_python(values, self_instance=self)
        except ValidationError as fault:
            raise ConfigError(explain(fault, type(self))) from None

    # As on pydantic's own RootModel: a nested declaration is validated in place, so that one error
    # carries the whole path to the fault.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


def beside_the_file(path: Path, info: ValidationInfo) -> Path:
    """Return a path of the declaration's: a relative one begins at the configuration file, if there is one."""
    return Path((info.context or {}).get("directory", "")) / path


def explain(fault: ValidationError, model: type[BaseModel], place: str = "") -> str:
    """Return one line for each fault; *place* (a file's name) stands in front of each key."""
    errors = fault.errors()
    followed = {error["loc"][:cut] for error in errors for cut in range(len(error["loc"]))}
    return "\n".join(
        f"{place}{_key(error['loc']) or model.__name__}{_sentence(error, model)}"
        for error in errors
        if error["loc"] not in followed or error["type"] == "extra_forbidden"
    )


def _key(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value = error["type"], _shown(error)
    if kind == "extra_forbidden":
        known = _model_at(model, error["loc"][:-1]).model_fields
        return f"{value and f' = {value}'}: there is no such key.{nearest(str(error['loc'][-1]), known)}"
    if kind == "missing":
        return f": this key is required. {_description(model, error['loc'])}".rstrip()
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        hint = nearest(str(error["input"]), re.findall(r"'(.+?)'", expected))
        return f" = {value}: must be {expected}.{hint}"
    if kind == "dict_type":
        return f" = {value}: must be a table, not a single value."
    return f"{value and f' = {value}'}: {error['msg'].removeprefix('Value error, ')}"


def _shown(error: ErrorDetails) -> str:
    """The value at fault; never a secret, and not a whole table."""
    if isinstance(error["input"], (dict, BaseModel)):
        return ""
    secret = any(part in SECRET or nearest(str(part), SECRET) for part in error["loc"])
    text = "…" if secret else re.sub(r"//[^/\s]*@", "//…@", repr(error["input"]))  # user and password of an address
    return text if len(text) <= 80 else f"{text[:77]}…"


def _model_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    for part in loc:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = next(_models_in(field.annotation), model)
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _description(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    field = _model_at(model, loc[:-1]).model_fields.get(str(loc[-1]))
    return field.description or "" if field else ""
