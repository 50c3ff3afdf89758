"""An account of every row: what becomes a ticket, what is put aside, and why."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.taxonomy import Taxonomy
from triage_ml.tickets import check_table
from triage_ml.tickets.importing import Imported

Import = Callable[..., Imported]


def test_rows_that_cannot_be_used_are_put_aside_whole(imported: Import) -> None:
    result = imported(
        "ticket_id,title,opened_at,region\n"
        "1,a,2026-11-22 03:04,EU\n"
        "2,,2026-11-22 03:04,EU\n"
        "3,c,yesterday,US\n"
        ",d,2026-11-22 03:04,US\n"
        "5,e,2026-11-22 03:04,EU,too much\n"
    )
    assert result.frame["ticket_id"].tolist() == ["1"]
    assert (result.rows, result.unusable, result.superseded) == (5, 4, 0)
    assert result.aside[["import_row", "import_reason"]].values.tolist() == [
        [3, "title and description are empty"],
        [
            4,
            "column opened_at: expected a time like 2026-11-22 03:04:05, 22.11.2026 03:04, 11/22/2026 3:04 PM or epoch seconds, "
            "found xxxxxxxxx",
        ],
        [5, "column ticket_id: expected an id, found none"],
        [6, "expected 4 fields as in the header, found 5"],
    ]
    assert result.aside["region"].tolist()[:3] == ["EU", "US", "US"]
    assert result.aside["import_line"].iloc[3] == "5,e,2026-11-22 03:04,EU,too much"


def test_a_later_delivery_replaces_an_earlier_one(imported: Import) -> None:
    result = imported("ticket_id,title\n1,old\n2,b\n1,newer\n1,newest\n")
    assert dict(zip(result.frame["ticket_id"], result.frame["title"], strict=True)) == {"2": "b", "1": "newest"}
    assert (result.unusable, result.superseded) == (0, 2)
    assert result.aside["import_reason"].tolist() == ["the ticket comes again: t.csv, row 5"] * 2


def test_an_unusable_delivery_replaces_nothing(imported: Import) -> None:
    result = imported("ticket_id,title\n1,good\n1,\n")
    assert result.frame["title"].tolist() == ["good"]


def test_without_ids_rows_are_numbered_and_it_says_so(imported: Import) -> None:
    result = imported("title\na\nb\n")
    assert result.frame["ticket_id"].tolist() == ["row-1", "row-2"]
    assert "No column is mapped to ticket_id: ids are row-1, row-2, … in the order of the rows." in result.notes


def test_groups_get_their_name_of_today_and_give_the_tier(imported: Import) -> None:
    result = imported("ticket_id,title,group,tier\n1,a,sd berlin,\n2,b,Database,\n3,c,Helpdesk,l2-euc\n4,d,Nobody,\n")
    assert result.frame["assignment_group"].tolist() == ["Service Desk", "Database", "Service Desk", "Nobody"]
    assert result.frame["tier"].tolist()[:3] == ["L1", "L3", "L2-EUC"]
    assert pd.isna(result.frame["tier"].iloc[3])
    assert result.notes == (
        "1 groups are not in the taxonomy ('Nobody'); 1 tickets get no tier from them.",
        "2 tickets got their tier from their group.",
    )


def test_without_a_tier_column_the_group_gives_one(imported: Import) -> None:
    result = imported("ticket_id,title,category,group\n1,a,x,Database\n")
    assert list(result.frame.columns) == ["ticket_id", "title", "description", "tier", "category", "assignment_group"]
    assert result.frame["tier"].tolist() == ["L3"]


def test_groups_without_a_taxonomy_are_said(imported: Import) -> None:
    result = imported("ticket_id,title,group\n1,a,Desk\n", taxonomy=Taxonomy())
    assert result.notes == ("1 groups, but the taxonomy has none, so they give no tier; name a file with --taxonomy.",)
    assert "tier" not in result.frame


def test_a_tier_that_the_taxonomy_does_not_have(imported: Import) -> None:
    message = (
        "t.csv, row 3, column tier: expected one of L0, L1, L2, L2-EUC, NOC, L3, found 'L5' (2 such rows).\n"
        "Add the tier to the taxonomy file (--taxonomy), or map another column to tier."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        imported("ticket_id,title,tier\n1,a,L1\n2,b,L5\n3,c,L6\n")


def test_ticket_text_in_the_wrong_column_stays_out_of_the_message(imported: Import) -> None:
    secret = "my password is hunter2 and I live in Berlin, please help me"
    with pytest.raises(InputError, match=r"found a text of 59 characters \(1 such rows\)") as caught:
        imported(f'ticket_id,title,tier\n1,a,"{secret}"\n')
    assert "hunter2" not in str(caught.value)


def test_requesters_are_hashed(imported: Import) -> None:
    result = imported("ticket_id,title,caller_id\n1,a,Jo Doe\n2,b,\n")
    assert result.frame["requester_id"].tolist()[0] == "p-6"
    assert pd.isna(result.frame["requester_id"].iloc[1])


def test_effort_and_counts_are_read_and_what_cannot_be_is_counted(imported: Import) -> None:
    result = imported("ticket_id,title,effort,reopens\n1,a,1:30,2\n2,b,soon,\n3,c,-5,x\n4,d,,1\n")
    assert result.frame["effort_minutes"].tolist()[0] == 90
    assert result.frame["effort_minutes"].isna().tolist() == [False, True, True, True]
    assert result.frame["reopen_count"].tolist() == [2, pd.NA, pd.NA, 1]
    assert result.notes == (
        "t.csv, row 3, column 'effort' (effort_minutes): expected a duration like 90, 1:30, PT1H30M or 1 h 30 m, found xxxx; "
        "2 such values were left out.",
        "t.csv, row 4, column 'reopens' (reopen_count): expected a whole number, found x; 1 such values were left out.",
    )


def test_times_are_read_in_the_given_zone(imported: Import) -> None:
    result = imported("ticket_id,title,opened\n1,a,22.11.2026 03:04\n", timezone="Europe/Berlin")
    assert result.frame["opened_at"].iloc[0] == pd.Timestamp("2026-11-22T02:04Z")
    assert str(result.frame["opened_at"].dtype) == "datetime64[us, UTC]"


def test_other_columns_are_carried_along_under_their_names(imported: Import) -> None:
    result = imported("ticket_id,title,kind,category,urgency\n1,a,x,y, 3 \n", mapping={"category": "kind"})
    assert result.others == ("source_category", "urgency")
    assert result.frame[["category", "source_category", "urgency"]].values.tolist() == [["x", "y", "3"]]
    assert result.matched == {"ticket_id": "ticket_id", "title": "title", "category": "kind"}


def test_the_result_is_a_ticket_table(imported: Import) -> None:
    check_table(imported("title,opened\na,1763780645\nb,\n").frame)


def test_windows_1252_is_read_and_said(imported: Import) -> None:
    result = imported("ticket_id,title\n1,a\n2,Büro\n".encode("cp1252"))
    assert result.frame["title"].tolist() == ["a", "Büro"]
    assert result.notes == (
        "t.csv: not UTF-8 (row 3); read as Windows-1252. Look at the umlauts and accents; if they are wrong, save the file as "
        "UTF-8.",
    )


def test_columns_of_one_name_are_told_apart(imported: Import) -> None:
    result = imported("ticket_id,title,note,note,\n1,a,x,y,z\n")
    assert result.frame[["note", "note_2", "column_5"]].values.tolist() == [["x", "y", "z"]]
    assert result.notes == (
        "t.csv: columns without a name or with the name of another were renamed: 'note_2', 'column_5'.",
    )


def test_no_row_can_be_used(imported: Import) -> None:
    with pytest.raises(
        InputError, match=r"^t\.csv, row 2: expected 2 fields as in the header, found 1; none of 2 rows can be read\.$"
    ):
        imported("ticket_id,title\n1\n2\n")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "Number,Short Description,Description",
            {"ticket_id": "Number", "title": "Short Description", "description": "Description"},
        ),
        ("Issue key,Summary,Created", {"ticket_id": "Issue key", "title": "Summary", "opened_at": "Created"}),
        (
            "INCIDENT_NUMBER,DESCRIPTION,DETAILED_DECRIPTION",
            {"ticket_id": "INCIDENT_NUMBER", "title": "DESCRIPTION", "description": "DETAILED_DECRIPTION"},
        ),
        ("id,subject,description_text", {"ticket_id": "id", "title": "subject", "description": "description_text"}),
        (
            "Nummer,Kurzbeschreibung,Beschreibung,Kategorie,Zuweisungsgruppe",
            {
                "ticket_id": "Nummer",
                "title": "Kurzbeschreibung",
                "description": "Beschreibung",
                "category": "Kategorie",
                "assignment_group": "Zuweisungsgruppe",
            },
        ),
    ],
    ids=["ServiceNow", "Jira", "BMC Helix", "Freshservice", "in German"],
)
def test_names_of_ticket_systems_are_known(imported: Import, header: str, expected: dict[str, str]) -> None:
    row = ",".join("2026-11-22" if name == "Created" else "x" for name in header.split(","))
    assert imported(f"{header}\n{row}\n").matched == expected
