"""The verbs of ``metroon guard``: what would leave, who could be found in it, and the proof that nobody can."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from metroon import verb
from metroon.verb import AS_OF, CITY, DONE, FAILED

if TYPE_CHECKING:
    from datetime import date


class _Guard(click.Group):
    """A first word that is no verb is the name of a product or measure."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["name", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Guard, subcommand_metavar="PRODUCT|MEASURE | VERB")
def guard() -> None:
    """Tell what would leave and at which risk; audit, score, register, verify."""


@guard.command("name", hidden=True)
@click.argument("name")
@click.option("--options", is_flag=True, help="Compare other ways to ask, also where nothing has to change.")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@AS_OF
@CITY
@verb.told
def name_(name: str, kind: str, as_of: date | None, folder: str | None, *, options: bool) -> int:
    """Tell what would leave of a product or measure, at which risk, what is hidden and why, and what to change.

    Computed as a run would, and nothing is published. For the city's own people: it comes from hidden numbers too.
    Returns 1 when a run would not publish it.
    """
    from metroon import protection, serve

    found = protection.leaving(verb.walk(verb.load(folder), as_of), name, is_compared=options)
    if kind == "json":
        verb.say_json(serve.leaving_dict(found))
    else:
        verb.show(serve.leaving_page(found))
    return FAILED if found.problems else DONE


@guard.command("score")
@click.argument("name", metavar="PRODUCT|MEASURE")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@AS_OF
@CITY
@verb.told
def score(name: str, kind: str, as_of: date | None, folder: str | None) -> int:
    """Give the publication score of a product or measure, and the single changes that bring it under the limit.

    Points are those of the CalHHS Data De-Identification Guidelines unless city.yaml says other ones under score. A
    score is no audit. Returns 1 when it is above the limit, or nothing would leave.
    """
    from metroon import protection, serve

    found = protection.leaving(verb.walk(verb.load(folder), as_of), name)
    if kind == "json":
        verb.say_json(serve.scores_dict(found))
    else:
        verb.show(serve.scores_page(found))
    return DONE if found.unit == "none" or (found.scored is not None and found.scored.is_low) else FAILED


@guard.command("register")
@click.option("--format", "kind", type=click.Choice(["table", "json", "csv", "markdown"]), default="table")
@AS_OF
@CITY
@verb.told
def register(kind: str, as_of: date | None, folder: str | None) -> int:
    """Show the privacy officer's page: every personal column, its purpose, where it flows, what was released of it."""
    from metroon import register as registers
    from metroon import serve

    found = registers.register(verb.walk(verb.load(folder), as_of))
    if kind == "json":
        verb.say_json({"totals": dict(found.totals), "rows": serve.register_rows(found)})
    elif kind == "csv":
        click.echo(serve.rows_csv(serve.register_rows(found)), nl=False)
    elif kind == "markdown":
        click.echo(serve.register_markdown(found), nl=False)
    else:
        verb.show(serve.register_page(found))
    return DONE


@guard.command("classify")
@click.argument("what", metavar="PRODUCT|FILE")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@CITY
@verb.told
def classify(what: str, kind: str, folder: str | None) -> int:
    """Lay the declared class of each column beside the one that its name and values suggest.

    Nothing leaves the machine and no value is shown. Returns 1 when a column declared public looks like one that must
    not leave: `metroon run` would publish it.
    """
    from dataclasses import asdict
    from pathlib import Path

    from metroon import classification, serve

    if Path(what).is_file():
        found = classification.of_file(Path(what))
    else:
        walk = verb.walk(verb.load(folder), None)
        walk.wanted([what])
        found = classification.of_product(walk, walk.indicators[what].of if what in walk.indicators else what)
    if kind == "json":
        verb.say_json([{**asdict(c), "is_doubtful": c.is_doubtful} for c in found])
    else:
        verb.show(serve.classes_table(what, found))
    return FAILED if any(c.is_doubtful for c in found) else DONE


