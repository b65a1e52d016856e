"""The command: one verb for each thing a person wants. Rooms are imported when a verb runs, so that help is quick."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from metroon import __version__, verb
from metroon.guarding import guard
from metroon.verb import AS_OF, CITY, DONE, FAILED, FULL, ON, PICTURE, REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.adding import Added
    from metroon.base.account import Run
    from metroon.base.errors import Problem
    from metroon.base.scorecard import Score
    from metroon.city import City
    from metroon.explain import Explanation
    from metroon.walk import Walk

SCHEMAS = ["city", "product", "measure", "contract", "plan", "people", "inventory", "glossary", "protocol", "holds"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="metroon")
def main() -> None:
    """From raw city files to neighborhood results people can trust.

    Start with `metroon demo`, or with your own: `metroon init mycity`, then `metroon add FILE`.
    """


main.add_command(guard)


@main.command()
@click.argument("folder")
@click.option("--name", help="The city's name.")
@verb.told
def init(folder: str, name: str | None) -> None:
    """Start a city repo in FOLDER."""
    from metroon.city.draft import draft_city

    made = draft_city(Path(folder), name or Path(folder).resolve().name)
    for file in made:
        click.echo(f"wrote {file}")
    click.echo(f"\nNext: metroon add FILE --city {folder}")


@main.command()
@click.argument("source")
@click.option("--name", help="The product's name; from the source's name unless named.")
@click.option("--table", help="The table of a database, such as public.permits.")
@click.option("--token-from", metavar="VARIABLE", help="The environment variable that holds a portal's token.")
@click.option("--intranet", multiple=True, metavar="HOST", help="A host of the city's own network. May be repeated.")
@click.option("--option", "more", multiple=True, metavar="NAME=VALUE", help="Any other option of a source elsewhere.")
@click.option("--dataset", metavar="ID", help="With a portal: draft this one of its datasets, by its id or title.")
@click.option("--links/--no-links", default=True, help="With a portal: try every link of its catalog, or none.")
@CITY
@verb.told
def add(
    source: str, name: str | None, table: str | None, token_from: str | None, intranet: tuple[str, ...],
    more: tuple[str, ...], dataset: str | None, folder: str | None, *, links: bool,
) -> None:  # fmt: skip
    """Draft the contract, the product and a first measure for SOURCE.

    SOURCE is a file, a folder of deliveries, a web address (a file, a dataset's page on a Socrata or CKAN portal, an
    ArcGIS layer), or the environment variable that holds a database's address.

    When it is a whole portal, such as https://data.ourcity.gov, its catalog is read into inventory.yaml, and what is
    to be seen to is told; --dataset drafts one of its datasets.
    """
    from metroon.adding import add, meant

    city = verb.city_folder(folder)
    _must_be_city(city)
    options = {k: v for k, v in {"token_from": token_from, "intranet": ",".join(intranet)}.items() if v}
    options |= {name.strip(): value.strip() for name, _, value in (o.partition("=") for o in more)}
    own = [host.strip() for host in options.get("intranet", "").split(",") if host.strip()]
    guess = meant(source, table)
    if guess.what == "portal" and dataset is None:
        _harvested(city, guess.address, own, folder, links=links)
        return
    if guess.what == "portal":
        from metroon.collect.asking import Web
        from metroon.harvest import catalog, chosen

        with Web(city, own) as web:
            guess, known = chosen(verb.load(folder), catalog(guess.address, web), str(dataset))
        name = name or known
    _added(add(city, guess, name=name, on=date.today(), options=options), folder)


def _harvested(city: Path, address: str, intranet: Sequence[str], folder: str | None, *, links: bool) -> None:
    """Read a portal's whole catalog, list it in the inventory, and tell what is to be seen to."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from metroon import serve
    from metroon.city.yaml import shown
    from metroon.collect.asking import Web
    from metroon.harvest import harvest, keep, summary, worst

    declared = verb.load(folder)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Web(city, intranet) as web, Progress(*columns, console=verb.console(stderr=True), transient=True) as progress:
        task = progress.add_task("catalog")
        told = lambda title: progress.update(task, description=title)  # noqa: E731  # one line is enough
        on = declared.file.as_of or date.today()
        made = harvest(address, web, on, reach=web.reach if links else None, told=told)
    wrote = keep(declared, made, serve.rows_csv)
    click.echo(f"{summary(made)}\n")
    for heading, lines in worst(made):
        click.echo(f"{heading}:")
        for line in lines:
            click.echo(f"  {line}")
    click.echo(f"\nwrote {shown(wrote.report)}: every dataset with what is to be seen to")
    if wrote.listed.ids:
        n = len(wrote.listed.ids)
        new = f"{n:,} new entr{'ies' if n != 1 else 'y'}"
        click.echo(f"wrote inventory.yaml: {new}; already there: {wrote.listed.known:,}")
    if wrote.listed.departments:
        n = len(wrote.listed.departments)
        click.echo(f"wrote city.yaml: {n:,} new department{'s' * (n != 1)}: look whether they are yours")
    if wrote.listed.gone:
        click.echo(f"{len(wrote.listed.gone):,} entries are listed there no more: {', '.join(wrote.listed.gone[:5])}")
    at = f" --city {folder}" if folder else ""
    click.echo(f"\nNext: metroon add{at} {address} --dataset ID")


