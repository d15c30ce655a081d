"""Descriptions are found by name or path, read with errors that name file and line, and changed by dotted keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from chipsim import catalog
from chipsim.errors import ConfigError

MODEL = {
    "steps": 100,
    "population": [{"name": "input", "size": 64}, {"name": "hidden1", "size": 200}],
    "projection": [{"pre": "input", "post": "hidden1"}],
    "shifts": [3, 4],
    "learning": {"half_width": 0.2, "write": "stochastic"},
}


def problems(action, *arguments) -> tuple:
    with pytest.raises(ConfigError) as caught:
        action(*arguments)
    assert caught.value.exit_code == 2
    return caught.value.problems


@pytest.fixture
def write(tmp_path):
    def write_file(content: str | bytes, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.mark.parametrize("kind", ["hw_configs", "models"])
def test_what_ships_is_found_and_is_toml(kind):
    names = catalog.names(kind)
    assert names and names == sorted(names)
    for name in names:
        path = catalog.find(kind, name)
        assert path.parent == catalog.roots(kind)
        assert catalog.read_toml(path)


def test_a_path_is_taken_as_it_is(write, tmp_path, monkeypatch):
    path = write("steps = 3")
    assert catalog.find("models", path) == path
    assert catalog.find("models", str(path)) == path
    monkeypatch.chdir(tmp_path)
    assert catalog.read_toml(catalog.find("models", "mine.toml")) == {"steps": 3}


def test_unknown_name_lists_the_known_ones_and_suggests():
    (problem,) = problems(catalog.find, "hw_configs", "loihi-1")
    assert (problem.object, problem.value) == ("chip", "loihi-1")
    assert all(name in problem.limit for name in catalog.names("hw_configs"))
    assert "'loihi1'" in problem.hint


@pytest.mark.parametrize("name", ["nowhere/mine.toml", "mine.toml", "nowhere/mine", Path("nowhere") / "mine.toml"])
def test_missing_file(name):
    (problem,) = problems(catalog.find, "models", name)
    assert problem.value == str(name) and "no such file" in problem.limit and "digits" in problem.hint


def test_the_suffix_of_a_shipped_name_is_explained():
    (problem,) = problems(catalog.find, "hw_configs", "loihi1.toml")
    assert "'loihi1'" in problem.hint


def test_a_description_is_a_toml_file(write, tmp_path):
    path = write("a: 1", "mine.yaml")
    (problem,) = problems(catalog.find, "models", path)
    assert ".toml" in problem.limit
    (tmp_path / "folder.toml").mkdir()
    problems(catalog.find, "models", tmp_path / "folder.toml")


def test_syntax_error_names_file_and_line(write):
    path = write("steps = 3\n[learning\nrule = 1\n")
    (problem,) = problems(catalog.read_toml, path)
    assert str(path) in problem.object
    assert (problem.key, problem.value) == ("line 2", "[learning")


def test_syntax_error_at_the_end(write):
    (problem,) = problems(catalog.read_toml, write("steps = 3\ntext = '''never closed"))
    assert problem.key == "line 2"


def test_unreadable_files(write, tmp_path):
    (problem,) = problems(catalog.read_toml, tmp_path / "none.toml")
    assert "No such file" in problem.limit
    (problem,) = problems(catalog.read_toml, tmp_path)
    assert "directory" in problem.limit
    (problem,) = problems(catalog.read_toml, write(b"title = '\xff'"))
    assert (problem.key, problem.value) == ("byte 9", 0xFF)


def test_overrides_reach_tables_and_named_list_elements():
    new = catalog.apply_overrides(MODEL, {"steps": 5, "population.hidden1.size": 7, "learning.half_width": 0.5, "shifts.1": 9})
    assert (new["steps"], new["population"][1]["size"], new["learning"]["half_width"], new["shifts"]) == (5, 7, 0.5, [3, 9])
    assert MODEL["population"][1]["size"] == 200 and MODEL["shifts"] == [3, 4]


def test_overrides_of_lists_without_names_count():
    assert catalog.apply_overrides(MODEL, {"projection.0.gain": 2.0})["projection"][0]["gain"] == 2.0


def test_overrides_may_set_a_key_left_at_its_default_or_a_whole_table():
    new = catalog.apply_overrides(MODEL, {"learning.rule": "ssgd-replay", "schedule": {"passes": 2}, "shifts": [1]})
    assert new["learning"]["rule"] == "ssgd-replay" and new["schedule"] == {"passes": 2} and new["shifts"] == [1]


def test_all_overrides_that_lead_nowhere_are_named_at_once():
    wrong = {"populaton.hidden1.size": 1, "population.hiden1.size": 1, "steps.x": 1, "learning": 3, "shifts.7": 1}
    found = problems(catalog.apply_overrides, MODEL, wrong)
    assert [p.key for p in found] == list(wrong)
    assert ["population" in found[0].hint, "hidden1" in found[1].hint] == [True, True]
    assert "100" in found[2].limit
    assert "half_width" in found[3].hint
    assert "0, 1" in found[4].limit


def test_set_reads_toml_values_and_plain_words():
    given = ["a.b=3", "c = fixed", "d=[1, 2]", "e=1e-3", "f=true", 'g="3"', "h={x=1}", "i=a=b", "j=", "k=1\nl=2", "m=inf"]
    assert catalog.parse_set(given) == {
        "a.b": 3, "c": "fixed", "d": [1, 2], "e": 1e-3, "f": True, "g": "3", "h": {"x": 1}, "i": "a=b", "j": "", "k": "1\nl=2",
        "m": float("inf"),
    }  # fmt: skip


def test_set_names_every_malformed_string():
    found = problems(catalog.parse_set, ["steps", "=3", "a..b=1", "a=1", "a=2"])
    assert [p.value for p in found] == ["steps", "=3", "a..b=1", "a=2"]


def test_data_root(tmp_path, monkeypatch):
    monkeypatch.delenv("CHIPSIM_DATA", raising=False)
    assert catalog.data_root(None) is None
    monkeypatch.setenv("CHIPSIM_DATA", str(tmp_path / "none"))
    (problem,) = problems(catalog.data_root, None)
    assert problem.key == "CHIPSIM_DATA"
    assert catalog.data_root(str(tmp_path)) == tmp_path
    (problem,) = problems(catalog.data_root, str(tmp_path / "nothing"))
    assert problem.key == "--data-dir"


def test_user_cache_is_ours():
    assert catalog.user_cache().name == "chipsim"
