"""The text under a struct's field is the field's documentation; here it is read from the source."""

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent

from msgspec import Struct


@cache
def field_docs(struct: type[Struct]) -> dict[str, str]:
    """What the source says of each field, inherited ones too; those without a text are left out.

    >>> from schemas.study import Scanner
    >>> field_docs(Scanner)["software"]
    'Software version.'
    """
    source = ast.parse(dedent(inspect.getsource(struct))).body[0]
    assert isinstance(source, ast.ClassDef)
    docs: dict[str, str] = {}
    for base in struct.__bases__:
        if base is not Struct and issubclass(base, Struct):
            docs |= field_docs(base)
    for field, text in pairwise(source.body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                docs[name] = " ".join(words.split())
    return docs


def struct_doc(struct: type[Struct]) -> str:
    """What the source says of the struct itself."""
    return inspect.cleandoc(struct.__doc__ or "")