def _added(made: Added, folder: str | None) -> None:
    from metroon.city.yaml import shown

    for file in made.files:
        click.echo(f"wrote {shown(file)}")
    for note in (*made.told, *made.profile.notes):
        click.echo(f"seen: {note}")
    click.echo(
        f"\n{made.profile.rows:,} rows, {len(made.profile.columns)} columns, "
        f"{made.personal} of them suggested as not public."
    )
    click.echo("Read the suggested classifications in contract.yaml: you decide.")
    if made.needs_protocol:
        name = made.name
        click.echo(f"Nothing is published before protocols/{name}.yaml is finished and its window for comments closed.")
    for variable, address in made.sets.items():
        click.echo(f"Its address is read from the environment: set {variable}={address}")
    at = f" --city {folder}" if folder else ""
    click.echo(f"\nNext: metroon check{at}\n      metroon run{at} {made.name}")


def _must_be_city(folder: Path) -> None:
    from metroon.base.errors import Refused
    from metroon.city import no_city

    if not (folder / "city.yaml").is_file():
        raise Refused(no_city(folder))


@main.command()
@click.argument("here", required=False, metavar="[FOLDER]")
@CITY
@verb.told
def check(here: str | None, folder: str | None) -> int:
    """Tell every fault of a city repo at once; touch no row."""
    from metroon.city import load
    from metroon.faults import faults, warned

    found: list[Problem] = []
    city = load(verb.city_folder(here or folder), found)
    found = sorted({*found, *faults(city, city.file.as_of or date.today())})
    if found:
        verb.tell(found)
        return REFUSED
    if doubtful := warned(city, city.file.as_of or date.today()):
        verb.tell(doubtful)
        click.echo("Warnings only: lawful, and worth a thought.")
    n, m = len(city.products), len(city.measures)
    click.echo(f"{city.file.name}: {n} product{'s' * (n != 1)} and {m} measure{'s' * (m != 1)}, no fault.")
    return DONE


@main.command()
@click.argument("names", nargs=-1, metavar="[FOLDER] [PRODUCT|MEASURE]...")
@CITY
@AS_OF
@click.option("--verify", is_flag=True, help="Hash every file again, also those that look the same.")
@FULL
@PICTURE
@click.option("--watch", is_flag=True, help="Stay, and take deliveries in as they come, until Ctrl+C or SIGTERM.")
@click.option("--every", default=2.0, show_default=True, help="With --watch: seconds between two looks.")
@click.option("--settle", default=5.0, show_default=True, help="With --watch: seconds until a file counts as whole.")
@click.option("--fetch", default=15.0, show_default=True, help="With --watch: minutes between two calls elsewhere.")
@verb.told
def run(
    names: tuple[str, ...],
    folder: str | None,
    as_of: date | None,
    every: float,
    settle: float,
    fetch: float,
    picture: Path | None,
    *,
    verify: bool,
    full: bool,
    watch: bool,
) -> int:
    """Take a city from its files to measured neighborhoods.

    Returns 0 when every product has a version and every measure a release (a refused delivery is told, not a
    failure), 1 when one has none or a key is not set, 2 when the city repo has faults.
    """
    chosen = list(names)
    if chosen and folder is None and (Path(chosen[0]) / "city.yaml").is_file():
        folder = chosen.pop(0)
    if watch:
        from metroon.watching import Asked
        from metroon.watching import watch as stay

        if chosen:
            raise click.UsageError("--watch watches the whole city: name no products.")
        at = verb.city_folder(folder)
        stay(Asked(at, as_of, poll_s=every, settle_s=settle, fetch_s=60 * fetch), click.echo)
        return DONE
    return _run(folder, chosen, as_of, verify=verify, full=full, picture=picture)


def _run(
    folder: str | None,
    names: list[str],
    as_of: date | None,
    *,
    verify: bool = False,
    full: bool = False,
    picture: Path | None = None,
) -> int:
    from metroon import serve

    made, scores, problems = _walked(verb.load(folder), as_of, names, verify=verify)
    page = serve.full_scoreboard(made) if full else serve.scoreboard(made, scores=scores)
    verb.show(page)
    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        title = f"metroon {click.get_current_context().info_name}"
        picture.write_text(serve.picture(page, title), encoding="utf-8")
    if problems:
        verb.tell(problems)
        return FAILED
    failed = any(a.version is None or a.outcome == "failed" for a in made.accounts)
    # A key that is not set is no decision to wait for: whoever started the run must set it.
    failed |= any(p.code == "G105" for a in made.accounts for p in a.problems)
    return FAILED if failed or any(m.outcome == "failed" for m in made.measured) else DONE


