"""``sail``: rows are counted by workers, on this machine or on a cluster."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
import weakref
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field
from sqlglot import exp

from metroon.base.engine import CannotRun, Counter, EngineKind, told
from metroon.base.environment import environment
from metroon.base.errors import Problem, Refused
from metroon.base.kinds._portable import portable
from metroon.base.kinds._reading import Reader
from metroon.base.kinds._spark import spark
from metroon.base.kinds._words import STOPPED, Unequal
from metroon.base.sql import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metroon.base.engine import Relation

_SETTINGS = {
    # Else a number would depend on the machine's own time zone, and times without a zone would be given one.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}


class Sail(EngineKind):
    """Counts by a driver and workers that share the rows among them, for tables that one process is too slow for.

    Install it with ``pip install 'metroon[sail]'``. The numbers are those of ``kind: duckdb``: what Sail might count
    in another way is refused by name. Sail speaks the protocol of Spark and needs no Java.

    Args:
        workers: How many workers are started on this machine.
        address: A Sail server that runs already, such as ``sc://sail.city.example:50051``, instead of workers on
            this machine; it must see the city's folder under the same path, and its workers should hand rows to each
            other through files (``SAIL_CLUSTER__SHUFFLE_BACKEND__TYPE=storage``).
    """

    workers: int = Field(2, ge=1, le=64)
    address: str = Field("", pattern=r"^(sc://[^\s;]+)?$")

    def start(self) -> Counter:
        """A driver with its workers, or a session of the server that the address names.

        Raises:
            Refused: Sail is not installed (E102), or it does not start (E103).
        """
        return _Sail(self.workers, self.address)


class _Sail(Counter):
    """One session of a Sail server; the server is its own unless an address is given."""

    def __init__(self, workers: int, address: str = "") -> None:
        self._server: Any = None
        make_server, make_session, connect, self._error = _imported()
        # Only this user may look into it; it goes with the session.
        handed_over = tempfile.mkdtemp(prefix="metroon-sail-")
        self._clean = weakref.finalize(self, shutil.rmtree, handed_over, ignore_errors=True)
        own = {
            "SAIL_MODE": "local-cluster",
            # By memory, its default, Sail 0.7 waits forever where the worker that takes rows is the slower one.
            "SAIL_CLUSTER__SHUFFLE_BACKEND__TYPE": "storage",
            "SAIL_CLUSTER__SHUFFLE_BACKEND__STORAGE__PATH": Path(handed_over).as_uri(),
            "SAIL_CLUSTER__WORKER_INITIAL_COUNT": str(workers),
            "SAIL_CLUSTER__WORKER_MAX_COUNT": str(workers),
            # What it writes of a query may hold values.
            "RUST_LOG": "off",
        }
        try:
            with environment({} if address else own), _quiet():
                if not address:
                    self._server = make_server(ip="127.0.0.1", port=0)
                    self._server.start(background=True)
                    address = "sc://{}:{}".format(*self._server.listening_address)
                self._session = make_session.remote(address).create()
                patient = self._session.client.get_retry_policies()
                # As they are, an address with nobody behind it would be tried for ten minutes.
                self._session.client.set_retry_policies([type(p)(max_retries=4) for p in patient])
                self._ibis = connect(self._session)
                for name, value in _SETTINGS.items():
                    self._session.conf.set(name, value)
                self._session.sql("select 1").toArrow()
                self._session.client.set_retry_policies(patient)
        except (self._error, OSError, RuntimeError) as error:
            what = f"the engine 'sail' does not start ({type(error).__name__})."
            fix = "Check 'engine:' in city.yaml: its address, and whether this machine lets programs open ports."
            raise Refused([Problem("city.yaml", 0, "E103", what, fix)]) from None
        self._names = (f"_metroon_{n}" for n in count())

    def parquet(self, files: Sequence[str]) -> Relation:
        """A relation over Parquet files of one schema.

        Raises:
            OSError: A file cannot be read, here or by Sail.
        """
        paths = [Path(f).absolute() for f in files]
        rows = sum(pq.read_metadata(p).num_rows for p in paths)
        # As an address: in a plain path Sail takes brackets and stars for a pattern, and a file that it does not
        # find for one without rows.
        with self._told():
            frame = self._session.read.parquet(*("file://" + quote(p.as_posix()) for p in paths))
            if frame.columns and frame.count() == rows:
                return self._view(frame)
        raise OSError("Sail does not see all rows of a file; it must have the city's folder under the same path")

    def table(self, rows: pa.Table) -> Relation:
        """A relation over an Arrow table."""
        with self._told():
            return self._view(self._session.createDataFrame(rows))

    def with_column(self, relation: Relation, name: str, expression: str) -> Relation:
        """The relation with one more column, computed by a SQL expression that was parsed before.

        Raises:
            CannotRun: It names columns that are not there, or types that do not fit each other.
            Refused: Sail may give another value for it than DuckDB does (E104).
        """
        with self._told():
            # What Sail gives has its types; of some Ibis believes others.
            whole = self._view(self._session.sql(self._text(relation)))
        with told(), _equal(expression):
            reader = Reader(whole.schema().to_pyarrow())
            made = spark(reader, reader.read(expression))
        with self._told():
            columns = [exp.column(c, quoted=True) for c in relation.columns]
            query = exp.select(*columns, exp.alias_(made, name, quoted=True)).from_(exp.to_table(whole.get_name()))
            return self._view(self._session.sql(query.sql(dialect="spark")))

    def fetch(self, relation: Relation) -> pa.Table:
        """The rows of a relation, as Arrow.

        Raises:
            CannotRun: A value does not fit what a query asks for.
            Refused: Sail may give other rows for it than DuckDB does (E104).
        """
        with self._told():
            found: pa.Table = self._session.sql(self._text(relation)).toArrow()
        return found

    def close(self) -> None:
        """End the session, and the server with its workers when they are its own."""
        server, self._server = self._server, None
        with _quiet():
            self._session.stop()
        if server is not None:
            server.stop()
        self._clean()

    def _text(self, relation: Relation) -> str:
        with _equal("a measure"):
            return str(ibis.to_sql(portable(relation), dialect="pyspark"))

    def _view(self, frame: Any) -> Relation:
        name = next(self._names)
        frame.createOrReplaceTempView(name)
        return self._ibis.table(name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What Sail says of a query, told without a value."""
        try:
            yield
        except self._error as error:
            why = "a value does not fit the type or the function that it is given to"
            # Of what else it says nobody knows whether it holds a value.
            raise CannotRun(why if STOPPED in str(error) else f"Sail stopped it ({type(error).__name__})") from None


