"""Tables: ours for a spreadsheet, and anybody's."""

import csv
import io
from datetime import timedelta

import pytest
from cast import add_moderator, add_site, reply, stored
from hypothesis import given
from hypothesis import strategies as st

from service import database, moderation
from service.accounts import Moderator
from service.exchange import csvs
from service.exchange.record import Addresses, Troubles, Unreadable
from service.models import Comment
from service.status import Markup, Status

HEAD = "id,url,name,comment,date,status\n"
ROW = "1,https://daily.example/review,Rita,Hear,2020-01-02,approved\n"
CELLS = st.text(
    st.sampled_from("=+-@＝＋－＠\t\r\n'\";,ab ") | st.characters(exclude_categories=["Cs"])
)


def read(content, encoding="utf-8"):
    troubles = Troubles()
    given_ = content if isinstance(content, bytes) else content.encode(encoding)
    records = list(csvs.read(io.BytesIO(given_), Addresses(), troubles))
    return records, "\n".join(troubles.lines())


@given(CELLS)
def test_any_cell_comes_back_as_it_was_and_is_no_formula(cell):
    safe = csvs.escaped(cell)
    assert safe[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert csvs.unescaped(safe) == cell


@given(st.lists(CELLS, min_size=2, max_size=5))
def test_any_row_comes_back_as_it_was(cells):
    line = csvs._row([csvs.escaped(cell) for cell in cells])
    (back,) = csv.reader(io.StringIO(line, newline=""), strict=True)
    assert [csvs.unescaped(cell) for cell in back] == cells


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "'=1", "''+x", "'quoted'", "'"])
def test_a_name_that_is_a_formula_is_none_in_a_spreadsheet(cell):
    assert csvs.escaped(cell) == (cell if cell in ("'quoted'", "'") else f"'{cell}")


def test_an_export_is_a_table_with_a_head_and_a_row_for_each_comment(app):
    add_site(app)
    mo = add_moderator(app)
    client = app.test_client()
    reply(app, client, comment='=SUM(A1)\n\nTwo; "lines"', name="-Zoë")
    with app.app_context(), database.writing() as session:
        moderation.decide(
            session, session.get_one(Comment, 1), Status.APPROVED, 1, session.get_one(Moderator, mo)
        )
    reply(app, client, comment="Two", parent=stored(app)[0].public_id, nonce="n")
    done = app.test_cli_runner().invoke(args=["export", "csv", "-", "--site", "daily"])
    content = done.stdout_bytes
    assert content.startswith(b"\xef\xbb\xbfid,parent,article,")
    assert b"email" not in content
    first, second = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert (first["text"], first["author"]) == ('\'=SUM(A1)\n\nTwo; "lines"', "'-Zoë")
    assert first["created_at"].endswith("Z")
    assert second["parent"] == first["id"]
    assert "2 comments" in done.stderr
    done = app.test_cli_runner().invoke(
        args=["export", "csv", "-", "--site", "daily", "--with-emails"]
    )
    assert "rita.reader@example.org" in done.stdout


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_as_programs_write_it(encoding, mark, end):
    table = (
        f"E-Mail,Comment Content,URL,Author,Created At,State\n,Zoë,{ROW[2:30]},Zoë,2020-01-02,0\n"
    )
    (found,), troubles = read(table.replace(",", mark).replace("\n", end), encoding)
    assert (found.text, found.author, found.state) == ("Zoë", "Zoë", Status.PENDING)
    assert (found.created_at.year, found.markup) == (2020, Markup.MARKDOWN)
    assert not troubles


def test_replies_find_their_parents_and_cells_may_have_lines():
    table = (
        "id,parent,article,author,text\n"
        '1,0,https://daily.example/a,Rita,"One,\r\n\r\n""two"""\n,,,,\n'
        "2,1,https://daily.example/a,Omar,'=x\n"
    )
    (first, second), troubles = read(table)
    assert (first.text, first.source_parent) == ('One,\n\n"two"', None)
    assert (second.text, second.source_parent, second.state) == ("=x", "1", Status.APPROVED)
    assert "no column for the status: all taken as published" in troubles


def test_the_line_by_which_excel_says_what_separates_cells_is_no_row():
    (found,), _ = read("sep=;\r\n" + "url;name;text\r\nhttps://daily.example/a;Rita;a, b, c\r\n")
    assert (found.author, found.text) == ("Rita", "a, b, c")


def test_a_row_may_be_short_and_the_last_without_an_end():
    assert len(read(HEAD + "1,https://daily.example/a,Rita,Hear\n" + ROW.rstrip())[0]) == 2


def test_cells_without_anything_beside_the_table_are_no_cells():
    assert len(read(HEAD + ROW.replace("\n", ",, \n"))[0]) == 1


def test_of_columns_that_may_be_the_same_the_surest_is_taken_wherever_it_stands():
    table = (
        "username,URL,authorName,link,Comment Text,createdAt,date\nr77,{0}a,Rita,{0}b,Hear,{1},\n"
    )
    (found,), _ = read(table.format("https://daily.example/", "2020-01-02"))
    assert (found.author, found.article_url[-2:], found.text) == ("Rita", "/a", "Hear")
    assert found.created_at.day == 2