def _walked(
    city: City, as_of: date | None, names: Sequence[str] = (), *, verify: bool = False
) -> tuple[Run, list[Score], list[Problem]]:
    """A run, the scores of what it released, and what kept the plan's states from being kept; progress is shown."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from metroon import flow, scorecard
    from metroon.watching import with_arrivals

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=verb.console(stderr=True), transient=True) as progress:
        task = progress.add_task("city")
        told = lambda verb, name: progress.update(task, description=f"{verb} {name}")  # noqa: E731  # one line is enough
        walk = verb.walk(city, as_of, verify=verify, told=told)
        made = with_arrivals(walk, flow.run(walk, names))
        progress.update(task, description="scorecard")
        released = {m.measure for m in made.measured if m.version is not None}
        # The plan asks for the scores of all measures; they are computed once for both.
        every = scorecard.scores(walk, () if walk.city.plan is not None else sorted(released))[0] if released else []
        progress.update(task, description="plan")
        problems = _remember_plan(walk, every if released else None)
        return made, [s for s in every if s.measured.measure in released], problems


def _remember_plan(walk: Walk, scores: Sequence[Score] | None) -> list[Problem]:
    """Keep what the plan's states are today; what kept it from that."""
    from metroon import plan
    from metroon.base.errors import Refused
    from metroon.catalog import gather
    from metroon.editions import Known

    try:
        told = None
        if walk.city.plan is not None:
            told = gather(walk, Known(has_news=False), scores=scores, has_news=False).plan
    except Refused as refused:
        return list(refused.problems)
    if told is not None:
        plan.remember(told, walk.store)
    return []


@main.command()
@click.argument("folder", default="arroyo_vista")
@FULL
@PICTURE
@verb.told
def demo(folder: str, full: bool, picture: Path | None) -> int:
    """Build the invented city Arroyo Vista in FOLDER and run it on two days, so that something has changed."""
    from metroon.demo import build, earlier

    made = build(Path(folder))
    click.echo(f"Arroyo Vista, an invented city, is in {made}: every person and number in it is made up.", err=True)
    with earlier(made) as day:
        click.echo(f"First as it was on {day}, before the last files came.\n", err=True)
        _walked(verb.load(str(made)), day)
    code = _run(str(made), [], None, full=full, picture=picture)
    click.echo(f"\nSee it as residents do: metroon serve {folder} --port 8000")
    for path, what in _PAGES_TO_SEE:
        click.echo(f"  http://127.0.0.1:8000{path:<32} {what}")
    return code


_PAGES_TO_SEE = (
    ("/", "what the city promised, and how it stands"),
    ("/neighborhoods/N07", "one neighborhood"),
    ("/datasets/street_lights", "one dataset, its protections and its checks"),
    ("/plan", "the strategy, by its evidence"),
    ("/es", "the same in Spanish"),
    ("/api", "doors for other programs"),
)


@main.command()
@click.argument("names", nargs=-1, metavar="[FOLDER] [MEASURE]...")
@CITY
@ON
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@verb.told
def measure(names: tuple[str, ...], folder: str | None, on: date | None, kind: str) -> int:
    """Count all measures, or some, from the versions that are kept, and show the scorecard.

    No file is read: `metroon run` does both. Returns 0 when every measure has a release, else 1.
    """
    from metroon import flow, scorecard, serve

    chosen = list(names)
    if chosen and folder is None and (Path(chosen[0]) / "city.yaml").is_file():
        folder = chosen.pop(0)
    walk = verb.walk(verb.load(folder), None)
    failed = {m.measure: m for m in flow.measures(walk, chosen) if m.outcome == "failed"} if on is None else {}
    made, without = scorecard.scores(walk, chosen, on=on)
    lacking = {m.measure: failed.get(m.measure, m) for m in without}
    lacking |= {name: m for name, m in failed.items() if not chosen or name in chosen}
    if kind == "json":
        verb.say_json([serve.score_dict(s) for s in made])
    else:
        verb.show(serve.measure_board(made, list(lacking.values()), is_invented=walk.city.file.invented))
    return FAILED if lacking else DONE


@main.command()
@click.option("--since", type=verb.Date(), required=True, help="The day to compare with: what was published by then.")
@CITY
@verb.told
def changes(since: date, folder: str | None) -> None:
    """Tell only what really changed since a day, and how many false alarms to expect."""
    from metroon import scorecard, serve

    walk = verb.walk(verb.load(folder), None)
    verb.show(serve.changes_page(scorecard.changes(walk, since), is_invented=walk.city.file.invented))


@main.command()
@click.argument("goals", nargs=-1, metavar="[GOAL]...")
@CITY
@ON
@click.option("--format", "kind", type=click.Choice(["table", "markdown"]), default="table")
@verb.told
def digest(goals: tuple[str, ...], folder: str | None, on: date | None, kind: str) -> None:
    """One page for each goal, for the council."""
    from metroon import scorecard, serve
    from metroon.base.errors import Problem, Refused

    walk = verb.walk(verb.load(folder), None)
    if not walk.city.file.goals:
        fix = "Declare goals: in city.yaml, and name them in measures: goal: NAME."
        raise Refused([Problem(walk.city.node.file, 0, "M117", "this city has no goals.", fix)])
    pages = scorecard.goal_pages(walk, goals, on=on)
    if kind == "markdown":
        click.echo(serve.digest_markdown(pages, is_invented=walk.city.file.invented))
    else:
        verb.show(serve.digest_page(pages, is_invented=walk.city.file.invented))