@guard.command("audit")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--naive", is_flag=True, help="Tell too what hiding only the small numbers would have lost.")
@click.option("--insiders", is_flag=True, help="Look too for what somebody finds who is alone in a cell.")
@click.option("--adopt", is_flag=True, help="First take in what was published without the ledger; needs --by.")
@click.option("--by", default="", help="Who answers for taking it in, such as a role of people.yaml.")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@CITY
@verb.told
def audit(
    names: tuple[str, ...], naive: bool, insiders: bool, adopt: bool, by: str, kind: str, folder: str | None
) -> int:
    """Take the attacker's side over everything ever published: list every cell that can be recovered.

    All editions of all measures of the same people are put together, also of measures that are declared no more. For
    the privacy officer: what is recovered is shown as the attacker has it. Returns 1 when anything can be recovered.
    """
    from metroon import audit as auditing
    from metroon import serve

    walk = verb.walk(verb.load(folder), None)
    if adopt:
        for one in auditing.adopt(walk, by):
            click.echo(f"took in {one}", err=True)
    found = auditing.audit(walk, names, naive=naive, insiders=insiders)
    if kind == "json":
        verb.say_json(serve.audit_dict(found))
    else:
        verb.show(serve.audit_page(found))
    return FAILED if found.found else DONE


@guard.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@CITY
@verb.told
def verify(names: tuple[str, ...], kind: str, folder: str | None) -> int:
    """Check the certificates of all releases again, without a solver: that nobody can be worked out from any.

    For each release the ledger keeps other tables that a reader cannot rule out; they are checked by additions and
    comparisons alone. Returns 1 when a certificate is missing, was changed or does not hold.
    """
    from metroon import serve, verification

    found = verification.verified(verb.walk(verb.load(folder), None), names)
    if kind == "json":
        verb.say_json(serve.certificates_dict(found))
    else:
        verb.show(serve.certificates_page(found))
    return FAILED if any(v.faults for v in found) else DONE


@guard.command("table")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", multiple=True, required=True, help="A dimension: a column, or 'district>area'; repeat it.")
@click.option("--count", default="", help="The column of counts; each row is one event without it.")
@click.option("--total", default="", help="The column that is added up, such as dollars.")
@click.option("--contributor", default="", help="The column that tells whose a row is.")
@click.option("--all", "whole", default="all", help="The word that stands for totals in the file.")
@click.option("--minimum", default=11, help="Counts from 1 to one less are small.")
@click.option("--zeros", type=click.Choice(["public", "sensitive", "known"]), default="public", help="Empty cells.")
@click.option("--category", multiple=True, help="A column that tells of people: no row is all in one category.")
@click.option("--rule", multiple=True, help="p=10, pq=10,50, dominance=1,80, contributors=3, doubt=10 or width=100.")
@click.option("--exact", is_flag=True, help="Look for the least loss and prove it; small tables only.")
@click.option("--seconds", type=float, help="Give up after so much processor time, and then nothing is written.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write what may be shown: CSV or Parquet.")
@click.option("--format", "--as", "kind", type=click.Choice(["table", "json"]), default="table")
@verb.told
def table(file: Path, kind: str, out: Path | None, **given: Any) -> int:
    """Protect a table with totals that stands in FILE: hide what would let people be found in it.

    FILE is CSV or Parquet and needs no city. Its rows are the finest cells; totals are made, or checked when they are
    there. Returns 1, and writes nothing, when anything is not proven.
    """
    from metroon import serve, tables

    found = tables.protect_file(file, given, out=out)
    if kind == "json":
        verb.say_json(serve.totals_dict(found))
    else:
        verb.show(serve.totals_page(found, limit=tables.TOO_MUCH))
    if found.failing:
        return FAILED
    if out is not None:
        tables.save_table(found, out)
        if kind == "table":
            click.echo(f"wrote {out}")
    return DONE


@guard.command("lineage")
@click.argument("product")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@CITY
@verb.told
def lineage(product: str, kind: str, folder: str | None) -> int:
    """Show where the class of each column of a product comes from: the columns it is made of, strictest first."""
    from dataclasses import asdict

    from metroon import serve

    walk = verb.walk(verb.load(folder), None)
    walk.wanted([product])
    found = walk.lineage(walk.indicators[product].of if product in walk.indicators else product)
    if kind == "json":
        verb.say_json([{**asdict(t), "origins": [o._asdict() for o in t.origins]} for t in found])
    else:
        verb.show(serve.lineage_page(product, found))
    return DONE