@pytest.mark.parametrize(
    "written",
    [
        "2020-01-02T03:04:05Z",
        "2020-01-02 04:04:05.5+01:00",
        "2020-01-02 03:04:05 UTC",
        "2020-01-01 22:04:05 -0500",
        "2020-01-02 03:04:05.123456789 +0000 UTC",
        "2020/1/2 3:04:05",
        "02.01.2020, 03:04:05",
        "Thu, 02 Jan 2020 03:04:05 GMT",
        "2 Jan 2020 04:04:05 +0100",
        "1577934245",
        "1577934245.25",
        "1577934245123",
    ],
)
def test_a_date_is_read_as_programs_write_it(written):
    (found,), _ = read(HEAD + ROW.replace("2020-01-02", f'"{written}"'))
    assert found.created_at.isoformat()[:19] == "2020-01-02T03:04:05"
    assert found.created_at.utcoffset() == timedelta()


@pytest.mark.parametrize(
    "written",
    ["31.12.2020", "12.2020", "40.1.2020 1:00", "2020-1-1 99:00", "12/31/2020", "12345678901"],
)
def test_what_may_be_another_day_is_no_date(written):
    (found,), _ = read(HEAD + ROW.replace("2020-01-02", written))
    assert found.created_at.date().isoformat() in ("1970-01-01", "2020-12-31")
    assert (found.created_at.year == 2020) == (written == "31.12.2020")


def test_columns_that_say_what_became_of_a_comment_are_heard():
    table = "url,name,text,is_deleted,isSpam,pinned,likes\n"
    cells = ("0,false,false,2.0", "True,,1,", ",1,,")
    records, _ = read(table + "".join(f"https://daily.example/a,Rita,Hear,{c}\n" for c in cells))
    assert [r.state for r in records] == [Status.APPROVED, Status.DELETED, Status.SPAM]
    assert [(r.is_pinned, r.likes) for r in records] == [(False, 2), (True, 0), (False, 0)]


@pytest.mark.parametrize("written", ["", "0", "NULL", "nan", "\\N", "None", "root"])
def test_a_parent_that_is_nobody_is_none(written):
    table = f"id,parent,url,name,text\n1.0,{written},https://daily.example/a,Rita,Hear\n"
    (found,), _ = read(table)
    assert (found.source_id, found.source_parent) == ("1", None)


def test_numbers_with_a_nought_behind_the_point_are_the_same_ids():
    table = "id,parent,url,name,text\n1,,https://daily.example/a,Rita,Hear\n"
    records, _ = read(table + "2,1.0,https://daily.example/a,Rita,Hear\n")
    assert records[1].source_parent == records[0].source_id


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "first row names no columns"),
        ("\n" + HEAD, "first row names no columns"),
        ("a,b\n1,2\n", "no column article or url and none author or name and none text"),
        ("url,name\n", "names no column text or comment"),
        ("url,name,text,Text\n", "two columns for the text"),
        ("sep=;\n\n", "first row names no columns"),
        ("sep=;\nurl;name;text\n\n1;2;3;4\n", "row 4 has 4 cells, the first row 3"),
        (HEAD + ROW + "1,2,3,4,5,6,7\n", "row 3 has 7 cells, the first row 6"),
        (HEAD + ROW + ROW[:40], "it ends too early: row 3 has 4 of 6 cells"),
        (HEAD + ROW + '1,"a\n', "row 3 cannot be read: a quotation mark is not closed"),
        ((HEAD + ROW).encode() + b"2,\xff\n", "row 3 is not in UTF-8"),
        (HEAD + '1,"' + "a\n" * csvs.LONGEST, "row 2 is longer than"),
        (HEAD + "a" * (csvs.LONGEST + 1), "row 2 is longer than"),
        ("x" * (csvs.LONGEST + 1), "row 1 is longer than"),
        (b"\xff\xfe\x00", "row 1 is not in UTF-8"),
        (b"SQLite format 3\x00" + bytes(range(256)), "row 1|first row"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_table_is_one_line(content, words):
    with pytest.raises(Unreadable, match=words):
        read(content)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("url,name,text,colour\n", "column that we do not know: left out (id colour)"),
        (HEAD + ROW.replace("https:", "no"), "without an address: left out"),
        (HEAD + ROW.replace("2020-01-02", "2/1/2020"), "no date that can be read"),
        (HEAD + ROW.replace("2020", "2999"), "date in the future: kept (id 1)"),
        (
            HEAD + ROW.replace("approved", "loved"),
            "unknown state: waits for a moderator (id 1 loved)",
        ),
        (HEAD + ROW.replace("Rita", ""), "no name that can be seen"),
        ("url,name,username,text\n", "second column for the author: left out (id username)"),
    ],
)
def test_nothing_is_changed_silently(table, words):
    assert words in read(table)[1]


@pytest.mark.parametrize(("written", "kept"), [("es-419", "es-419"), ("de", "de"), ("--", "")])
def test_a_language_is_kept_with_its_region_in_figures(written, kept):
    (found,) = read(HEAD.replace("status", "lang") + ROW.replace("approved", written))[0]
    assert found.language == kept