def _imported() -> tuple[Any, Any, Any, type[Exception]]:
    try:
        # Without it the client ends a process that was started as python -c.
        with _quiet(), environment({"SPARK_HOME": os.environ.get("SPARK_HOME", "")}):
            # Here, for they wait for the extra 'sail', and take longer than all the rest.
            from pysail.spark import SparkConnectServer
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession

            return SparkConnectServer, SparkSession.builder, ibis.pyspark.connect, PySparkException
    except ImportError as error:
        what = f"the engine 'sail' needs a package that is not installed: {error.name or type(error).__name__}."
        fix = "Type: pip install 'metroon[sail]' - or take 'engine:' out of city.yaml to count with DuckDB."
        raise Refused([Problem("city.yaml", 0, "E102", what, fix)]) from None


@contextmanager
def _equal(expression: str) -> Iterator[None]:
    """What may differ between the engines, told as a problem of the expression."""
    try:
        yield
    except (Unequal, NotAllowed) as error:
        what = f"Sail may count this in another way than DuckDB: {error}, in {' '.join(expression.split())}."
        fix = "Write it in another way, make a column of it in a product's query, or take 'engine:' out of city.yaml."
        raise Refused([Problem("city.yaml", 0, "E104", what, fix)]) from None


@contextmanager
def _quiet() -> Iterator[None]:
    # The client warns of versions of packages that it does not use here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
