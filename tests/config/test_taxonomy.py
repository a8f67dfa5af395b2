from pathlib import Path

import pytest

from config import departments
from config.taxonomy import UNKNOWN, Taxonomy, TaxonomyError

FENCED = ("重点人群", "重点人员", "人脸", "车牌", "上访人", "布控", "轨迹", "face", "plate", "suspect")


def test_nine_groups_each_with_types() -> None:
    taxonomy = Taxonomy.load()
    assert [group.code for group in taxonomy.groups()] == [f"{n:02d}" for n in range(1, 10)]
    assert all(len(taxonomy.leaves(group.code)) >= 3 for group in taxonomy.groups())


def test_types_take_from_their_group_what_they_do_not_say() -> None:
    taxonomy = Taxonomy.load()
    assert taxonomy.get("0102").department == "street"
    assert taxonomy.get("0103").department == "labour"
    assert taxonomy.get("0304").urgency_default == "critical"


def test_unknown_code_is_unclassified() -> None:
    taxonomy = Taxonomy.load()
    assert not taxonomy.known("7777")
    assert taxonomy.get("7777").code == UNKNOWN


def test_names_are_unique_and_inside_the_fence() -> None:
    types = Taxonomy.load().types.values()
    assert len({one.zh for one in types}) == len({one.en for one in types}) == len(types)
    assert not [one for one in types for word in FENCED if word in one.zh or word in one.en.lower()]


def test_departments_have_the_names_of_the_glossary() -> None:
    names = {one.zh for one in departments.load().values()}
    assert names >= {"公安", "消防救援", "应急管理", "生态环境", "卫生健康", "城管", "住建", "街道（镇）"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('department = "labour"', 'department = "nobody"', "0103 names an unknown department"),
        ('code = "0103"', 'code = "0102"', "0102 is given twice"),
        ('code = "0103"', 'code = "0x"', "must be two digits"),
        ('urgency_default = "critical"', 'urgency_default = "red"', "allowed: routine"),
    ],
)
def test_a_wrong_file_names_the_entry(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (Path(departments.FILE).with_name("taxonomy.toml")).read_text(encoding="utf-8").replace(old, new, 1)
    path = tmp_path / "taxonomy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaxonomyError, match=message):
        Taxonomy.load(path)


def test_a_department_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "departments.toml"
    path.write_text('[[department]]\ncode="a"\nzh="甲"\nen="A"\nshort="甲"\n' * 2, encoding="utf-8")
    with pytest.raises(departments.DepartmentsError, match="given twice"):
        departments.load(path)
