"""Who is above whom: parents and levels from a parent property, from the codes, or from the areas themselves."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.coding import CodeRule
from geo.grid import GENERAL, MAX_DEPTH
from geo.problem import Findings


def by_code(codes: Iterable[str], rule: CodeRule) -> dict[str, str]:
    """{code: parent's code}. A level that no code is of is passed over; "" for the highest level there is."""
    codes = list(codes)
    levels = sorted({rule.level(code) for code in codes} - {0})
    above = {level: ([0, *levels])[i] for i, level in enumerate(levels)}
    return {code: rule.above(code, upper) if (upper := above[rule.level(code)]) else "" for code in codes}


def by_prefix(code: str, codes: set[str]) -> str:
    """The longest other code that this one begins with; "" if none."""
    return next((code[:end] for end in range(len(code) - 1, 0, -1) if code[:end] in codes), "")


def by_area(layers: Sequence[Mapping[str, BaseGeometry]]) -> list[dict[str, str]]:
    """Per layer {code: parent's code}; a layer is {code: shape}, largest areas first. Parent = largest common area."""
    result: list[dict[str, str]] = []
    for i, layer in enumerate(layers):
        if i == 0:
            result.append(dict.fromkeys(layer, ""))
            continue
        upper = sorted(layers[i - 1].items())
        tree = shapely.STRtree([shape for _, shape in upper])
        found = {}
        for code, shape in layer.items():
            near = np.sort(tree.query(shape, predicate="intersects"))
            common = [shape.intersection(upper[n][1]).area for n in near.tolist()]
            found[code] = upper[int(near[int(np.argmax(common))])][0] if common and max(common) > 0 else ""
        result.append(found)
    return result


def depths(
    parents: Mapping[str, str], kinds: Mapping[str, str], findings: Findings, lost: Collection[str] = ()
) -> dict[str, int]:
    """{code: level} counted from the top; orphans, circles and parents that are no general grid are errors.

    `lost` are codes that the files have, but with an error of their own: a child of one is no orphan.
    """
    result: dict[str, int] = {}
    for code in parents:
        chain = [code]
        while (above := parents[chain[-1]]) in parents and len(chain) <= MAX_DEPTH:
            chain.append(above)
        if len(chain) > MAX_DEPTH:
            findings.error("circle", code, parent=parents[code], most=MAX_DEPTH)
        elif above:
            if len(chain) == 1 and above not in lost:
                findings.error("orphan", code, parent=above)
        elif kinds.get(parents[code], GENERAL) != GENERAL:
            findings.error("parent_kind", code, parent=parents[code])
        result[code] = len(chain)
    return result