@main.command()
@click.argument("here", required=False, metavar="[FOLDER]")
@CITY
@click.option(
    "--on", type=verb.Date(), help="The day to take for today: an earlier one, or a later one to see what expires."
)
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@verb.told
def plan(here: str | None, folder: str | None, on: date | None, kind: str) -> int:
    """Tell the state of every action of the plan, computed from evidence.

    Returns 0 when no action is late, reopened or blocked, else 1.
    """
    from dataclasses import replace

    from metroon import plan as planning
    from metroon import scorecard, serve
    from metroon.base.errors import Problem, Refused
    from metroon.catalog import gather

    walk = verb.walk(verb.load(here or folder), on)
    if walk.city.plan is None:
        fix = "Write one: docs/howto/keep-the-plan.md shows how."
        raise Refused([Problem(walk.city.node.file, 0, "R108", "this city has no plan.yaml.", fix)])
    catalog = gather(walk)
    if on is not None:
        scores = {s.measured.measure: s for s in scorecard.scores(walk, on=on)[0]}
        goals = tuple(scorecard.goal_pages(walk, on=on)) if walk.city.file.goals else ()
        catalog = replace(catalog, scores=scores, goals=goals)
    told = planning.status(catalog, walk.city, walk.store, on)
    if told is None:
        return DONE
    if kind == "json":
        verb.say_json(serve.plan_dict(told))
    else:
        verb.show(serve.plan_page(told, is_invented=walk.city.file.invented))
    states = told.counts()
    return FAILED if states["late"] + states["reopened"] + states["blocked"] else DONE


