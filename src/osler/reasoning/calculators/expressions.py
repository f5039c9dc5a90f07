"""Formulas of the calculators' files: arithmetic, comparison and a few functions, walked and never evaluated as Python.

It knows no medicine. Comparisons count as 1 and 0 in sums; `round` takes halves up.
"""

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any

LONGEST = 1000
Expression = Callable[[Mapping[str, Any]], Any]


def _round(value: float, places: int = 0) -> float:
    return float(math.floor(round(value * 10**places, 9) + 0.5) / 10**places)


def _floats(function: Callable[[float, float], float]) -> Callable[[Any, Any], float]:
    """Of floats alone, so that no formula makes a huge integer or repeats a text."""
    return lambda left, right: function(float(left), float(right))


def _tiers(value: float, below: float, *pairs: float) -> float:
    """`below`, or what stands behind the last limit (limit, points, limit, points ...) that `value` reaches."""
    return next((pairs[at + 1] for at in range(len(pairs) - 2, -1, -2) if value >= pairs[at]), below)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{"min": min, "max": max, "abs": abs, "round": _round, "tiers": _tiers},
    **{"log": math.log10, "ln": math.log, "exp": math.exp, "sqrt": math.sqrt},
}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    **{ast.Add: _floats(operator.add), ast.Sub: _floats(operator.sub), ast.Mult: _floats(operator.mul)},
    **{ast.Div: _floats(operator.truediv), ast.Pow: math.pow, ast.USub: operator.neg, ast.Not: operator.not_},
    **{ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le},
    **{ast.Gt: operator.gt, ast.GtE: operator.ge},
}


def expression(text: str, names: Collection[str]) -> Expression:
    """The formula as a function of the values of `names`. Raises ValueError for anything else."""
    try:
        if len(text) > LONGEST:
            raise ValueError(f"a formula has at most {LONGEST} characters")
        return _build(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a formula: {text[:80]!r}") from error


def _build(node: ast.expr, names: Collection[str]) -> Expression:
    match node:
        case ast.Constant(value=value) if type(value) in (int, float, str):
            return lambda _: value
        case ast.Name(id=name) if name in names:
            return lambda values: values[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return _call(_OPERATORS[type(op)], [operand], names)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
            return _call(_OPERATORS[type(op)], [left, right], names)
        case ast.Compare(ops=[op], left=left, comparators=[right]) if type(op) in _OPERATORS:
            return _call(_OPERATORS[type(op)], [left, right], names)
        case ast.BoolOp(op=op, values=parts):
            whole: Callable[[Any], bool] = all if isinstance(op, ast.And) else any
            built = [_build(part, names) for part in parts]
            return lambda values: whole(part(values) for part in built)
        case ast.IfExp(test=test, body=body, orelse=other):
            asked, yes, no = (_build(part, names) for part in (test, body, other))
            return lambda values: yes(values) if asked(values) else no(values)
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in FUNCTIONS:
            return _call(FUNCTIONS[name], parts, names)
    raise ValueError(f"may not stand in a formula, or is no input or step before it: {ast.unparse(node)!r}")


def _call(function: Callable[..., Any], parts: list[ast.expr], names: Collection[str]) -> Expression:
    built = [_build(part, names) for part in parts]
    return lambda values: function(*(part(values) for part in built))