@guard.command("withdraw")
@click.argument("name", metavar="PRODUCT|MEASURE")
@click.option("--version", "numbers", type=int, multiple=True, help="Which; those that hold what may not leave.")
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--by", default="", help="Who decided it, such as a role of people.yaml.")
@click.option("--yes", is_flag=True, help="Do it; without this it is only told what would go.")
@CITY
@verb.told
def withdraw(name: str, numbers: tuple[int, ...], reason: str, by: str, yes: bool, folder: str | None) -> int:
    """Take published versions away for good: their files are deleted, and doors answer that they are gone.

    Without --version these are the versions that hold a column which may not leave any more. What somebody has
    downloaded, and copies that `metroon build` made, are out of reach.
    """
    from metroon import withdrawal

    walk = verb.walk(verb.load(folder), None)
    versions = withdrawal.chosen(walk, name, numbers)
    if yes:
        withdrawal.withdraw(walk, name, versions, by=by, reason=reason)
    word = "withdrew" if yes else "would withdraw"
    for version in versions:
        holds = f", which holds {', '.join(version.columns)}" if version.columns else ""
        click.echo(f"{word} version {version.number} of {name}, as of {version.as_of}{holds}")
    if not versions:
        click.echo(f"{name}: no published version holds anything that may not leave.")
    elif not yes:
        click.echo("Nothing is deleted yet. Do it with: --yes")
    return DONE


@guard.command("protocol")
@click.argument("names", nargs=-1, metavar="[PRODUCT]...")
@click.option("--write", is_flag=True, help="Draft protocols/PRODUCT.yaml where there is none.")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@CITY
@verb.told
def protocol(names: tuple[str, ...], write: bool, kind: str, folder: str | None) -> int:
    """Tell under which data use protocol each product about people is used, and what is still open.

    Returns 0 when nothing is open, else 1: then nothing new of that product is published.
    """
    from metroon import keeping, serve
    from metroon.city.draft import draft_protocol
    from metroon.city.yaml import shown

    walk = verb.walk(verb.load(folder), None)
    walk.wanted(names)
    names = tuple(walk.indicators[n].of if n in walk.indicators else n for n in names)
    if write:
        for name in names or [n for n, about, _ in keeping.protocols(walk) if not about]:
            click.echo(f"wrote {shown(draft_protocol(walk.city, name, on=date.today()))}")
        return DONE
    found = keeping.protocols(walk, names)
    if kind == "json":
        verb.say_json(serve.protocols_dicts(found, walk.as_of))
    else:
        verb.show(serve.protocols_page(found, walk.as_of, is_invented=walk.city.file.invented))
    return FAILED if any(problems for _, _, problems in found) else DONE


@guard.command("retention")
@click.argument("names", nargs=-1, metavar="[PRODUCT]...")
@click.option("--apply", "is_applied", is_flag=True, help="Destroy what has passed its time and nothing keeps.")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table")
@CITY
@AS_OF
@verb.told
def retention(names: tuple[str, ...], is_applied: bool, kind: str, folder: str | None, as_of: date | None) -> int:
    """Tell which rows have passed their time and what keeps them; with --apply destroy what nothing keeps.

    Returns 0 when nothing has passed its time, else 1.
    """
    from metroon import keeping, serve

    walk = verb.walk(verb.load(folder), as_of)
    walk.wanted(names)
    today = date.today()
    for certificate in keeping.apply(walk, names, today=today) if is_applied else ():
        click.echo(f"destroyed: certificate {certificate.number}, {certificate.product}", err=True)
    found, (certificates, problems) = keeping.due(walk, names, today=today), keeping.certificates(walk)
    on = min(walk.as_of, today)
    if kind == "json":
        verb.say_json(serve.retention_dict(found, certificates, problems, on))
    else:
        verb.show(serve.retention_page(found, certificates, problems, on, is_invented=walk.city.file.invented))
    is_open = any(c["state"] != "done" for c in certificates)
    return FAILED if problems or is_open or any(d.held or d.faults for d in found) else DONE