@main.command()
@click.argument("name")
@CITY
@click.option("--format", "kind", type=click.Choice(["table", "json", "csv", "xlsx"]), default="table")
@ON
@click.option("--version", "number", type=int, help="An earlier version; see metroon history.")
@click.option("--set-aside", is_flag=True, help="Where the rows stand that were set aside, and why.")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --set-aside: a private file for these rows, with what stands in them (xlsx unless --format says more).",
)
@click.option("--cells", is_flag=True, help="Every cell of a measure, instead of what they say.")
@verb.told
def show(
    name: str,
    folder: str | None,
    kind: str,
    on: date | None,
    number: int | None,
    to: Path | None,
    *,
    set_aside: bool,
    cells: bool,
) -> None:
    """Show a product's account and open rows, or what a measure's released numbers say."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from metroon import report, serve
    from metroon.watching import publishing

    if (to is not None or kind == "xlsx") and not (set_aside and to):
        raise click.UsageError("--to and --format xlsx go together with --set-aside: these rows leave to a file alone.")
    walk = verb.walk(verb.load(folder), None)
    invented = walk.city.file.invented
    if name in walk.indicators:
        _show_measure(walk, name, kind, on=on, number=number, cells=cells)
        return
    walk.wanted([name])
    kept = _found(walk, walk.lake.restricted(name, number), name)
    if set_aside:
        _show_set_aside(walk, kept, kind, to)
        return
    account = report.with_places(walk, report.account(walk, name, kept))
    published = _published(walk, kept)
    if kind == "table":
        if took := publishing(walk, name, datetime.now(UTC)):
            account = replace(account, notes=(*account.notes, took))
        verb.show(serve.account_table(account, is_invented=invented))
        told = "Open rows: metroon show NAME --format csv" if published else "No rows of it are published."
        click.echo(told.replace("NAME", name))
        return
    if published is None:
        from metroon.base.errors import Problem, Refused

        users = [n for n, i in walk.indicators.items() if i.of == name]
        fix = "Set releaseMode: rows if no person stands behind a row."
        fix = f"Ask its measures: {', '.join(users)}." if users else fix
        raise Refused([Problem("", 0, "F107", f"no rows of {name} are published: only measures of it leave.", fix)])
    rows = walk.lake.read(published)
    plain = rows.drop(*(c for c, t in rows.schema().items() if t.is_binary()))
    _write(walk.engine.rows(plain), kind)


def _show_set_aside(walk: Walk, kept: Any, kind: str, to: Path | None) -> None:
    """Where they stand and why, for everybody; with what stands in them only into a private file."""
    from metroon.base import private
    from metroon.base.errors import Problem, Refused
    from metroon.collect import RECORD
    from metroon.serve.set_aside import SetAside, set_aside_bytes

    rows = walk.lake.set_aside(kept)
    if to is None:
        plain = rows.drop(*(c for c in rows.columns if c == RECORD))
        _write(walk.engine.rows(plain), "csv" if kind == "table" else kind)
        return
    contract = walk.contracts[kept.name]
    names = [c.name for c in contract.columns]
    aside = SetAside(kept.name, contract.title, kept.number, walk.as_of, names, walk.engine.rows(rows))
    try:
        private.save(set_aside_bytes(aside, "xlsx" if kind == "table" else kind), to)
    except OSError as error:
        fix = "Name a file in a folder that is there and that you may write."
        raise Refused([Problem(str(to), 0, "D112", f"it cannot be written: {error.strerror}.", fix)]) from None
    click.echo(f"wrote {to}: {len(aside.rows):,} rows, readable by you alone. It holds personal data.")


def _show_measure(walk: Walk, name: str, kind: str, *, on: date | None, number: int | None, cells: bool) -> None:
    from metroon import report, scorecard, serve

    release = walk.lake.open(name, number) if number is not None else scorecard.published(walk, name, on)
    release = _found(walk, release, name)
    measured = report.shown(walk, name, release)
    invented = walk.city.file.invented
    if kind != "table":
        _write(serve.estimate_rows(measured), kind, serve.ESTIMATE_COLUMNS)
    elif cells:
        verb.show(serve.measure_table(measured, is_invented=invented))
    else:
        told = scorecard.score(walk, name, release, on or walk.as_of)
        verb.show(serve.score_page(told, is_invented=invented))


def _published(walk: Walk, kept: Any) -> Any:
    # Versions of the open zone have numbers of their own.
    made = walk.lake.history(kept.name, "open")
    numbers = [n for n, told in made.items() if told["restricted_version"] == kept.number]
    return walk.lake.open(kept.name, numbers[-1]) if numbers else None


def _found(walk: Walk, version: Any, name: str) -> Any:
    from metroon.base.errors import Problem, Refused

    if version is None:
        fix = f"See which there are: metroon history {name}. Or make one: metroon run {name}"
        raise Refused([Problem(walk.city.node.file, 0, "F105", f"{name} has no such version.", fix)])
    return version


def _write(rows: Any, kind: str, columns: Any = ()) -> None:
    from metroon import serve

    sys.stdout.write(serve.rows_json(rows) if kind == "json" else serve.rows_csv(rows, columns=columns))


@main.command()
@click.argument("name")
@CITY
@click.option("--version", "number", type=int, help="Show what one version was made of.")
@click.option("--contract", "is_contract", is_flag=True, help="What each edition of the contract promised otherwise.")
@click.option("--drift", "is_drift", is_flag=True, help="What each delivery brought otherwise than those before it.")
@verb.told
def history(name: str, folder: str | None, number: int | None, is_contract: bool, is_drift: bool) -> None:
    """List the versions of a product or measure, and what each was made of."""
    import json

    from rich.table import Table

    walk = verb.walk(verb.load(folder), None)
    walk.wanted([name])
    zone: Any = "open" if name in walk.indicators else "restricted"
    known = walk.lake.history(name, zone)
    if number is not None:
        _found(walk, known.get(number), name)
        click.echo(json.dumps(known[number], indent=2, ensure_ascii=False))
        return
    if is_drift:
        for at, version, delivery, kind, what in walk.store.drifts(name):
            click.echo(f"{at[:10]}  {f'version {version}' if version else 'not taken'}  {delivery}  {kind}: {what}")
        return
    if not known:
        _found(walk, None, name)
    if is_contract:
        _contract_history(name, known)
        return
    kept = walk.store.history(name)
    table = Table(box=None, pad_edge=False)
    for title in ("version", "made at", "as of", "rows kept", "promises kept", "code"):
        is_number = title in ("version", "rows kept", "promises kept")
        table.add_column(title, justify="right" if is_number else "left", no_wrap=True)
    for n, told in sorted(known.items(), reverse=True):
        rows = f"{told['account']['kept']:,}" if "account" in told else ""
        promises = f"{kept[n][0]} of {kept[n][1]}" if n in kept else ""
        code = f"{told['code']['version']} {told['code']['sha256'][:8]}"
        table.add_row(str(n), told["made_at"], told["as_of"], rows, promises, code)
    verb.show(table)


def _contract_history(name: str, known: Any) -> None:
    from metroon import report

    made = report.contract_changes(known)
    if not made:
        click.echo(f"No version of {name} keeps the edition of its contract: it was made by an earlier Metroon.")
    for number, (edition, changes) in sorted(made.items(), reverse=True):
        click.echo(f"version {number}: contract {edition}" + ("" if changes else ", the first that is known"))
        for change in changes:
            click.echo(f"  {change}")


@main.command()
@click.argument("measure")
@click.option("--place", help="Key or name of a place; the whole city unless named.")
@click.option("--group", help="Value of a group; everybody unless named.")
@click.option("--version", "number", type=int, help="An earlier release.")
@CITY
@verb.told
def explain(measure: str, place: str | None, group: str | None, number: int | None, folder: str | None) -> int:
    """Walk a number back to its files, contract and code, and make it again."""
    from metroon.explain import explain as walk_back

    told = walk_back(verb.walk(verb.load(folder), None), measure, place=place, group=group, version=number)
    _explained(told)
    return DONE if told.is_same else FAILED


def _explained(told: Explanation) -> None:
    from metroon import serve

    first = told.estimates[0]
    click.echo(f"{told.measured.title}\n{told.measured.question}\n")
    for row in serve.estimate_rows(_only(told)):
        facts = {k: v for k, v in row.items() if v not in (None, "", "all")}
        click.echo("  " + "  ".join(f"{k} {v:.6g}" if isinstance(v, float) else f"{k} {v}" for k, v in facts.items()))
    if len(told.measured.geographies) and first.cell.geography != "all":
        label = next(g.label for g in told.measured.geographies if g.id == first.cell.geography)
        click.echo(f"  boundaries {label}")
    m = told.measured
    click.echo(f"\nrelease   {m.measure} version {m.version}, made {told.made_at}, as of {told.as_of}")
    click.echo(f"          {told.measured.sha256}")
    click.echo(f"measure   {told.declaration}\n          {told.declaration_sha256}")
    for step in told.steps:
        a = step.account
        aside = sum(a.set_aside.values())
        click.echo(f"product   {a.product} version {a.version}: read {a.read:,} = kept {a.kept:,} + set aside {aside:,}"
                   + (f" + refused {a.refused:,}" if a.refused else ""))  # fmt: skip
        click.echo(f"contract  {step.contract}\n          {step.contract_sha256}")
    for i in told.inputs:
        state = f"{i.state}, refused" if i.is_refused else i.state
        click.echo(f"file      {i.file} ({i.rows:,} records, {state})\n          {i.sha256}")
    click.echo(f"code      {told.code}")
    source = "the input files" if told.again_from == "files" else "the kept versions (files are changed or gone)"
    if told.is_same:
        click.echo(f"\nMade again from {source}: the same hash.")
    else:
        click.echo(f"\nMade again from {source}: NOT the same. {told.why_not}.\n          {told.again_sha256}")


def _only(told: Explanation) -> Any:
    from dataclasses import replace

    return replace(told.measured, estimates=told.estimates)


@main.command()
@click.argument("here", required=False, metavar="[FOLDER]")
@CITY
@AS_OF
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on; 0 for any that is free.")
@click.option("--workers", default=1, show_default=True, help="Processes that serve side by side.")
@click.option("--address", default="", help="The portal's public address, when a proxy stands before it.")
@click.option("--name", "hosts", multiple=True, help="A host name to answer for; any, unless given. May be repeated.")
@click.option("--rate", default=30.0, show_default=True, help="Requests a second from one client; 0 for any number.")
@click.option("--quiet", is_flag=True, help="Write down errors only.")
@verb.told
def serve(
    here: str | None,
    folder: str | None,
    as_of: date | None,
    host: str,
    port: int,
    workers: int,
    address: str,
    hosts: tuple[str, ...],
    rate: float,
    quiet: bool,
) -> None:
    """Serve the portal: pages for people, and doors for programs.

    A new version or a changed declaration shows by itself. Ctrl+C, or SIGTERM, ends it when the answers that have
    begun are out.
    """
    from metroon.serving import Serving, serve

    asked = Serving(
        verb.city_folder(here or folder), as_of, host=host, port=port, workers=workers, address=address, hosts=hosts,
        rate=rate, is_quiet=quiet,
    )  # fmt: skip
    serve(asked, click.echo)


@main.command()
@click.argument("here", required=False, metavar="[FOLDER]")
@CITY
@AS_OF
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to write.")
@click.option("--address", default="", help="Where the copy will be found, such as https://data.example.gov.")
@click.option("--most-rows", default=100_000, show_default=True, help="Larger tables are left to the server.")
@verb.told
def build(here: str | None, folder: str | None, as_of: date | None, to: Path, address: str, most_rows: int) -> None:
    """Write the portal as files: a copy for a machine without a server or without a network.

    The folder is a new one, an empty one, or one that a copy was written to before.
    """
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from metroon.portal import CityPortal
    from metroon.serve.copy import copy

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=verb.console(stderr=True), transient=True) as progress:
        task = progress.add_task("catalog")
        told = lambda path: progress.update(task, description=path)  # noqa: E731  # one line is enough
        portal = CityPortal(verb.city_folder(here or folder), as_of)
        made = copy(portal, to, address=address, most_rows=most_rows, told=told)
    click.echo(f"{made.folder}: {made.pages:,} pages and {made.files:,} other files, {made.size / 1e6:,.0f} MB.")
    if made.only_served:
        shown = ", ".join(made.only_served[:3]) + (" ..." if len(made.only_served) > 3 else "")
        click.echo(f"Pages link to {len(made.only_served):,} paths that only a server answers: {shown}")
    click.echo(f"Serve it at the root of a host, such as: python3 -m http.server -d {to}")


@main.command()
@click.argument("here", required=False, metavar="[FOLDER]")
@CITY
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@verb.told
def asked(here: str | None, folder: str | None, kind: str) -> None:
    """List what people asked the portal's search for and did not find; who asked is not known."""
    from metroon.base.store import Store

    store = Store(verb.load(here or folder).home / "store.sqlite")
    found = store.not_found()
    if kind == "json":
        verb.say_json([{"query": q, "language": language, "times": n, "last": last} for q, language, n, last in found])
        return
    for query, language, n, last in found:
        click.echo(f"{n:>5}  {last}  {language:<7}  {query}")
    if not found:
        click.echo("Nothing was asked for in vain.")


