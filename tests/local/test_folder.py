import os
import subprocess
import sys

import pytest
from study_operator.backends.local import Lock, Occupied
from study_operator.backends.local.durable import write_file
from study_operator.backends.port import Foreign, Gone, Refused, StudyRef
from study_operator.results.trial import Trial, TrialStatus

from tests.local.engines import REF, spec

FULL = """
import resource, sys
from pathlib import Path
from study_operator.backends.local.durable import write_file
from study_operator.backends.port import Exhausted
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    write_file(Path(sys.argv[1]), "x" * 1000)
except Exhausted as full:
    print(full)
"""


def test_a_write_that_does_not_fit_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "status.yaml"
    write_file(file, "old")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", FULL, file], env=environment, capture_output=True, text=True)
    assert f"{file} cannot be written: File too large. Make room and it goes on." in said.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["status.yaml"]
    assert file.read_text() == "old"


def test_a_folder_that_is_gone_is_told_as_gone(tmp_path):
    with pytest.raises(Gone):
        write_file(tmp_path / "removed" / "status.yaml", "new")


def test_a_lock_names_the_process_that_holds_it_and_goes_with_it(tmp_path):
    lock = Lock(tmp_path / "lock")
    with pytest.raises(Occupied, match=str(os.getpid())):
        Lock(tmp_path / "lock")
    lock.release()
    Lock(tmp_path / "lock").release()


def test_trials_come_back_in_the_order_of_their_indices(engine):
    for index in (10, 2, 0):
        engine.folder.write_trial(REF, Trial(spec(index), TrialStatus()))
    assert [trial.spec for trial in engine.folder.trials()] == [spec(0), spec(2), spec(10)]


def test_a_trial_of_another_life_of_the_study_is_foreign(engine):
    engine.folder.write_trial(REF, Trial(spec(), TrialStatus()))
    with pytest.raises(Foreign):
        engine.folder.trial(StudyRef(REF.key, "uid-2"), "study-0")


def test_a_file_that_is_no_trial_is_named(engine):
    (engine.folder.trials_path / "study-3.json").write_text('{"spec": {"study": 1}}')
    with pytest.raises(Refused, match=r"study-3\.json cannot be read as a trial"):
        engine.folder.trials()
