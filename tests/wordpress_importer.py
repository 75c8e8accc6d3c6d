"""What WordPress makes of an export: the plug-in wordpress-importer 0.9 and WordPress 6, as they read.

`PARSERS` are the plug-in's three (src/parsers: SimpleXML first, XML where that extension lacks, the
regular expressions where the others find the file malformed), each with its oddities; `brought` is
what its process_posts() and WordPress's wpdb then store.
"""

import re
from io import BytesIO
from typing import Any
from unicodedata import combining, normalize
from xml.parsers import expat

from defusedxml.ElementTree import parse

Fields = dict[str, Any]

WP = "{http://wordpress.org/export/1.2/}"
# What each looks for; the rest of the file none of them reads.
OF_POST = {
    "title": "title",
    "guid": "guid",
    "dc:creator": "author",
    "content:encoded": "content",
    "wp:post_id": "id",
    "wp:post_date": "date",
    "wp:post_date_gmt": "date_gmt",
    "wp:comment_status": "comment_status",
    "wp:post_name": "name",
    "wp:status": "status",
    "wp:post_type": "type",
    "wp:post_password": "password",
}
OF_COMMENT = (
    *("id", "author", "author_email", "author_url", "author_IP", "date", "date_gmt", "content"),
    *("approved", "type", "parent", "user_id"),
)
OF_AUTHOR = ("id", "login", "email", "display_name", "first_name", "last_name")
SPACES = {
    "wp": WP[1:-1],
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
}


def by_simplexml(content: bytes) -> Fields:
    root = parse(BytesIO(content), forbid_dtd=True).getroot()
    assert re.fullmatch(r"\d+\.\d+", root.findtext("channel/wp:wxr_version", "", SPACES).strip())

    def under(element: Any, names: dict[str, str]) -> Fields:
        return {key: element.findtext(path, "", SPACES) for path, key in names.items()}

    def named(kind: str, names: tuple[str, ...]) -> dict[str, str]:
        return {f"wp:{kind}_{name}": name for name in names}

    posts = []
    for item in root.findall("channel/item"):
        found = item.findall("wp:comment", SPACES)
        said = [under(comment, named("comment", OF_COMMENT)) for comment in found]
        posts.append(under(item, OF_POST) | {"comments": said})
    authors = root.findall("channel/wp:author", SPACES)
    return {"posts": posts, "authors": [under(a, named("author", OF_AUTHOR)) for a in authors]}


def by_xml(content: bytes) -> Fields:
    """A machine that forgets a piece of text that PHP holds for nothing, and "0" is such a piece."""
    result: Fields = {"posts": [], "authors": [], "version": ""}
    post: Fields = {}
    said: Fields = {}
    pieces: list[str] = []
    tags: dict[str, tuple[Fields, str]] = {name: (post, key) for name, key in OF_POST.items()}
    tags |= {f"wp:author_{name}": (post, name) for name in OF_AUTHOR}
    tags |= {f"wp:comment_{name}": (said, name) for name in OF_COMMENT}

    def hear(text: str) -> None:
        if text.strip() not in ("", "0"):
            pieces.append(text)

    def close(name: str) -> None:
        if name in tags:
            fields, key = tags[name]
            fields[key] = "".join(pieces)
        elif name == "wp:comment":
            post.setdefault("comments", []).append(dict(said))
            said.clear()
        elif name in ("item", "wp:author"):
            result["posts" if name == "item" else "authors"].append(dict(post))
            post.clear()
        elif name == "wp:wxr_version":
            result["version"] = "".join(pieces)
        pieces.clear()

    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text, parser.buffer_size = True, 2**24  # libxml gives a section as one piece
    parser.StartElementHandler = lambda *_: (
        None
    )  # or white space before it were of one piece with it
    parser.CharacterDataHandler, parser.EndElementHandler = hear, close
    parser.Parse(content, True)
    assert re.fullmatch(r"\d+\.\d+", result["version"])
    return result


