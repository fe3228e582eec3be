import shutil
from pathlib import Path

import pytest

from framework.errors import PipelineError
from framework.sandbox.state import ProcessRecord, Site, in_use, new_state, read_state, unless_in_use, write_state

RECORD = ProcessRecord(pid=7, started=1.5, port=8080, command=("serve", "it"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_sandbox_that_never_ran_has_no_state(site: Site) -> None:
    assert read_state(site) is None


def test_a_written_state_is_read_back(site: Site) -> None:
    state = new_state(site).with_process("s3", RECORD)

    write_state(site, state)

    assert read_state(site) == state
    assert site.state_file.stat().st_mode & 0o777 == 0o600


def test_a_stopped_process_leaves_its_port_to_the_next_one(site: Site) -> None:
    state = new_state(site).with_process("s3", RECORD).without_process("s3")

    assert state.processes == {}
    assert state.ports == {"s3": 8080}


def test_two_sandboxes_have_different_keys(site: Site) -> None:
    assert new_state(site).secret_key != new_state(site).secret_key


def test_a_copied_state_counts_for_nothing(site: Site, tmp_path: Path) -> None:
    """The processes named in it belong to the folder it was copied from."""
    write_state(site, new_state(site).with_process("s3", RECORD))
    copy = Site(tmp_path / "copy")
    copy.folder.mkdir()
    shutil.copy(site.state_file, copy.state_file)

    assert read_state(copy) is None


def test_a_broken_state_file_is_named(site: Site) -> None:
    site.state_file.write_text("{")

    with pytest.raises(PipelineError, match=r"state\.json is not JSON.*Remove the file"):
        read_state(site)


def test_a_sandbox_in_use_is_known_to_be(site: Site) -> None:
    with in_use(site), unless_in_use(site) as is_unused:
        assert not is_unused
    with unless_in_use(site) as is_unused:
        assert is_unused
