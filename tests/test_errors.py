import doctest

import pytest

from merl import errors


def test_the_examples_in_the_docstrings():
    found = doctest.testmod(errors)
    assert found.attempted > 0
    assert found.failed == 0


def test_without_a_near_match_the_allowed_names_are_given():
    assert errors.unknown("task", "zzz", ["b", "a"]) == "unknown task 'zzz'; allowed are a, b"
    many = errors.unknown("task", "zzz", [f"name{i}" for i in range(9)])
    assert many.endswith("name7, ...")


def test_where_nothing_is_allowed_it_says_so():
    assert errors.unknown("task", "zzz", [], "merl tasks") == "unknown task 'zzz'; there is none"


def test_a_name_is_near_whatever_its_case():
    assert "did you mean 'AFIB'" in errors.unknown("entry", "afib", ["1AVB", "2AVB", "AFIB", "SB"])


def test_a_path_that_is_not_there_is_wrong_use_of_its_kind():
    assert errors.wrong_use(errors.DataError("why")).exit_code == 2
    assert errors.DataError("why").exit_code == 1


def test_at_most_three_near_matches():
    assert errors.unknown("class", "IMI", ["AMI", "IMIX", "LMI", "PMI", "IMI_"]).count(" or ") == 2


@pytest.mark.parametrize(
    ("error", "code"), [(errors.RecordError, 1), (errors.UsageError, 2), (errors.ConfigError, 2)]
)
def test_exit_codes(error, code):
    assert error("why").exit_code == code
