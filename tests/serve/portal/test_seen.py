import pytest
import seen as record
from seen import Row, read, seen, write


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "FILE", tmp_path / "clients.tsv")
    monkeypatch.setattr(record, "SEEN", set())
    monkeypatch.delenv("METROON_SEEN", raising=False)
    return tmp_path / "clients.tsv"


def test_a_call_that_was_never_written_down_fails_the_test_that_made_it(file):
    with pytest.raises(AssertionError, match="METROON_SEEN=write"):
        seen("ckan", "ckanapi 4.11", "package_list")


def test_a_call_that_was_written_down_passes_with_a_newer_client(file):
    write({Row("ogc", "GDAL 3.9 (pyogrio 0.10)", "read_info")}, file)

    seen("ogc", "GDAL 3.11.4 (pyogrio 0.12.1)", "read_info")
    with pytest.raises(AssertionError):
        seen("ogc", "QGIS 3.40", "read_info")
    with pytest.raises(AssertionError):
        seen("rest", "GDAL 3.11.4 (pyogrio 0.12.1)", "read_info")


def test_several_processes_add_to_one_file_and_a_newer_client_takes_the_place_of_the_older(file):
    write({Row("ckan", "ckanapi 4.10", "package_list"), Row("ogc", "owslib 0.35", "api")}, file)
    write({Row("ckan", "ckanapi 4.11", "package_list")}, file)

    assert {Row("ckan", "ckanapi 4.11", "package_list"), Row("ogc", "owslib 0.35", "api")} == read(file)


def test_the_last_part_of_a_version_is_not_kept(file, monkeypatch):
    monkeypatch.setenv("METROON_SEEN", "write")
    seen("rest", "httpx2 2.3.4", "get")
    seen("ckan", "ckanapi 4.11, pandas 2.3.3, openpyxl 3.1.5", "files")

    assert {"httpx2 2.3", "ckanapi 4.11, pandas 2.3, openpyxl 3.1"} == {r.client for r in record.SEEN}
