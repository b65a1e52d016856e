from __future__ import annotations

import re
from dataclasses import replace

import invented
import pytest
from printed import shown, without_codes

from metroon.base.account import Account, Delivery
from metroon.base.estimate import Cell, Estimate, without_value
from metroon.serve import (
    INVENTED,
    account_table,
    estimate_rows,
    full_scoreboard,
    measure_table,
    picture,
    problems,
    rows_csv,
    rows_json,
    scoreboard,
)
from metroon.serve.terminal.words import STATES

RUN = invented.run()
CANARY = 0.31337
both = pytest.mark.parametrize("page_of", [scoreboard, full_scoreboard])


def everything(run) -> list[str]:
    """Every face of a run, in every way of printing."""
    pages = [
        scoreboard(run),
        full_scoreboard(run),
        *map(measure_table, run.measured),
        *map(account_table, run.accounts),
    ]
    ways = [{"width": 80}, {"width": 120, "terminal": True}, {"terminal": True, "colour": True}]
    printed = [shown(page, **way) for page in pages for way in ways]
    rows = [estimate_rows(m) for m in run.measured]
    return [*printed, *(picture(p, "t") for p in pages), *map(rows_json, rows), *map(rows_csv, rows)]


def with_hidden_numbers(run):
    """The same run, with numbers left by mistake in every cell that is to have none."""
    leak = {"value": CANARY, "low": 0.3, "high": 0.33, "events": 31337, "base": 31337.0, "unknown": 1}
    return replace(
        run,
        measured=tuple(
            replace(
                m,
                estimates=tuple(
                    e if e.state in ("known", "cannot tell") else replace(e, **leak, worst=0.29, best=0.35)
                    for e in m.estimates
                ),
            )
            for m in run.measured
        ),
    )


def test_a_number_left_in_a_hidden_cell_changes_nothing_that_is_shown_or_exported():
    assert everything(RUN) == everything(with_hidden_numbers(RUN))


def test_no_hidden_number_stands_in_any_rendering():
    assert not [page for page in everything(with_hidden_numbers(RUN)) if re.search(r"31[.,]?337|0\.313|31\.3", page)]


@both
def test_failures_come_before_the_rows_and_the_rows_before_the_measures(page_of):
    page = shown(page_of(RUN))
    order = ["Arroyo Vista", INVENTED, "FAILED OR REFUSED: 3", "WHERE THE ROWS WENT", "MEASURES"]
    order += ["WHAT IS UNKNOWN OR CANNOT BE ANSWERED", "WHAT TO DO NEXT"]

    assert sorted(page.index(part) for part in order) == [page.index(part) for part in order]


@both
def test_a_failure_tells_file_line_what_and_fix(page_of):
    page = shown(page_of(RUN))

    assert "products/code_cases/product.yaml:14" in page
    assert "K101: collect has no kind 'cvs'." in page
    assert "Fix: Did you mean 'csv'?" in page
    assert "readers still see version 5" in page


@both
def test_a_refused_delivery_is_a_failure_with_its_reason(page_of):
    page = shown(page_of(RUN))

    assert "incoming/calls/2014-12b.csv (1,204 records) REFUSED: column 'opened' is missing" in page


@both
def test_rows_that_vanish_are_a_failure(page_of):
    lost = replace(invented.fires(), kept=8_000)
    page = shown(page_of(replace(RUN, accounts=(lost,))))

    assert "DOES NOT ADD UP: 58 records lost." in page


@both
def test_a_walk_that_stopped_or_had_nothing_to_do_is_not_called_loss(page_of):
    stopped = Account("a", "A", "failed", read=10)
    idle = Account("b", "B", "unchanged", version=1, kept=8_058)

    assert "ADD UP" not in shown(page_of(replace(RUN, accounts=(stopped, idle))))


@both
def test_a_run_without_failures_says_so(page_of):
    page = shown(page_of(replace(RUN, accounts=(invented.fires(),), measured=(invented.reached(),))))

    assert "nothing failed, no delivery was refused" in page
    assert "FAILED" not in page


def test_each_product_shows_its_sum():
    page = shown(full_scoreboard(RUN))

    assert "fire_incidents  read  8,058 = kept  8,058 + set aside   0" in page
    assert "service_calls   read 36,200 = kept 34,877 + set aside 119 + refused 1,204" in page
    assert "300 outside every council district · 1,291 without on scene time" in page