@main.command()
@click.argument("here", required=False, metavar="[CITY]")
@CITY
@click.option("--language", help="Only this language of the portal, such as es.")
@click.option("--write", is_flag=True, help="Add what is missing to portal/translations/, empty, for a translator.")
@verb.told
def words(here: str | None, folder: str | None, language: str | None, write: bool) -> None:
    """Tell how much of the city's own words is translated, and what is missing in each language of the portal."""
    from metroon.base.errors import Problem, Refused
    from metroon.base.node import did_you_mean
    from metroon.catalog import gather
    from metroon.city.yaml import shown
    from metroon.serve import gaps

    walk = verb.walk(verb.load(here or folder), None)
    catalog = gather(walk)
    spoken = gaps.spoken(catalog)
    if language is not None and language not in spoken:
        what = f"the portal of this city is not translated into '{language}'."
        raise Refused([Problem(walk.city.node.file, 0, "S103", what, did_you_mean(language, [*spoken]))])
    if not spoken:
        click.echo("The portal speaks English only; name more languages: in city.yaml.")
    for name in [language] if language else spoken:
        total, lacking = len(gaps.texts(catalog)), gaps.gaps(catalog, spoken[name])
        unconfirmed = "" if spoken[name].is_confirmed else "; nobody has confirmed the machine's translations"
        click.echo(f"{name}: {total - len(lacking):,} of {total:,} texts are translated{unconfirmed}.")
        for gap in lacking:
            click.echo(f"  {gap.text}  ({gap.where})")
        if write:
            file, added = gaps.save(catalog, name)
            click.echo(f"  {added:,} added to {shown(file)}" if added else f"  nothing to add to {shown(file)}")


