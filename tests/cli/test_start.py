import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "pandas", "faiss", "openai", "langchain_core", "scipy", "sklearn", "numpy"}


def loaded_after(code):
    """Modules that a fresh interpreter holds after some code, as top-level names."""
    script = (
        f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    return set(json.loads(printed.splitlines()[-1]))


def test_importing_merl_is_light():
    assert not loaded_after("import merl; dir(merl)") & (HEAVY | {"pydantic", "typer", "yaml"})


def test_help_is_light():
    code = "from merl.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert not loaded_after(code) & HEAVY


def test_every_public_name_can_be_had():
    import merl

    assert set(dir(merl)) == set(merl.__all__)
    assert all(getattr(merl, name) for name in merl.__all__)
    with pytest.raises(AttributeError, match="no attribute 'load_modle'"):
        _ = merl.load_modle


def test_version(merl):
    from merl import __version__

    assert merl("--version").out == f"merl {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["checkpoint"], ["data"], ["kb"], ["prompts"]])
def test_a_bare_noun_shows_its_verbs(merl, arguments):
    done = merl(*arguments)
    assert done.code == 2
    assert "Commands" in done.out + done.err


@pytest.mark.parametrize("arguments", [["clasify"], ["kb", "find"], ["tasks", "--json"], ["classify"]])
def test_wrong_use_is_code_2(merl, arguments):
    done = merl(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