@both
def test_unchanged_products_are_one_line(page_of):
    assert "3 products unchanged: parks, budget, trees" in shown(page_of(RUN))


def test_the_headline_has_interval_sample_unknowns_and_their_bounds():
    page = shown(full_scoreboard(RUN))

    assert "79.7 % (78.6–80.8) · n 5,345 · 2015-01 · more is better" in page
    assert "1,092 unknown: between 66.2 % and 83.2 %" in page


@pytest.mark.parametrize("measured", RUN.measured, ids=lambda m: m.measure)
def test_every_told_value_stands_beside_its_interval(measured):
    table = shown(measure_table(measured), width=120)
    without_bounds = re.sub(r"between [\d.]+ % and [\d.]+ %", "", table)

    assert not re.findall(r"\d % (?!\()", without_bounds)


def test_a_value_without_interval_says_so_and_never_plus_minus_nothing():
    bare = Estimate(Cell("2015-01"), "known", 0.0, 0.0, 0.0, 0, 12.0)
    page = shown(measure_table(replace(invented.reached(), estimates=(bare,))))

    assert "0.0 % (no interval)" in page
    assert "0.0–0.0" not in page
    assert "±" not in page


@pytest.mark.parametrize("state", [s for s in STATES if s not in ("known", "cannot tell")])
def test_each_state_has_its_own_words_and_no_other_states(state):
    only = without_value(Cell("2015-01", "district", "1"), state, "")
    page = shown(measure_table(replace(invented.reached(), estimates=(only,), hidden=0, notes=())))
    row = next(line for line in page.splitlines() if line.startswith("District 1"))

    assert ["District 1", STATES[state]] == re.split(r"\s{2,}", row.strip())


def test_states_never_share_words():
    assert len(STATES) == len(set(STATES.values()))


def test_a_wide_interval_is_called_cannot_tell_beside_its_value():
    page = shown(measure_table(invented.requests()))

    assert re.search(r"letter +12 \(5–19\) cannot tell", page)


def test_every_state_of_the_run_is_in_the_full_scoreboard():
    page = shown(full_scoreboard(RUN))

    assert [words for state, words in STATES.items() if state != "known" and words not in page] == []


def test_places_are_told_apart_from_the_city_only_by_their_whole_interval():
    page = shown(full_scoreboard(RUN))

    assert "Council districts (2015): 5 of 10 clearly differ from the city" in page
    assert "cannot tell for 4 of 10" in page
    assert "District 5" not in page


def test_at_most_three_places_stand_on_each_side():
    page = shown(full_scoreboard(replace(RUN, measured=(invented.calls(),), accounts=())))

    assert "7 of 8 clearly differ from the city, 3 shown" in page
    assert len(re.findall(r"kind \d", page)) == 3


def test_boundaries_that_nobody_adopted_are_labelled():
    assert "Neighborhoods (2019 draft, NOT OFFICIAL)" in shown(full_scoreboard(RUN))


def test_less_is_better_turns_the_words_round():
    page = shown(full_scoreboard(RUN))

    assert re.search(r"Old Orchard +57\.0 \(48\.8–65\.7\) +below: better", page)
    assert re.search(r"Alum Creek +100\.5 \(90\.8–110\.7\) +above: worse", page)


@both
@pytest.mark.parametrize("terminal", [True, False])
def test_a_neutral_measure_never_says_better_or_worse(page_of, terminal):
    neutral = tuple(replace(m, direction="neutral") for m in RUN.measured)
    run = replace(RUN, measured=neutral, accounts=(), next_steps=())
    pages = [page_of(run), *map(measure_table, neutral)]

    for page in pages:
        assert not re.search("better|worse|best|worst", shown(page, terminal=terminal, width=120))


@both
def test_counts_are_parts_of_the_city_and_not_compared_with_it(page_of):
    page = shown(page_of(replace(RUN, measured=(invented.requests(),), accounts=())))

    assert re.search("10 counts, not compared with the whole|also by 2 breakdowns", page)
    assert not re.search("above:|below|differ|better|worse", page)


def test_two_points_make_no_trend():
    page = shown(full_scoreboard(replace(RUN, measured=(invented.calls(),), accounts=())))

    assert "2013 to 2014 · too few closed periods to speak of a trend" in page


@both
def test_periods_that_are_not_closed_are_not_drawn(page_of):
    assert "2015-02" not in shown(page_of(RUN))