@main.command()
@click.argument("here", required=False, metavar="[FOLDER]")
@CITY
@click.option("--for", "kind", type=click.Choice(["cron", "systemd"]), default="cron", show_default=True)
@click.option("--user", help="Who runs it; whoever calls this unless named.")
@click.option("--write", type=click.Path(file_okay=False, path_type=Path), help="Write systemd's units into a folder.")
@verb.told
def schedule(here: str | None, folder: str | None, kind: str, user: str | None, write: Path | None) -> None:
    """Print what cron or systemd needs to run this city as often as its contracts promise."""
    import getpass

    from metroon import schedule as scheduling

    told = scheduling.schedule(verb.load(here or folder), user=user or getpass.getuser())
    if kind == "cron" and write is None:
        click.echo(scheduling.cron(told), nl=False)
    else:
        for name, text in scheduling.units(told).items():
            if write is None:
                click.echo(f"# /etc/systemd/system/{name}\n{text}")
                continue
            write.mkdir(parents=True, exist_ok=True)
            (write / name).write_text(text, encoding="utf-8")
            click.echo(f"wrote {write / name}")
    if told.soon:
        click.echo("# Something is promised within an hour of its arrival: watch the city instead (run --watch).")


@main.command()
@click.argument("to", type=click.Path(file_okay=False, path_type=Path))
@CITY
@click.option("--with-data", is_flag=True, help="Take raw files along that lie outside the city's folder.")
@click.option("--keep", type=click.IntRange(1), help="How many backups stay in TO; all unless given.")
@verb.told
def backup(to: Path, folder: str | None, keep: int | None, *, with_data: bool) -> None:
    """Copy the whole city into a new folder below TO, also while a run is at work.

    Files that did not change since the backup before are not written again. Keys for pseudonyms come from the
    environment, and are in no backup: keep them elsewhere.
    """
    from datetime import UTC, datetime

    from metroon.leaving import backup

    made = backup(verb.load(folder), to, at=datetime.now(UTC), with_data=with_data, keep=keep)
    click.echo(f"{made.folder}: {made.files:,} files, {made.size / 1e6:,.1f} MB; {made.copied:,} of them written.")
    if made.removed:
        click.echo(f"{made.removed} older backup{'s' * (made.removed != 1)} removed.")
    click.echo(f"Put it back with: metroon restore {made.folder} FOLDER")


