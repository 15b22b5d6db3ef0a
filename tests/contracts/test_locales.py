"""What the frontend shows in each language: every node, field and socket, and nothing that is gone."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

LOCALES = Path(__file__).parents[2] / "locales"
LANGUAGES = sorted(path.name for path in LOCALES.iterdir())
FRONTEND = {"ar", "en", "es", "fr", "ja", "ko", "pt-BR", "ru", "tr", "zh", "zh-TW"}
"""Languages one can choose in the oldest frontend we support."""


def read(language, name):
    return json.loads((LOCALES / language / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def english(pack):
    spec = importlib.util.spec_from_file_location("english", Path(__file__).with_name("english.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.english(pack.classes)


def texts(value, path=()):
    """Every text of a locale with the way to it."""
    if isinstance(value, str):
        return {path: value}
    return {where: text for key, below in value.items() for where, text in texts(below, (*path, key)).items()}


def test_english_and_another_language_are_there_and_the_frontend_offers_them():
    assert "en" in LANGUAGES
    assert len(LANGUAGES) > 1
    assert set(LANGUAGES) <= FRONTEND


def test_english_says_what_the_nodes_say(english):
    assert read("en", "nodeDefs") == english, "run tests/contracts/english.py"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_speaks_of_every_node_field_and_socket_and_of_nothing_else(english, language):
    said = texts(read(language, "nodeDefs"))
    assert said.keys() == texts(english).keys()
    assert all(text.strip() for text in said.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translated_tip_has_the_numbers_of_the_english_one(english, language):
    said = texts(read(language, "nodeDefs"))
    for where, text in texts(english).items():
        assert sorted(re.findall(r"\d[\d.x:]*\d|\d", said[where])) == sorted(
            re.findall(r"\d[\d.x:]*\d|\d", text)
        ), where


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_tips_and_descriptions_are_translated(english, language):
    said = texts(read(language, "nodeDefs"))
    same = [where for where, text in texts(english).items() if where[-1] != "name" and said[where] == text]
    assert same == []


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_menus_are_translated_and_no_others(pack, language):
    ours = {part for node in pack.classes.values() for part in node.GET_SCHEMA().category.split("/")}
    said = set(read(language, "main")["nodeCategories"])
    assert said <= ours
    assert "Movie Gen" in said