def test_gaps_of_the_trend_are_named_by_their_states():
    page = shown(full_scoreboard(RUN))

    assert "2014-02 to 2015-01 · 1 hidden for privacy, 1 late" in page


@both
def test_without_colour_the_words_are_the_same(page_of):
    colour = without_codes(shown(page_of(RUN), terminal=True, colour=True))

    assert colour == without_codes(shown(page_of(RUN), terminal=True, colour=False))


@both
def test_a_pipe_gets_the_same_words_without_codes_or_drawn_lines(page_of):
    piped = shown(page_of(RUN), width=112)
    terminal = shown(page_of(RUN), width=116, terminal=True)
    words = [set(re.findall(r"[\w.%–,]+", page)) for page in (piped, without_codes(terminal))]

    assert set() == (words[0] ^ words[1]) - {"less", "more"}
    assert not re.search(r"[\x1b\u2500-\u254b\u2550-\u257f●]", piped)
    assert not re.search(r" $", piped, re.MULTILINE)


@both
@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_line_is_wider_than_the_terminal(page_of, width, terminal):
    pages = [page_of(RUN), *map(measure_table, RUN.measured), *map(account_table, RUN.accounts)]
    printed = "\n".join(without_codes(shown(p, width=width, terminal=terminal)) for p in pages)

    assert width >= max(map(len, printed.splitlines()))


@both
def test_markup_in_names_is_shown_as_it_is(page_of):
    bad = "[red]x[/red] :smile: [link=http://e.vil]y[/link]"
    places = replace(invented.DISTRICTS, title=bad, names={"10": bad})
    measured = replace(invented.reached(), title=bad, geographies=(places,), notes=(bad,), advice=bad)
    account = replace(
        invented.service_calls(),
        product=bad,
        title=bad,
        set_aside={bad: 119},
        late=bad,
        cannot_answer=(bad,),
        deliveries=(Delivery(bad, "0" * 64, 1, 1_204, bad),),
    )
    run = replace(RUN, city=bad, measured=(measured,), accounts=(account,), next_steps=(bad,))
    pages = [page_of(run), measure_table(measured), account_table(account)]
    printed = [re.sub(r"\s+", " ", shown(p, width=400)) for p in pages]

    assert all(page.count("[red]") == page.count("[red]x[/red] :smile") >= 3 for page in printed)
    assert not any("😄" in page for page in printed)


@both
def test_control_codes_and_turned_text_in_names_do_not_reach_the_terminal(page_of):
    bad = "a\x1b[31m\x07\u202eb\r\x9b2J"
    run = replace(RUN, city=bad, measured=(), accounts=(replace(invented.fires(), product=bad),))

    assert not re.search("[\x1b\x07\u202e\r\x9b]", shown(page_of(run)))


@both
def test_an_invented_city_is_labelled_on_every_page_and_a_real_one_on_none(page_of):
    pages = [
        measure_table(RUN.measured[0], is_invented=True),
        account_table(RUN.accounts[0], is_invented=True),
    ]
    real = [page_of(replace(RUN, is_invented=False)), measure_table(RUN.measured[0])]

    assert [INVENTED in shown(p) for p in [page_of(RUN), *pages]] == [True] * 3
    assert [INVENTED in shown(p) for p in real] == [False] * 2


@both
def test_a_run_of_nothing_still_prints(page_of):
    empty = replace(RUN, accounts=(), measured=(), next_steps=())

    assert "Arroyo Vista" in shown(page_of(empty))


def test_the_account_table_shows_every_rule_delivery_and_gap():
    page = shown(account_table(invented.service_calls()))

    assert re.search(r"✗ broken +a call is closed within 400 days +34,877 +61 +warn", page)
    assert "at incoming/calls/2015-01.csv:88" in page
    assert re.search(r"incoming/calls/2015-01.csv +1b7de0000000 +9.1 MB +34,996 +✓ taken", page)
    assert re.search(r"language +31,900 +91.5 %", page)


def test_problems_are_sorted_in_the_words_of_str_and_counted():
    found = [*RUN.accounts[2].problems, *RUN.measured[4].problems]
    page = shown(problems(found))

    assert page.startswith("\n\n".join(str(p) for p in sorted(found)))
    assert page.endswith("2 problems in 2 files.\n")


def test_no_problems_are_said_in_words():
    assert "No problems found." in shown(problems([]))