@main.command()
@click.argument("source", metavar="FROM", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.argument("to", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--live",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The city's folder that is still there: its newer ledger and certificates count.",
)
@verb.told
def restore(source: Path, to: Path, live: Path | None) -> None:
    """Put a city back from a backup or an export, into a FOLDER that is empty or not there.

    Every file is hashed first. What was released since the backup stays known, and what was destroyed since stays
    destroyed: the newest ledger and certificates of all backups beside it count.
    """
    from metroon.leaving import restore

    made = restore(source, to, live=live)
    click.echo(f"{made.folder}: {made.files:,} files as they were at {made.made_at}; every hash is right.")
    if made.entries:
        click.echo(f"{made.entries} newer lines of the ledger were kept: what was released since is not forgotten.")
    if made.certificates or made.destroyed:
        click.echo(f"{made.certificates} newer certificates were kept, and {made.destroyed} destroyed files left out.")
    if live is None:
        click.echo(
            "Who was erased and what was withdrawn after the newest backup is not known here: where the city's folder "
            "is still there, restore with --live FOLDER; else do it again before anything is published."
        )
    click.echo(f"Next: metroon run -C {made.folder}")


@main.command()
@click.argument("product")
@click.option("--key", help="The value that tells the person from others; - to be asked for it.")
@click.option("--column", default="", help="The column with the key; the contract's personKey unless named.")
@click.option("--by", default="", help="The role of people.yaml that decided it.")
@click.option("--reason", default="", help="Why, such as the number of the request; no value of the person.")
@click.option("--dry-run", is_flag=True, help="Tell what would go and what stays; nothing is touched.")
@click.option("--lift", type=int, metavar="NUMBER", help="Let rows of an erased person come again, by its certificate.")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@CITY
@verb.told
def erase(
    product: str, key: str | None, column: str, by: str, reason: str, lift: int | None, kind: str,
    folder: str | None, *, dry_run: bool,
) -> None:  # fmt: skip
    """Take a person out of everything that is kept of PRODUCT and of what is made of it, and prove it.

    With --key - the value is taken from METROON_ERASE_KEY, else asked for, so that it stands in no history of commands.
    What was delivered by departments, and what was published in numbers, stays; the certificate says so.
    """
    from metroon import erasing, serve

    walk = verb.walk(verb.load(folder), None)
    if lift is not None:
        made = erasing.lift(walk, product, lift, by=by, reason=reason)
        click.echo(f"certificate {made.number}: rows of the person of certificate {lift} may come again.")
        click.echo(f"Next: metroon run {made.product}")
        return
    value = _secret_key() if key in (None, "-") else key
    if dry_run:
        told = erasing.plan(walk, product, str(value), column=column).told
    else:
        told = dict(erasing.erase(walk, product, str(value), by=by, reason=reason, column=column).told)
    if kind == "json":
        verb.say_json(told)
    else:
        verb.show(serve.erasure_page(told, is_invented=walk.city.file.invented))


def _secret_key() -> str:
    import os

    if given := os.environ.get("METROON_ERASE_KEY"):
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Key of the person", hide_input=True))


@main.command()
@click.argument("to", type=click.Path(file_okay=False, path_type=Path))
@CITY
@click.option("--restricted", is_flag=True, help="Take along what is not public; needs --by.")
@click.option("--by", default="", help="The role or steward of people.yaml who answers for what is not public.")
@verb.told
def export(to: Path, folder: str | None, by: str, *, restricted: bool) -> None:
    """Leave: write all of it as open files (CSV, Parquet, YAML, JSON) into the new folder TO.

    `metroon restore` makes a city of it again, with the same rows and the same numbers.
    """
    from datetime import UTC, datetime

    from metroon.leaving import export

    made = export(verb.walk(verb.load(folder), None), to, at=datetime.now(UTC), restricted=restricted, by=by)
    click.echo(f"{made.folder}: {made.files:,} files, {made.size / 1e6:,.1f} MB.")
    for told in made.left_out:
        click.echo(f"left out: {told}")
    if restricted:
        click.echo("It holds rows about people: only those may have it who may see these.")


@main.command()
@click.argument("room", required=False)
@CITY
@verb.told
def kinds(room: str | None, folder: str | None) -> None:
    """List what `kind:` may say, room by room."""
    from metroon.base import kinds as known
    from metroon.base.errors import Problem, Refused
    from metroon.base.node import did_you_mean

    plugins = verb.city_folder(folder) / "plugins"
    if room and room not in known.rooms():
        raise Refused([Problem("", 0, "K105", f"the room '{room}' has no kinds.", did_you_mean(room, known.rooms()))])
    for name in [room] if room else known.rooms():
        click.echo(name)
        for kind in known.names(name, plugins):
            click.echo(f"  {kind:<12} {known.first_line(name, kind, plugins)}")


@main.command()
@click.argument("what", type=click.Choice(SCHEMAS), required=False)
@click.option("--write", type=click.Path(file_okay=False, path_type=Path), help="Write all of them into a folder.")
@CITY
@verb.told
def schema(what: str | None, write: Path | None, folder: str | None) -> None:
    """Print the JSON Schema that editors use for a file of the city repo."""
    import json

    from metroon.schema import schemas

    made = schemas(verb.city_folder(folder) / "plugins")
    if write:
        write.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (write / f"{name}.schema.json").write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")
            click.echo(f"wrote {write / f'{name}.schema.json'}")
        return
    click.echo(json.dumps(made[what] if what else made, indent=2))


@main.command()
@CITY
@verb.told
def doctor(folder: str | None) -> int:
    """Look whether this machine and this city repo are ready."""
    from metroon.doctor import examine

    found = examine(verb.city_folder(folder))
    for finding in found:
        click.echo(f"{'ok  ' if finding.is_ok else 'MEND'}  {finding.what}")
        if not finding.is_ok:
            click.echo(f"      {finding.fix}")
    return DONE if all(f.is_ok for f in found) else FAILED