def by_regex(content: bytes) -> Fields:
    """Lines of at most 8,191 bytes without white space at their ends and without empty ones."""
    result: Fields = {"posts": [], "authors": []}
    has_version, inside, kept = False, False, b""
    for line in re.findall(rb"[^\n]{0,8190}\n|[^\n]{1,8191}", content):
        line = line.rstrip()
        has_version = has_version or bool(re.search(rb"<wp:wxr_version>\d+\.\d+</wp:wxr_v", line))
        if b"<wp:base_site_url>" in line or b"<wp:base_blog_url>" in line:
            assert re.search(rb"<wp:base_(\w+)_url>.*?</wp:base_\1_url>", line)
        elif b"<wp:author>" in line:
            (author,) = re.findall(rb"<wp:author>(.*?)</wp:author>", line)
            result["authors"].append({n: _tag(author, f"wp:author_{n}") for n in OF_AUTHOR})
        elif b"<item>" in line:
            inside, kept = True, line.partition(b"<item>")[2].strip()
        elif b"</item>" in line:
            inside, kept = False, kept + line.partition(b"</item>")[0].strip()
            result["posts"].append(_post(kept))
        elif inside and line not in (b"", b"0"):
            kept += line + b"\n"
    assert has_version
    return result


def _post(item: bytes) -> Fields:
    comments = re.findall(rb"<wp:comment>(.+?)</wp:comment>", item, re.I | re.S)
    said = [{name: _tag(c, f"wp:comment_{name}") for name in OF_COMMENT} for c in comments]
    return {key: _tag(item, tag) for tag, key in OF_POST.items()} | {"comments": said}


def _tag(text: bytes, name: str) -> str:
    found = re.search(rb"<%b.*?>(.*?)</%b>" % (name.encode(), name.encode()), text, re.I | re.S)
    inside = found[1] if found else b""
    if inside.startswith(b"<![CDATA[") and b"]]]]><![CDATA[>" in inside:
        inside = b"".join(re.findall(rb"<!\[CDATA\[(.*?)\]\]>", inside, re.S))
    elif inside.startswith(b"<![CDATA["):
        inside = re.sub(rb"^<!\[CDATA\[(.*)\]\]>$", rb"\1", inside, flags=re.S)
    return inside.decode()


PARSERS = (by_simplexml, by_xml, by_regex)

# wp-admin/includes/schema.php: bytes of TINYTEXT and TEXT, characters of VARCHAR.
BYTES = {"author": 255, "content": 65_535}
CHARACTERS = {"author_email": 100, "author_url": 200, "approved": 20, "type": 20}
OF_POSTS = {"name": 200, "guid": 255, "status": 20, "type": 20, "password": 255}


def brought(parsed: Fields) -> list[Fields]:
    """The comments that WordPress has then, each with its `post`'s title and with the number that it
    was given for a parent. Raises AssertionError where a row would not be stored at all."""
    posts: dict[tuple[str, str], str] = {}
    stored: list[Fields] = []
    for post in parsed["posts"]:
        assert post["title"], "wp_insert_post: content, title, and excerpt are empty"
        assert all(len(post[name]) <= most for name, most in OF_POSTS.items()), post
        assert post["status"] == "publish"
        assert post["type"] == "post"
        same = (_collated(post["title"]), post["date"])  # post_exists()
        assert same not in posts, f"taken for {posts[same]}"
        posts[same] = post["title"]
        numbers: dict[int, int] = {}
        for said in sorted(post["comments"], key=lambda said: int(said["id"])):
            assert all(len(said[name].encode()) <= most for name, most in BYTES.items()), said
            assert all(len(said[name]) <= most for name, most in CHARACTERS.items()), said
            parent = int(said["parent"] or 0)
            assert parent in (0, *numbers), "its parent was not there yet"
            numbers[int(said["id"])] = len(stored) + 1
            stored.append(said | {"post": post["title"], "parent": numbers.get(parent, 0)})
    return stored


def _collated(title: str) -> str:
    """As utf8mb4_unicode_ci compares."""
    bare = "".join(c for c in normalize("NFD", title.casefold()) if not combining(c))
    return re.sub("[\U00010000-\U0010ffff]", "\U00010000", bare).rstrip()
